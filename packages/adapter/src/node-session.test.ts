import { describe, expect, it } from '@jest/globals';
import { SkepError, type Assignment, type NodeSession, type Random } from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import fc from 'fast-check';
import { byHand, DESCRIPTION, FakeLink, linesOf } from './__fixtures__/fakes.js';
import { nextBackoffMs, SessionKeeper } from './node-session.js';

/** Draws the longest wait each time. */
const LONGEST: Random = { next: () => 0.999, int: (bound) => bound - 1, fork: () => LONGEST };

function setUp(random: Random = LONGEST) {
  const clock = new VirtualClock({ start: 0 });
  const link = new FakeLink();
  const logger = linesOf();
  const opened: NodeSession[] = [];
  const assignments: Assignment[] = [];
  const hello = {
    answer: () => Promise.resolve({ nodeId: 'n1', address: '1.1.1.1', description: DESCRIPTION }),
  };
  const keeper = new SessionKeeper({
    link,
    clock,
    random,
    logger,
    hello: () => hello.answer(),
    onOpen: (session) => opened.push(session),
    onAssignment: (assignment) => assignments.push(assignment),
  });
  return { clock, link, logger, opened, assignments, hello, keeper };
}

describe('nextBackoffMs', () => {
  it('goes from 100 ms, doubled plus 100 ms, to at most 8 s', () => {
    const seen: number[] = [];
    for (let bound = 0; seen.length < 9; seen.push(bound)) bound = nextBackoffMs(bound);
    expect(seen).toEqual([100, 300, 700, 1_500, 3_100, 6_300, 8_000, 8_000, 8_000]);
  });
});

describe('SessionKeeper', () => {
  it('opens a session, beats when it is told to, and passes on assignments', async () => {
    const { clock, link, opened, assignments, keeper } = setUp();
    link.heartbeats.push(() => Promise.resolve({ periodMs: 2_000 }));
    keeper.start();
    await clock.flush();
    expect(opened.map(({ sessionId }) => sessionId)).toEqual(['s1']);
    expect(keeper.session).toBe(opened[0]);
    link.send({ revision: 3 });
    expect(assignments.map(({ revision }) => revision)).toEqual([3]);
    await clock.advance(4_999);
    expect(link.beats).toBe(0);
    await clock.advance(1);
    expect(link.beats).toBe(1);
    await clock.advance(2_000);
    expect(link.beats).toBe(2);
    await keeper.stop();
    expect(link.closed).toEqual(['s1']);
  });

  it('opens one session however often it is started', async () => {
    const { clock, link, keeper } = setUp();
    keeper.start();
    keeper.start();
    await clock.flush();
    keeper.start();
    await clock.flush();
    expect(link.hellos).toHaveLength(1);
    await keeper.stop();
  });

  it('waits longer with each failure in a row, and begins again after a success', async () => {
    const { clock, link, keeper } = setUp();
    const attempts: number[] = [];
    const refuse = (): Promise<void> => {
      attempts.push(clock.now());
      return Promise.reject(new SkepError('unavailable', 'away'));
    };
    link.opens.push(...Array.from({ length: 9 }, () => refuse));
    keeper.start();
    await clock.advance(60_000);
    const waits = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    expect(waits).toEqual([99, 299, 699, 1_499, 3_099, 6_299, 7_999, 7_999]);
    expect(keeper.session?.sessionId).toBe('s10');
    link.opens.push(refuse);
    attempts.length = 0;
    const lostAt = clock.now();
    keeper.reopen('lost');
    await clock.advance(1_000);
    expect(attempts.map((at) => at - lostAt)).toEqual([99]);
    await keeper.stop();
  });

  it('draws every wait below its bound', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = seededRandom(seed);
        const bounds: number[] = [];
        const { clock, link, keeper } = setUp({
          ...random,
          int: (bound) => {
            bounds.push(bound);
            return random.int(bound);
          },
        });
        link.isAway = true;
        keeper.start();
        await clock.advance(120_000);
        expect(bounds.slice(0, 8)).toEqual([100, 300, 700, 1_500, 3_100, 6_300, 8_000, 8_000]);
        await keeper.stop();
        expect(clock.pending()).toEqual([]);
      }),
      { numRuns: 5 },
    );
  });

  it('opens another when a heartbeat fails', async () => {
    const { clock, link, logger, opened, keeper } = setUp();
    link.heartbeats.push(() => Promise.reject(new SkepError('unavailable', 'no answer')));
    keeper.start();
    await clock.advance(6_000);
    expect(opened.map(({ sessionId }) => sessionId)).toEqual(['s1', 's2']);
    expect(link.closed).toEqual(['s1']);
    expect(logger.lines).toEqual(['session lost: no answer']);
    await keeper.stop();
  });

  it('opens another when the manager closes it, or does not take the hello', async () => {
    const { clock, link, hello, opened, keeper } = setUp();
    keeper.start();
    await clock.flush();
    const { answer } = hello;
    hello.answer = () => Promise.reject(new Error('the engine does not answer'));
    link.handlers?.closed('the manager stopped');
    await clock.advance(1_000);
    expect(keeper.session).toBeUndefined();
    hello.answer = answer;
    await clock.advance(8_000);
    expect(opened.map(({ sessionId }) => sessionId)).toEqual(['s1', 's2']);
    await keeper.stop();
  });

  it('does not take a late heartbeat of an earlier session for one of its own', async () => {
    const { clock, link, opened, keeper } = setUp();
    const [late, later] = [byHand<{ periodMs: number }>(), byHand<{ periodMs: number }>()];
    link.heartbeats.push(
      () => late.promise,
      () => later.promise,
    );
    keeper.start();
    await clock.advance(5_000);
    keeper.reopen('lost');
    await clock.advance(1_000);
    late.resolve({ periodMs: 1 });
    await clock.advance(4_000);
    expect(link.beats).toBe(1);
    await clock.advance(1_000);
    expect(link.beats).toBe(2);
    keeper.reopen('lost again');
    await clock.advance(1_000);
    later.reject(new SkepError('unavailable', 'late'));
    await clock.advance(1_000);
    expect(opened).toHaveLength(3);
    await keeper.stop();
  });

  it('closes a session that is opened after it was given up', async () => {
    const { clock, link, opened, keeper } = setUp();
    const slow = byHand();
    link.opens.push(() => slow.promise);
    keeper.start();
    await clock.flush();
    keeper.reopen('it took too long');
    await clock.advance(1_000);
    slow.resolve();
    await clock.flush();
    expect(opened.map(({ sessionId }) => sessionId)).toEqual(['s2']);
    expect(link.closed).toEqual(['s1']);
    await keeper.stop();
  });

  it('hears nothing from a session that it gave up', async () => {
    const { clock, link, assignments, opened, keeper } = setUp();
    keeper.start();
    await clock.flush();
    const old = link.handlers;
    keeper.reopen('lost');
    await clock.advance(1_000);
    old?.assignment({ type: 'complete', revision: 9, upserts: [], removals: [] });
    old?.closed('at last');
    await clock.advance(10_000);
    expect([assignments, opened.length]).toEqual([[], 2]);
    await keeper.stop();
  });

  it.each<[string, (keeper: SessionKeeper, clock: VirtualClock) => Promise<void>]>([
    ['before it has a session', () => Promise.resolve()],
    ['with a session', (_keeper, clock) => clock.flush()],
    [
      'while it waits for the next attempt',
      async (keeper, clock) => {
        await clock.flush();
        keeper.reopen('lost');
      },
    ],
  ])('stays away once it is stopped %s', async (_when, until) => {
    const { clock, link, keeper } = setUp();
    keeper.start();
    await until(keeper, clock);
    await keeper.stop();
    keeper.reopen('a call failed late');
    await clock.advance(60_000);
    expect(clock.pending()).toEqual([]);
    expect(link.closed).toHaveLength(link.hellos.length);
  });
});
