import { describe, expect, it } from '@jest/globals';
import { Lease, withSpec } from '@skep/api';
import { VirtualClock, seededRandom } from '@skep/api/virtual';
import { memoryStore } from '@skep/store';
import {
  members,
  neglected,
  SHARDS,
  type Members,
  type TestMember,
} from './__fixtures__/members.js';
import { Parent } from './__fixtures__/world.js';
import { update } from './changes.js';
import { ControllerGroup } from './controller-group.js';
import { ShardMap } from './shard-map.js';
import { ShardMember } from './shard-member.js';
import { ShardLeases } from './shard-plan.js';

const LEASES = new ShardLeases('shards', SHARDS);
const ALL = [...Array(SHARDS).keys()];

const one = ({ members: all }: Members, at: number): TestMember => {
  const member = all[at];
  if (member === undefined) throw new Error(`no member ${at}`);
  return member;
};

/** Stops all, one after the other: passes and commits take a moment. */
async function end({ members: all, clock }: Members): Promise<void> {
  for (const { stop } of all) await Promise.all([stop(), clock.advance(1_000)]);
}

/** Each member has what the map says. */
function expectShares(made: Members, ...names: readonly string[]): void {
  const map = new ShardMap(names, SHARDS);
  const running = made.members.filter(({ name }) => names.includes(name));
  const owned = running.map(({ name, member }) => [name, member.owned]);
  expect(owned).toEqual(names.map((name) => [name, map.shardsOf(name)]));
}

/** All keys are worked on: each was written in the last seconds. */
function expectWork(made: Members): void {
  expect(neglected(made, 2_000)).toEqual([]);
}

describe('ShardMember', () => {
  it('has all shards while it is alone, taken in one commit', async () => {
    const made = await members(['a']);
    await one(made, 0).start();
    await made.clock.advance(5_000);
    const { member } = one(made, 0);
    expect([member.owned, member.members, member.owns('key-1')]).toEqual([ALL, ['a'], true]);
    expect([made.audit.shardWrites, made.audit.shardCommits]).toEqual([SHARDS, 1]);
    expectWork(made);
    await end(made);
    expect(member.owned).toEqual([]);
    expect(member.owns('key-1')).toBe(false);
  });

  it('hands over what another should have: two writes a shard, none for the others', async () => {
    const made = await members(['a', 'b']);
    await one(made, 0).start();
    await made.clock.advance(5_000);
    const { shardWrites, shardCommits } = made.audit;
    await one(made, 1).start();
    await made.clock.advance(5_000);
    expectShares(made, 'a', 'b');
    const moved = new ShardMap(['a', 'b'], SHARDS).shardsOf('b').length;
    expect(made.audit.shardWrites - shardWrites).toBe(2 * moved);
    expect(made.audit.shardCommits - shardCommits).toBe(2);
    expectWork(made);
    expect(one(made, 0).member.members).toEqual(['a', 'b']);
    expect([made.audit.intruders, made.audit.overlaps]).toEqual([[], []]);
    await end(made);
  });

  it('leaves its shards at once when it stops', async () => {
    const made = await members(['a', 'b', 'c']);
    for (const { start } of made.members) await start();
    await made.clock.advance(10_000);
    expectShares(made, 'a', 'b', 'c');
    await Promise.all([one(made, 1).stop(), made.clock.advance(1_000)]);
    expectShares(made, 'a', 'c');
    await made.clock.advance(2_000);
    expectWork(made);
    expect([made.audit.intruders, made.audit.overlaps]).toEqual([[], []]);
    await end(made);
  });

  it('loses its shards after its lease, and writes nothing of them when it comes back', async () => {
    const made = await members(['a', 'b']);
    for (const { start } of made.members) await start();
    await made.clock.advance(5_000);
    const { gate } = one(made, 0);
    gate.isPausedOnWrite = true;
    await made.clock.advance(16_000);
    expect(gate.isPaused).toBe(true);
    expectShares(made, 'b');
    await made.clock.advance(3_000);
    expectWork(made);
    gate.resume(true);
    await made.clock.advance(5_000);
    expectShares(made, 'a', 'b');
    expectWork(made);
    expect(made.audit.intruders).toEqual([]);
    await end(made);
  });

  it('is not robbed by one whose clock jumps, or gets everything back', async () => {
    const made = await members(['a', 'b'], { keys: 10 });
    for (const { start } of made.members) await start();
    await made.clock.advance(5_000);
    one(made, 1).clock.offsetMs = 3_600_000;
    await made.clock.advance(15_000);
    expectShares(made, 'a', 'b');
    expectWork(made);
    // What was to be done at a time by the clock comes later when the clock is set back.
    one(made, 1).clock.offsetMs -= 20_000;
    await made.clock.advance(50_000);
    expectShares(made, 'a', 'b');
    expectWork(made);
    expect(made.audit.intruders).toEqual([]);
    await end(made);
  });

  it('takes shards in a new term that it had in an earlier life', async () => {
    const made = await members(['a'], { isReleasedOnStop: false });
    await one(made, 0).start();
    await made.clock.advance(1_000);
    const term = (): number => {
      const lease = made.onlooker.view().get(Lease, LEASES.shardId(3));
      return lease?.spec.term ?? 0;
    };
    expect(term()).toBe(1);
    one(made, 0).gate.isPaused = true;
    await made.clock.advance(30_000);
    one(made, 0).gate.resume();
    await made.clock.advance(5_000);
    expect(term()).toBe(2);
    expectWork(made);
    await end(made);
  });

  it('notices at once when a shard is taken from it', async () => {
    const made = await members(['a']);
    await one(made, 0).start();
    await made.clock.advance(1_000);
    const lease = made.onlooker.view().get(Lease, LEASES.shardId(3));
    if (lease === undefined) throw new Error('no lease');
    const theirs = withSpec(lease, { ...lease.spec, holder: 'x', term: 9 });
    await made.onlooker.commit({ actor: 'elector', changes: [update(theirs)] });
    await made.clock.advance(1_000);
    // Nobody of that name is there, so the shard comes back in a later term.
    expect(one(made, 0).member.owned).toEqual(ALL);
    expect(made.onlooker.view().get(Lease, LEASES.shardId(3))?.spec.term).toBe(10);
    expect(made.audit.intruders).toEqual([]);
    await end(made);
  });

  it('forgets members that have been away for an hour', async () => {
    const made = await members(['a', 'b'], { keys: 0 });
    for (const { start } of made.members) await start();
    await made.clock.advance(5_000);
    await Promise.all([one(made, 1).stop(), made.clock.advance(1_000)]);
    const isKnown = (): boolean =>
      made.onlooker.view().get(Lease, LEASES.memberId('b')) !== undefined;
    await made.clock.advance(3_500_000);
    expect(isKnown()).toBe(true);
    await made.clock.advance(200_000);
    expect(isKnown()).toBe(false);
    await end(made);
  });

  it('is refused with another number of shards', async () => {
    const clock = new VirtualClock();
    const seams = {
      store: memoryStore({ clock, kinds: [Lease] }),
      clock,
      random: seededRandom(1),
    };
    const first = new ShardMember({ ...seams, identity: 'a' });
    await first.start();
    await clock.flush();
    expect(first.owned).toHaveLength(64);
    const second = new ShardMember({ ...seams, identity: 'b' }, { shards: 32 });
    await expect(second.start()).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining('has 64 shards, not 32') as unknown,
    });
    expect(() => new ShardMember({ ...seams, identity: 'c' }, { shards: 0 })).toThrow('1 to 1024');
    await first.stop();
  });

  it('takes a thousand shards in pieces', async () => {
    const clock = new VirtualClock();
    const store = memoryStore({ clock, kinds: [Lease] });
    const seams = { store, clock, random: seededRandom(1) };
    const member = new ShardMember({ ...seams, identity: 'a' }, { shards: 1000 });
    await member.start();
    await clock.flush();
    expect(member.owned).toHaveLength(1000);
    const { revision } = store.view();
    await member.stop();
    expect(store.view().revision - revision).toBeLessThanOrEqual(6);
    const held = store
      .view()
      .list(Lease)
      .filter(({ spec }) => spec.holder !== '');
    expect(held).toEqual([]);
  });
});

describe('a group with sharding', () => {
  it('takes only controllers that say that they may be shared', async () => {
    const { members: all } = await members(['a']);
    const { member, store, clock } = all[0] ?? one({ members: all } as Members, 0);
    const group = new ControllerGroup({ store, clock, random: seededRandom(1), sharding: member });
    const plan = () => ({ changes: [] });
    expect(() => group.add({ name: 'x', for: Parent, plan })).toThrow("nothing about 'sharding'");
    const planBatch = () => ({ groups: [] });
    const batch = { name: 'x', for: Parent, sharding: 'by-key', planBatch } as const;
    expect(() => group.add(batch)).toThrow("'sharding' is not for planBatch");
  });
});
