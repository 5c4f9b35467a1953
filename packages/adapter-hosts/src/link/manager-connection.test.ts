import { describe, expect, it } from '@jest/globals';
import type { AssignmentItem, NodeAnswer } from '@skep/api';
import fc from 'fast-check';
import { facingManager, HELLO, outcomeOf } from './__fixtures__/far-end.js';
import { FRAME_BYTES_MAX } from './frame.js';
import { STALL_MS, UNREAD_BYTES_MAX } from './frame-stream.js';
import { HELLO_TIMEOUT_MS } from './manager-connection.js';
import { CALLS_MAX, CREDIT } from './wire.js';

const line = (text: string) =>
  ({ type: 'line', taskId: 't1', time: 1, stream: 'stdout', text }) as const;

function assignmentOf(revision: number, bytes = 0) {
  const item: AssignmentItem = {
    kind: 'config',
    key: 'c1',
    value: { id: 'c1', name: 'c1', data: 'x'.repeat(bytes) },
  };
  return { type: 'complete', revision, upserts: [item], removals: [] } as const;
}

/** A node with a session, of which something is asked. */
async function asked() {
  const parts = facingManager();
  await parts.greet();
  const abort = new AbortController();
  const answers = parts.manager.node().ask?.({ type: 'tables' }, abort.signal);
  const reader = answers?.[Symbol.asyncIterator]();
  if (reader === undefined) throw new Error('the node answers nothing');
  await parts.clock.flush();
  return { ...parts, abort, reader };
}

describe("the manager's end", () => {
  it.each([
    ['no JSON', 'hello\n'],
    ['no object', '[1,2]\n'],
    ['no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d, 10])],
    ['an unknown word', '{"type":"nonsense"}\n'],
    ['a second hello', `${JSON.stringify({ type: 'hello', protocol: 1, hello: HELLO })}\n`],
    ['a call without a number', '{"type":"call","method":"heartbeat"}\n'],
    ['an answer to no question', '{"type":"answer","question":1,"answer":{}}\n'],
    ['a line without an end', 'x'.repeat(FRAME_BYTES_MAX + 1)],
  ])('ends the connection for %s, not the session', async (_what, bytes) => {
    const { clock, manager, node, log, closed, greet } = facingManager();
    await greet();
    node.write(bytes);
    await clock.advance(60_000);
    expect([node.ends, closed(), manager.calls]).toEqual([1, 1, []]);
    expect(log).toEqual([expect.stringMatching(/^connection of a node lost {"nodeId":"n1","reas/)]);
  });

  it.each([
    ['another version', { type: 'hello', protocol: 2, hello: HELLO }, 'failed-precondition'],
    ['a call first', { type: 'call', id: 1, method: 'heartbeat' }, 'invalid-argument'],
    ['no node', { type: 'hello', protocol: 1 }, 'invalid-argument'],
    [
      'no description',
      { type: 'hello', protocol: 1, hello: { ...HELLO, description: {} } },
      'invalid-argument',
    ],
    [
      'a node that is unknown',
      { type: 'hello', protocol: 1, hello: { ...HELLO, nodeId: 'nobody' } },
      'not-found',
    ],
  ])('refuses %s, says why, and ends the connection', async (_what, frame, code) => {
    const { clock, manager, node, closed } = facingManager();
    node.say(frame);
    await clock.advance(60_000);
    expect(node.heard).toEqual([
      { type: 'refused', error: { code, message: expect.any(String), details: {} } },
    ]);
    expect([node.ends, closed(), manager.nodes.length]).toEqual([1, 1, 0]);
  });

  it('waits for a hello no longer than 5 s', async () => {
    const { clock, node, closed } = facingManager();
    node.write('{"type":"hel');
    await clock.advance(HELLO_TIMEOUT_MS - 1);
    expect(closed()).toBe(0);
    await clock.advance(1);
    await clock.flush();
    expect([node.ends, closed()]).toEqual([1, 1]);
  });

  it('does nothing of a frame that is cut, and all that came before', async () => {
    const { clock, manager, node, log, greet } = facingManager();
    await greet();
    const report = { taskId: 't1', state: 'running', timestamp: 1, message: '' };
    const call = JSON.stringify({ type: 'call', id: 2, method: 'report', value: [report] });
    node.say({ type: 'call', id: 1, method: 'heartbeat' });
    node.write(call.slice(0, -10));
    node.stream.end();
    await clock.flush();
    expect(manager.calls).toEqual(['heartbeat']);
    expect(log[0]).toMatch(/the connection was cut within a frame/);
  });

  it('refuses calls with nonsense in them, and goes on', async () => {
    const { clock, manager, node, greet } = facingManager();
    await greet();
    const calls = [
      { method: 'report', value: 'all is well' },
      { method: 'report', value: [{ taskId: 't1', state: 'bored', timestamp: 1, message: '' }] },
      { method: 'acknowledge', value: { appliedRevision: -1 } },
      { method: 'acknowledge' },
      { method: 'describe', value: { hostname: 7 } },
      { method: 'tell', value: [{ reason: 7 }] },
      { method: 'explode' },
      { method: 'heartbeat' },
    ];
    node.say(...calls.map((call, index) => ({ type: 'call', id: index + 1, ...call })));
    await clock.flush();
    const codes = node
      .of('reply')
      .map(({ error }) => (error as { code: string } | undefined)?.code);
    const invalid = Array.from({ length: 6 }, () => 'invalid-argument');
    expect([...codes].sort()).toEqual([...invalid, 'unimplemented', undefined].sort());
    expect(manager.calls).toEqual(['heartbeat']);
  });

  it('takes no more calls at a time than it can remember', async () => {
    const { clock, manager, node, greet } = facingManager();
    await greet();
    manager.answering = new Promise(() => undefined);
    for (let id = 1; id <= 2 * CALLS_MAX + 1; id += 1) {
      node.say({ type: 'call', id, method: 'heartbeat' });
    }
    await clock.flush();
    expect([manager.calls.length, node.ends]).toEqual([2 * CALLS_MAX, 1]);
  });

  it('closes a session that its node did not wait for', async () => {
    const { clock, manager, node } = facingManager();
    let open = (): void => undefined;
    manager.opening = new Promise((resolve) => (open = resolve));
    node.say({ type: 'hello', protocol: 1, hello: HELLO });
    await clock.flush();
    node.stream.destroy();
    await clock.flush();
    open();
    await clock.flush();
    expect(manager.calls).toEqual(['close']);
  });

  it('keeps a bounded amount for a node that does not read, then lets go of it', async () => {
    const { clock, manager, node, stream, closed, greet } = facingManager();
    await greet();
    node.stream.pause();
    const bytes = 1 << 20;
    let most = 0;
    for (let revision = 1; revision <= 40; revision += 1) {
      manager.node().assignment(assignmentOf(revision, bytes));
      most = Math.max(most, stream.writableLength);
      await clock.flush();
    }
    expect(most).toBeGreaterThan(UNREAD_BYTES_MAX - bytes);
    expect(most).toBeLessThan(UNREAD_BYTES_MAX + 2 * bytes);
    expect([closed(), manager.calls]).toEqual([1, []]);
    manager.node().assignment(assignmentOf(41, bytes));
    manager.node().closed('replaced');
  });

  it('lets go of a node that has stopped reading, however little waits', async () => {
    const { clock, manager, node, closed, greet } = facingManager();
    await greet();
    node.stream.pause();
    manager.node().assignment(assignmentOf(1, 200_000));
    await clock.advance(STALL_MS - 1);
    expect(closed()).toBe(0);
    await clock.advance(1);
    expect(closed()).toBe(1);
  });

  it('waits for a node that reads slowly', async () => {
    const { clock, manager, node, closed, greet } = facingManager();
    await greet();
    node.stream.pause();
    manager.node().assignment(assignmentOf(1, 2_000_000));
    for (let n = 0; node.of('assignment').length === 0; n += 1) {
      await clock.advance(STALL_MS * 0.9);
      node.stream.resume();
      await new Promise((resolve) => process.nextTick(resolve));
      node.stream.pause();
    }
    expect(closed()).toBe(0);
    node.stream.resume();
    await clock.advance(STALL_MS * 3);
    expect([closed(), node.of('assignment').length]).toEqual([0, 1]);
  });

  it('tells its manager when an item fits no link', async () => {
    const { manager, node, clock, greet } = facingManager();
    await greet();
    const large = (): void => manager.node().assignment(assignmentOf(1, FRAME_BYTES_MAX));
    expect(large).toThrow(/^config c1 takes \d+ bytes: no node can be sent more than/);
    await clock.flush();
    expect(node.of('assignment')).toEqual([]);
  });

  it('gives its last word before it ends', async () => {
    const { manager, node, clock, closed, greet } = facingManager();
    await greet();
    manager.node().assignment(assignmentOf(1));
    manager.node().closed('replaced');
    await clock.flush();
    expect(node.heard.slice(1).map(({ type }) => type)).toEqual(['assignment', 'closed']);
    expect([node.ends, closed()]).toEqual([1, 1]);
  });
});

describe('questions', () => {
  it('end when the connection is lost', async () => {
    const { clock, node, manager, reader } = await asked();
    const reading = outcomeOf(reader.next());
    node.stream.destroy();
    await clock.flush();
    expect(reading()).toMatch(/^unavailable: node n1 does not answer: the connection was closed/);
    const ask = (): unknown =>
      manager.node().ask?.({ type: 'tables' }, new AbortController().signal);
    expect(ask).toThrow(/its connection is lost/);
  });

  it('let what came before a loss be read', async () => {
    const { clock, node, reader } = await asked();
    node.say({ type: 'answer', question: 1, answer: line('a') });
    node.stream.end();
    await clock.flush();
    expect((await reader.next()).value).toEqual(line('a'));
    await expect(reader.next()).rejects.toThrow('does not answer');
    expect((await reader.next()).done).toBe(true);
  });

  it('ignore what comes after they were cancelled', async () => {
    const { clock, manager, node, abort, reader, closed } = await asked();
    abort.abort();
    await reader.return?.();
    await clock.flush();
    expect(node.of('cancel')).toEqual([{ type: 'cancel', question: 1 }]);
    for (let n = 0; n < 2 * CREDIT; n += 1) {
      node.say({ type: 'answer', question: 1, answer: line('late') });
    }
    node.say({ type: 'answered', question: 1 }, { type: 'call', id: 1, method: 'heartbeat' });
    await clock.flush();
    expect([manager.calls, closed(), (await reader.next()).done]).toEqual([['heartbeat'], 0, true]);
  });

  it('end with the connection for a node that answers without credit', async () => {
    const { clock, node, reader, closed } = await asked();
    const answers = Array.from({ length: CREDIT + 1 }, (_, n) => line(`${n}`));
    node.say(...answers.map((answer) => ({ type: 'answer', question: 1, answer })));
    await clock.flush();
    expect(closed()).toBe(1);
    for (let n = 0; n < CREDIT; n += 1) expect((await reader.next()).value).toEqual(line(`${n}`));
    await expect(reader.next()).rejects.toThrow('no credit');
  });

  it('give credit as they are read, not before', async () => {
    const { clock, node, reader } = await asked();
    expect(node.of('ask')).toMatchObject([{ question: 1, credit: CREDIT }]);
    const answers = Array.from({ length: CREDIT }, (_, n) => line(`${n}`));
    node.say(...answers.map((answer) => ({ type: 'answer', question: 1, answer })));
    await clock.flush();
    expect(node.of('more')).toEqual([]);
    for (let n = 0; n < CREDIT; n += 1) await reader.next();
    await clock.flush();
    const given = node.of('more').map(({ credit }) => credit as number);
    expect(given.reduce((a, b) => a + b, 0)).toBe(CREDIT);
  });

  it.each([
    ['nothing', undefined],
    ['an unknown type', { type: 'poem' }],
    ['a line of no stream', { ...line('a'), stream: 'stdin' }],
    ['a fault of an unknown code', { type: 'fault', taskId: 't1', code: 'oops', message: '' }],
    ['tables without a revision', { type: 'tables', assignment: assignmentOf(1) }],
    ['tables without an assignment', { type: 'tables', appliedRevision: 1 }],
  ])('end with the connection for %s', async (_what, answer) => {
    const { clock, node, reader, closed } = await asked();
    node.say({ type: 'answer', question: 1, ...(answer === undefined ? {} : { answer }) });
    await clock.flush();
    expect(closed()).toBe(1);
    await expect(reader.next()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('survive an end that is no error of ours', async () => {
    const { clock, node, reader } = await asked();
    node.say({ type: 'answered', question: 1, error: { code: 'from-the-future', message: 'x' } });
    await clock.flush();
    await expect(reader.next()).rejects.toMatchObject({ code: 'internal', message: 'x' });
  });
});

describe('whatever a node says', () => {
  it('ends in a connection that is closed once, or goes on', async () => {
    const words = fc.constantFrom(
      '{"type":"call","id":1,"method":"heartbeat"}\n',
      '{"type":"call","id":2,"method":"close"}\n',
      '{"type":"answer","question":1,"answer":{"type":"tables"}}\n',
      '{"type":"answered","question":1,"error":7}\n',
      '{"type":"answer","question":1,"answer":null}\n',
      '{"type":',
      '\n',
      '{}\n',
    );
    const bytes = fc.oneof(words, fc.string());
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 6 }), async (pieces) => {
        const { clock, node, reader, closed } = await asked();
        const read: NodeAnswer[] = [];
        const reading = (async () => {
          for (;;) {
            const next = await reader.next();
            if (next.done === true) return;
            read.push(next.value);
          }
        })().catch(() => undefined);
        for (const piece of pieces) node.write(piece);
        await clock.flush();
        node.stream.destroy();
        await clock.advance(60_000);
        await reading;
        expect([closed(), read]).toEqual([1, []]);
      }),
      { numRuns: 60 },
    );
  });
});
