/**
 * Members of a group that come, go, sleep and set their clocks at random, over a log that delivers
 * late: nobody writes about a key whose shard it does not hold, and in the end every key is worked
 * on by the member that should.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  members,
  neglected,
  SHARDS,
  type Members,
  type TestMember,
} from '../src/__fixtures__/members.js';
import { ShardMap } from '../src/shard-map.js';

const NAMES = ['a', 'b', 'c', 'd'];
const KEYS = 12;
const RUNS = Number(process.env['SKEP_PROPERTY_RUNS'] ?? 6);
const TIMEOUT_MS = 60_000 + RUNS * 10_000;

const afterMs = fc.integer({ min: 0, max: 9_000 });
const who = fc.integer({ min: 0, max: NAMES.length - 1 });

/** Starts who does not run, stops who does. */
const turn = fc.record({ type: fc.constant('turn' as const), who, afterMs });
/** Somebody sleeps, at once or in the midst of a write, and wakes in some order. */
const pause = fc.record({
  type: fc.constant('pause' as const),
  who,
  afterMs,
  forMs: fc.integer({ min: 1, max: 40_000 }),
  isOnWrite: fc.boolean(),
  isReversed: fc.boolean(),
});
/** Somebody's clock is set. */
const jump = fc.record({
  type: fc.constant('jump' as const),
  who,
  afterMs,
  byMs: fc.oneof(fc.integer({ min: -5_000, max: 5_000 }), fc.integer({ min: 0, max: 3_600_000 })),
});

type Step =
  | { type: 'turn'; who: number; afterMs: number }
  | {
      type: 'pause';
      who: number;
      afterMs: number;
      forMs: number;
      isOnWrite: boolean;
      isReversed: boolean;
    }
  | { type: 'jump'; who: number; afterMs: number; byMs: number };

/** Runs a script; gives those who run in the end. */
async function play(made: Members, script: readonly Step[]): Promise<readonly TestMember[]> {
  const { clock, members: all } = made;
  const running = new Set<TestMember>(all.slice(0, 2));
  const ends: Promise<void>[] = [];
  /** Who has not ended its stop cannot be started. */
  const stopping = new Set<TestMember>();
  for (const one of running) await one.start();
  for (const step of script) {
    await clock.advance(step.afterMs);
    const one = all[step.who];
    if (one === undefined || stopping.has(one)) continue;
    if (step.type === 'jump') {
      one.clock.offsetMs += step.byMs;
    } else if (step.type === 'pause') {
      if (one.gate.isPaused) continue;
      if (step.isOnWrite) one.gate.isPausedOnWrite = true;
      else one.gate.isPaused = true;
      clock.schedule(clock.now() + step.forMs, () => one.gate.resume(step.isReversed));
    } else if (running.delete(one)) {
      stopping.add(one);
      ends.push(one.stop().then(() => void stopping.delete(one)));
    } else {
      running.add(one);
      void one.start();
    }
  }
  // The longest pause, then leases that have to run out.
  await clock.advance(75_000);
  await Promise.all(ends);
  return all.filter((one) => running.has(one));
}

async function end({ members: all, clock }: Members): Promise<void> {
  for (const { stop } of all) await Promise.all([stop(), clock.advance(1_000)]);
}

async function judge(made: Members, script: readonly Step[]): Promise<void> {
  const running = await play(made, script);
  expect(made.audit.intruders).toEqual([]);
  const map = new ShardMap(
    running.map(({ name }) => name),
    SHARDS,
  );
  expect(running.map(({ member }) => member.owned)).toEqual(
    running.map(({ name }) => map.shardsOf(name)),
  );
  if (running.length > 0) expect(neglected(made, 3_000)).toEqual([]);
}

describe('sharding under arbitrary interleavings', () => {
  it(
    'nobody writes about a key of another, whatever happens',
    async () => {
      const property = fc.asyncProperty(
        fc.array(fc.oneof(turn, pause, jump), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        async (script, seed) => {
          const made = await members(NAMES, { seed, keys: KEYS });
          await judge(made, script);
          await end(made);
        },
      );
      await fc.assert(property, { numRuns: RUNS });
    },
    TIMEOUT_MS,
  );

  it(
    'no two work on a key at the same time, as long as members come and go in order',
    async () => {
      const property = fc.asyncProperty(
        fc.array(turn, { minLength: 1, maxLength: 10 }),
        fc.nat(),
        async (script, seed) => {
          const made = await members(NAMES, { seed, keys: KEYS });
          await judge(made, script);
          expect(made.audit.overlaps).toEqual([]);
          await end(made);
        },
      );
      await fc.assert(property, { numRuns: RUNS });
    },
    TIMEOUT_MS,
  );
});
