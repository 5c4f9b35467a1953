import { describe, expect, it } from '@jest/globals';
import { newObject, Lease } from '@skep/api';
import { ShardMap } from './shard-map.js';
import { planShards, ShardLeases, type ShardPlan, type ShardSituation } from './shard-plan.js';

const SHARDS = 8;
const LEASES = new ShardLeases('group', SHARDS);
const NOTHING: ShardPlan = { lost: [], release: [], letGo: [], acquire: [] };
const ALL = [...Array(SHARDS).keys()];
/** Shards of `a` where `a` and `b` are there, and those of `b`. */
const MAP = new ShardMap(['a', 'b'], SHARDS);
const [OWN, OTHER] = [MAP.shardsOf('a'), MAP.shardsOf('b')];

function lease(shard: number, holder: string, term = 1): Lease {
  const spec = { holder, term, durationMs: 1, acquiredAt: 0, renewedAt: 0 };
  return newObject(Lease, { id: LEASES.shardId(shard), name: LEASES.shardName(shard), spec });
}

/** What `a` has to do; by default `b` is there and nobody ever held a shard. */
function planOf(situation: Partial<ShardSituation>): Partial<ShardPlan> {
  const plan = planShards({
    identity: 'a',
    live: new Set(['a', 'b']),
    leases: ALL.map(() => undefined),
    held: new Map(),
    ending: new Set(),
    ...situation,
  });
  return Object.fromEntries(
    Object.entries(plan).filter(([, shards]) => (shards as readonly number[]).length > 0),
  );
}

const heldBy = (holder: string): readonly Lease[] => ALL.map((shard) => lease(shard, holder));
const all = (term: number): ReadonlyMap<number, number> => new Map(ALL.map((at) => [at, term]));

describe('planShards', () => {
  it('has shards of both members to tell apart', () => {
    expect([OWN.length > 0, OTHER.length > 0]).toEqual([true, true]);
    expect(planOf({ live: new Set(['b']), leases: heldBy('b') })).toEqual({});
    expect(NOTHING).toEqual(
      planShards({
        identity: 'a',
        live: new Set(['a']),
        leases: heldBy('a'),
        held: all(1),
        ending: new Set(),
      }),
    );
  });

  it.each<[string, Partial<ShardSituation>, Partial<ShardPlan>]>([
    ['takes what nobody ever had', {}, { acquire: OWN }],
    ['takes what has no owner any more', { leases: heldBy('') }, { acquire: OWN }],
    ['takes what a member has that is gone', { leases: heldBy('c') }, { acquire: OWN }],
    ['leaves alone what a member has that is there', { leases: heldBy('b') }, {}],
    [
      'takes in a new term what it had in an earlier life, and lets go of the rest',
      { leases: heldBy('a') },
      { acquire: OWN, letGo: OTHER },
    ],
    [
      'releases what belongs to another now',
      { leases: heldBy('a'), held: all(1) },
      { release: OTHER },
    ],
    ['has lost what another took', { leases: heldBy('b'), held: all(1) }, { lost: ALL }],
    ['has lost what it has in a later term', { leases: heldBy('a'), held: all(0) }, { lost: ALL }],
    [
      'touches nothing whose passes are still under way',
      { leases: heldBy('a'), ending: new Set(ALL) },
      {},
    ],
  ])('%s', (_, situation, expected) => {
    expect(planOf(situation)).toEqual(expected);
  });
});

describe('ShardLeases', () => {
  it('knows the leases of members by their names', () => {
    const member = newObject(Lease, {
      id: 'x',
      name: LEASES.memberName('a/b'),
      spec: lease(0, 'a').spec,
    });
    expect(LEASES.memberOf(member)).toBe('a/b');
    expect(LEASES.memberOf(lease(0, 'a'))).toBeUndefined();
  });
});
