import { describe, expect, it } from '@jest/globals';
import {
  Event,
  Node,
  QUESTIONS_MAX,
  newObject,
  seededRandom,
  type NodeAnswer,
  type NodeLinkHandlers,
  type NodeNotice,
  type NodeQuestion,
  type NodeSession,
} from '@skep/api';
import { TestCluster } from '../endpoints/__fixtures__/cluster.js';
import { Dispatcher } from './dispatcher.js';
import { NOTICE_WINDOW_MS, NOTICES_PER_WINDOW } from './notice-board.js';

const HELLO = {
  address: '192.0.2.1',
  description: {
    hostname: 'host',
    platform: { os: 'linux', architecture: 'amd64' },
    resources: {},
    engine: { version: '1', labels: {} },
  },
} as const;

const TABLES: NodeQuestion = { type: 'tables' };

/** A dispatcher with a node, whose session can be opened. */
async function setUp() {
  const cluster = new TestCluster();
  const spec = { role: 'worker', availability: 'active' } as const;
  await cluster.create(newObject(Node, { id: 'n1', name: 'node1', spec }));
  const { store, clock } = cluster;
  const dispatcher = new Dispatcher({ store, clock, random: seededRandom(1) });
  await dispatcher.start();
  const closed: string[] = [];
  const open = (ask?: NodeLinkHandlers['ask']): Promise<NodeSession> =>
    dispatcher.open(
      { nodeId: 'n1', ...HELLO },
      {
        assignment: () => undefined,
        closed: (reason) => closed.push(reason),
        ...(ask === undefined ? {} : { ask }),
      },
    );
  return { cluster, clock, dispatcher, open, closed };
}

const silent: NonNullable<NodeLinkHandlers['ask']> = async function* (_question, signal) {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  yield* [];
};

const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );

describe('questions to a node', () => {
  it('reach it, and its answers come back', async () => {
    const { dispatcher, open } = await setUp();
    const asked: NodeQuestion[] = [];
    const line = { type: 'line', taskId: 't1', time: 1, stream: 'stdout', text: 'a' } as const;
    await open(async function* (question) {
      asked.push(question);
      yield line;
    });
    const question = { type: 'logs', taskIds: ['t1'], tail: 1, follow: true } as const;
    const answers: NodeAnswer[] = [];
    for await (const one of dispatcher.ask('n1', question)) answers.push(one);
    expect([asked, answers]).toEqual([[question], [line]]);
  });

  it('are refused when nobody can answer', async () => {
    const { dispatcher, open } = await setUp();
    const ask = (nodeId: string): Promise<string> => refusal(dispatcher.ask(nodeId, TABLES).next());
    expect(await ask('n9')).toBe('not-found: node n9 does not exist');
    expect(await ask('n1')).toBe('unavailable: node n1 has no session: nothing can be asked of it');
    await open();
    expect(await ask('n1')).toBe('unimplemented: node n1 answers no questions');
    await dispatcher.stop();
    expect(await ask('n1')).toBe('unavailable: the dispatcher does not run');
  });

  it.each<[object, string]>([
    [{ type: 'poem' }, "a node is asked for 'logs' or 'tables', not for 'poem'"],
    [{ type: 'logs', taskIds: [] }, 'a question asks for the logs of 1 to 256 tasks, not of 0'],
    [
      { type: 'logs', taskIds: Array.from({ length: 257 }, (_, n) => `${n}`) },
      'a question asks for the logs of 1 to 256 tasks, not of 257',
    ],
    [
      { type: 'logs', taskIds: ['t1'], tail: -1 },
      'tail has to be a number of lines, 0 or more, not -1',
    ],
    [
      { type: 'logs', taskIds: ['t1'], since: Number.NaN },
      'since has to be a time in ms since the epoch, not NaN',
    ],
    [
      { type: 'logs', taskIds: ['t1'], streams: ['stdin'] },
      "a task has the streams stdout and stderr, not 'stdin'",
    ],
  ])('are refused when they make no sense: %j', async (question, message) => {
    const { dispatcher, open } = await setUp();
    await open(silent);
    const asking = dispatcher.ask('n1', question as NodeQuestion).next();
    expect(await refusal(asking)).toBe(`invalid-argument: ${message}`);
  });

  it.each<[string, (session: NodeSession, dispatcher: Dispatcher) => unknown, RegExp]>([
    ['the node leaves', (session) => session.close(), /closed by the node$/],
    ['the manager stops', (_session, dispatcher) => dispatcher.stop(), /dispatcher stopped$/],
    [
      'the manager loses its lead',
      (_, dispatcher) => dispatcher.abandon('not the leader'),
      /leader$/,
    ],
  ])('end when %s', async (_what, act, reason) => {
    const { dispatcher, open } = await setUp();
    const session = await open(silent);
    const asking = refusal(dispatcher.ask('n1', TABLES).next());
    await act(session, dispatcher);
    expect(await asking).toMatch(/^unavailable: node n1 does not answer: its session is over: /);
    expect(await asking).toMatch(reason);
  });

  it('end when the node is silent for too long, or opens another session', async () => {
    const { clock, dispatcher, open } = await setUp();
    await open(silent);
    const first = refusal(dispatcher.ask('n1', TABLES).next());
    await open(silent);
    expect(await first).toMatch(/replaced by another session of the node$/);
    const second = refusal(dispatcher.ask('n1', TABLES).next());
    await clock.advance(60_000);
    expect(await second).toMatch(/heartbeat failure$/);
  });

  it('have a bound, and make room when they are over', async () => {
    const { dispatcher, open } = await setUp();
    await open(silent);
    const many = Array.from({ length: QUESTIONS_MAX }, () => dispatcher.ask('n1', TABLES));
    const reads = many.map((answers) => answers.next());
    expect(await refusal(dispatcher.ask('n1', TABLES).next())).toMatch(/^resource-exhausted: /);
    await many[0]?.return?.();
    const next = dispatcher.ask('n1', TABLES);
    const reading = next.next();
    for (const answers of [...many, next]) await answers.return?.();
    for (const read of [...reads, reading]) expect((await read).done).toBe(true);
  });
});

describe('notices of a node', () => {
  const notice = (message: string, reason = 'TablesRepaired'): NodeNotice => ({
    type: 'warning',
    reason,
    message,
  });

  it('become events about it; equal ones are counted', async () => {
    const { cluster, clock, open } = await setUp();
    const session = await open();
    await session.tell?.([
      notice('br0 is down'),
      notice('br0 is down'),
      notice('a rule is missing'),
    ]);
    await clock.advance(1_000);
    const events = cluster.view.list(Event).map(({ spec }) => spec);
    expect(events.sort((a, b) => a.count - b.count)).toMatchObject([
      { reason: 'TablesRepaired', message: 'a rule is missing', count: 1 },
      {
        regarding: { kind: 'Node', id: 'n1', name: 'node1' },
        type: 'warning',
        reason: 'TablesRepaired',
        message: 'br0 is down',
        actor: 'agent',
        count: 2,
      },
    ]);
  });

  it('are written before the dispatcher has stopped', async () => {
    const { cluster, dispatcher, open } = await setUp();
    const session = await open();
    await session.tell?.([notice('late')]);
    await dispatcher.stop();
    expect(cluster.view.list(Event).map(({ spec }) => spec.message)).toEqual(['late']);
    expect(await refusal(session.tell?.([notice('later')]) ?? Promise.resolve())).toMatch(
      /^failed-precondition: /,
    );
  });

  it('are dropped when a node tells too much, until the minute is over', async () => {
    const { cluster, clock, open } = await setUp();
    const session = await open();
    for (let call = 0; call < 4; call += 1) {
      const many = Array.from({ length: 20 }, () => notice(`call ${call}`));
      await session.tell?.(many);
    }
    await clock.advance(1_000);
    const counted = (): number =>
      cluster.view.list(Event).reduce((sum, { spec }) => sum + spec.count, 0);
    expect(counted()).toBe(NOTICES_PER_WINDOW);
    await clock.advance(NOTICE_WINDOW_MS);
    const again = await open();
    await again.tell?.([notice('again')]);
    await clock.advance(1_000);
    expect(counted()).toBe(NOTICES_PER_WINDOW + 1);
  });

  it.each<[string, readonly NodeNotice[]]>([
    ['too many', Array.from({ length: 33 }, () => notice('a'))],
    ['an odd reason', [notice('a', 'tables repaired')]],
    ['no reason', [notice('a', '')]],
    ['a reason that is too long', [notice('a', `A${'b'.repeat(64)}`)]],
    ['a message that is too long', [notice('x'.repeat(1_025))]],
    ['an odd type', [{ ...notice('a'), type: 'fatal' as 'warning' }]],
  ])('are refused as a whole: %s', async (_what, notices) => {
    const { cluster, clock, open } = await setUp();
    const session = await open();
    const telling = session.tell?.([notice('fine'), ...notices]) ?? Promise.resolve();
    expect(await refusal(telling)).toMatch(/^invalid-argument: /);
    await clock.advance(1_000);
    expect(cluster.view.list(Event)).toEqual([]);
  });
});
