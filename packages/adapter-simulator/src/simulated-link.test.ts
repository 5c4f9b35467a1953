import { describe, expect, it } from '@jest/globals';
import { isSkepError, type Assignment, type NodeSession } from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import { nodeLinkConformance } from '@skep/adapter/conformance';
import fc from 'fast-check';
import { FakeManager } from './__fixtures__/fake-manager.js';
import { describeHost } from './description.js';
import { SimulatedLink, type SimulatedLinkOptions } from './simulated-link.js';

const HELLO = { nodeId: 'n1', address: '1.1.1.1', description: describeHost('node1') };
const assignment = (revision: number): Assignment => ({
  type: 'complete',
  revision,
  upserts: [],
  removals: [],
});

function setUp(latencyMs?: SimulatedLinkOptions['latencyMs'], seed = 1) {
  const clock = new VirtualClock({ start: 0 });
  const manager = new FakeManager();
  const link = new SimulatedLink({
    inner: manager,
    clock,
    random: seededRandom(seed),
    ...(latencyMs === undefined ? {} : { latencyMs }),
  });
  const heard: { readonly revision: number; readonly at: number }[] = [];
  const closed: string[] = [];
  const open = async (): Promise<NodeSession> => {
    const opening = link.open(HELLO, {
      assignment: ({ revision }) => heard.push({ revision, at: clock.now() }),
      closed: (reason) => closed.push(reason),
    });
    await clock.advance(100);
    return opening;
  };
  return { clock, manager, link, heard, closed, open };
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'answered',
    (error: unknown) => (isSkepError(error) ? error.code : String(error)),
  );

nodeLinkConformance({ describe, it, expect }, async (manager) => {
  const clock = new VirtualClock();
  const link = new SimulatedLink({ inner: manager, clock, random: seededRandom(1) });
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let isDone = false;
    const mark = (): void => {
      isDone = true;
    };
    promise.then(mark, mark);
    await clock.flush();
    while (!isDone) await clock.advance(1);
    return promise;
  };
  return { link, settle, close: () => Promise.resolve() };
});

describe('SimulatedLink', () => {
  it('takes 1 to 2 ms each way', async () => {
    const { clock, manager, heard, open } = setUp();
    const session = await open();
    const from = clock.now();
    const report = session.report([]).then(() => clock.now() - from);
    manager.send('n1', assignment(7));
    await clock.advance(10);
    expect(await report).toBeGreaterThanOrEqual(2);
    expect(await report).toBeLessThanOrEqual(4);
    expect(heard).toHaveLength(1);
    expect([1, 2]).toContain((heard[0]?.at ?? 0) - from);
  });

  it('keeps the order of each direction, whatever each message would take', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const { clock, manager, heard, open } = setUp({ from: 0, to: 20 }, seed);
        const session = await open();
        const calls: Promise<void>[] = [];
        for (let n = 1; n <= 10; n += 1) {
          manager.send('n1', assignment(n));
          const taskId = `t${n}`;
          calls.push(session.report([{ taskId, state: 'running', timestamp: 0, message: '' }]));
          await clock.advance(n % 3);
        }
        await clock.advance(100);
        await Promise.all(calls);
        expect(heard.map(({ revision }) => revision)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        const times = heard.map(({ at }) => at);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        expect(manager.reports.map(({ taskId }) => taskId)).toEqual(
          heard.map(({ revision }) => `t${revision}`),
        );
      }),
      { numRuns: 10 },
    );
  });

  it('gives up a call that is not answered within 5 s', async () => {
    const { clock, link, manager, open } = setUp();
    const session = await open();
    link.cut();
    expect(link.isCut).toBe(true);
    const beat = codeOf(session.heartbeat());
    let outcome = 'waiting';
    void beat.then((code) => (outcome = code));
    await clock.advance(4_999);
    expect(outcome).toBe('waiting');
    await clock.advance(1);
    expect([outcome, manager.beats]).toEqual(['unavailable', 0]);
  });

  it('loses an answer as well as a call: what was done is done', async () => {
    const { clock, link, manager, open } = setUp();
    const session = await open();
    const call = codeOf(
      session.report([{ taskId: 't1', state: 'ready', timestamp: 0, message: '' }]),
    );
    while (manager.reports.length === 0) await clock.advance(1);
    link.cut();
    await clock.advance(5_000);
    expect(await call).toBe('unavailable');
    expect(manager.states).toEqual(['t1 ready']);
  });

  it('passes on what the manager refuses', async () => {
    const { clock, manager, closed, open } = setUp();
    const session = await open();
    manager.end('n1', 'the manager stopped');
    const call = codeOf(session.heartbeat());
    await clock.advance(10);
    expect(await call).toBe('failed-precondition');
    expect(closed).toEqual(['the manager stopped']);
  });

  it('hears nothing while it is cut, and is told of the reset when it heals', async () => {
    const { clock, link, manager, heard, closed, open } = setUp();
    await open();
    manager.send('n1', assignment(7));
    link.cut();
    await clock.advance(60_000);
    expect([heard, closed]).toEqual([[], []]);
    link.heal();
    expect(closed).toEqual(['connection reset']);
    link.heal();
    expect(closed).toHaveLength(1);
  });

  it('resets nothing when it was never cut, nor what was closed before', async () => {
    const { clock, link, closed, open } = setUp();
    const session = await open();
    link.heal();
    expect(closed).toEqual([]);
    const bye = session.close();
    await clock.advance(10);
    await bye;
    link.cut();
    link.heal();
    expect(closed).toEqual([]);
  });

  it('fails to open while it is cut, and opens again afterwards', async () => {
    const { clock, link, manager, open } = setUp();
    link.cut();
    const handlers = { assignment: () => undefined, closed: () => undefined };
    const failed = codeOf(link.open(HELLO, handlers));
    await clock.advance(5_000);
    expect(await failed).toBe('unavailable');
    link.heal();
    expect((await open()).sessionId).toBe('s1');
    expect(manager.has('n1')).toBe(true);
  });

  it('counts as something to wait for from its healing until the node is back', async () => {
    const { clock, link, open } = setUp();
    await open();
    link.cut();
    expect(clock.nextTimer()).toBeUndefined();
    link.heal();
    expect(clock.nextTimer()?.label).toBe('return of a node');
    await open();
    expect(clock.nextTimer()).toBeUndefined();
  });
});
