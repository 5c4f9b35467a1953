import { describe, expect, it } from '@jest/globals';
import { SkepError, type NodeAnswer } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import fc from 'fast-check';
import { duplexPair } from './__fixtures__/duplex-pair.js';
import { facingNode, FarEnd, HELLO, outcomeOf } from './__fixtures__/far-end.js';
import { FRAME_BYTES_MAX } from './frame.js';
import { streamNodeLink } from './socket-link.js';
import { CALLS_MAX, CREDIT } from './wire.js';

const assignment = (revision: number) => ({
  type: 'complete',
  revision,
  upserts: [],
  removals: [],
});
const line = (text: string) =>
  ({ type: 'line', taskId: 't1', time: 1, stream: 'stdout', text }) as const;

describe("the node's end", () => {
  it('gives the session first, though assignments and the end came right behind it', async () => {
    const { clock, manager, heard, opening, opened } = facingNode();
    let hasSession = false;
    const order = opening.then(() => {
      hasSession = true;
      return [...heard];
    });
    await clock.flush();
    manager.say(
      opened,
      { type: 'assignment', assignment: assignment(7) },
      { type: 'closed', reason: 'replaced' },
    );
    manager.stream.end();
    await clock.flush();
    expect([hasSession, await order]).toEqual([true, []]);
    expect(heard).toEqual(['complete 7', 'closed: replaced']);
  });

  it.each([
    ['no JSON', 'hello\n'],
    ['an unknown word', '{"type":"nonsense"}\n'],
    ['a reply to no call', '{"type":"reply","id":7}\n'],
    ['no assignment', '{"type":"assignment"}\n'],
    ['a question without a number', '{"type":"ask","what":{"type":"tables"},"credit":1}\n'],
    ['a strange question', '{"type":"ask","question":1,"what":{"type":"poem"},"credit":1}\n'],
    ['logs of nothing', '{"type":"ask","question":1,"what":{"type":"logs"},"credit":1}\n'],
    ['credit for no question', '{"type":"more","question":3,"credit":1}\n'],
    ['a line without an end', 'x'.repeat(FRAME_BYTES_MAX + 1)],
  ])('ends the session once for %s', async (_what, bytes) => {
    const { clock, manager, heard, welcome } = facingNode();
    const session = await welcome();
    const beat = outcomeOf(session.heartbeat());
    manager.write(bytes);
    await clock.advance(60_000);
    expect(heard).toEqual([
      expect.stringMatching(/^closed: the connection to the manager was lost/),
    ]);
    expect(beat()).toMatch(/^unavailable: the session is over/);
    expect(outcomeOf(session.heartbeat())).not.toThrow();
    await expect(session.report([])).rejects.toMatchObject({ code: 'failed-precondition' });
    await session.close();
    expect(manager.ends).toBe(1);
  });

  it('hears nothing of an assignment that is cut between its parts', async () => {
    const { clock, manager, heard, welcome } = facingNode();
    await welcome();
    const part = { type: 'assignment', assignment: assignment(7) };
    manager.say({ ...part, isPartial: true }, { ...part, isPartial: true });
    manager.write(JSON.stringify(part).slice(0, -3));
    manager.stream.end();
    await clock.flush();
    expect(heard).toEqual([expect.stringMatching(/cut within a frame$/)]);
  });

  it('gives up a manager that does not answer, and is not opened late', async () => {
    const { clock, manager, heard, opening, opened } = facingNode();
    const outcome = outcomeOf(opening);
    await clock.advance(4_999);
    expect(outcome()).toBe('pending');
    await clock.advance(1);
    expect(outcome()).toBe('unavailable: the manager did not open the session within 5000 ms');
    manager.say(opened, { type: 'assignment', assignment: assignment(7) });
    await clock.flush();
    expect([heard, manager.ends]).toEqual([[], 1]);
  });

  it('gives up a connection that is not made', async () => {
    const clock = new VirtualClock();
    const [late, other] = duplexPair();
    const far = new FarEnd(other);
    let connect = (): void => undefined;
    const link = streamNodeLink({
      clock,
      connect: () => new Promise((resolve) => (connect = () => resolve(late))),
    });
    const handlers = { assignment: () => undefined, closed: () => undefined };
    const outcome = outcomeOf(link.open(HELLO, handlers));
    await clock.advance(5_000);
    expect(outcome()).toMatch(/^unavailable: /);
    connect();
    await clock.flush();
    expect([far.heard, far.ends]).toEqual([[], 1]);
  });

  it('gives up a call after 5 s, ignores its late answer, and goes on', async () => {
    const { clock, manager, heard, welcome } = facingNode();
    const session = await welcome();
    const beat = outcomeOf(session.heartbeat());
    await clock.advance(5_000);
    expect(beat()).toBe("unavailable: the manager did not answer 'heartbeat' within 5000 ms");
    manager.say({ type: 'reply', id: 1, value: { periodMs: 1 } });
    const report = outcomeOf(session.report([]));
    await clock.flush();
    manager.say({ type: 'reply', id: 2 });
    await clock.flush();
    expect([report(), heard]).toEqual(['answered', []]);
  });

  it('refuses an answer to a heartbeat that says nothing', async () => {
    const { clock, manager, welcome } = facingNode();
    const session = await welcome();
    const beat = outcomeOf(session.heartbeat());
    await clock.flush();
    manager.say({ type: 'reply', id: 1, value: { periodMs: 0 } });
    await clock.flush();
    expect(beat()).toMatch(/^invalid-argument: /);
  });

  it('has a bound for calls without an answer', async () => {
    const { clock, welcome } = facingNode();
    const session = await welcome();
    const beats = Array.from({ length: CALLS_MAX + 1 }, () => outcomeOf(session.heartbeat()));
    await clock.flush();
    expect(beats.filter((beat) => beat() === 'pending')).toHaveLength(CALLS_MAX);
    expect(beats.at(-1)?.()).toMatch(/^resource-exhausted: /);
    await clock.advance(5_000);
  });

  it('refuses a call that fits no frame, and goes on', async () => {
    const { clock, manager, welcome } = facingNode();
    const session = await welcome();
    const message = 'x'.repeat(FRAME_BYTES_MAX);
    const report = { taskId: 't1', state: 'failed', timestamp: 1, message } as const;
    await expect(session.report([report])).rejects.toMatchObject({ code: 'resource-exhausted' });
    void session.acknowledge({ appliedRevision: 1 }).catch(() => undefined);
    await clock.flush();
    expect(manager.of('call')).toMatchObject([{ method: 'acknowledge' }]);
    await clock.advance(5_000);
  });

  it('closes though the manager does not answer', async () => {
    const { clock, manager, heard, welcome } = facingNode();
    const session = await welcome();
    const closing = outcomeOf(session.close());
    const again = outcomeOf(session.close());
    await clock.advance(5_000);
    expect([closing(), again(), heard]).toEqual(['answered', 'answered', []]);
    await clock.advance(5_000);
    expect([manager.of('call').length, manager.ends]).toEqual([1, 1]);
  });
});

describe('answers', () => {
  /** A node that answers without an end, and writes down when it is let go. */
  function endless() {
    const made = { count: 0, aborted: [] as boolean[] };
    const parts = facingNode({
      ask: async function* (_question, signal): AsyncGenerator<NodeAnswer> {
        try {
          for (;;) yield line(`${(made.count += 1)}`);
        } finally {
          made.aborted.push(signal.aborted);
        }
      },
    });
    const ask = (question: number, credit = CREDIT): void =>
      parts.manager.say({ type: 'ask', question, what: { type: 'tables' }, credit });
    return { ...parts, made, ask };
  }

  it('are as many as there is credit for', async () => {
    const { clock, manager, made, ask, welcome } = endless();
    await welcome();
    ask(1, 3);
    await clock.flush();
    expect([made.count, manager.of('answer').length]).toEqual([3, 3]);
    manager.say({ type: 'more', question: 1, credit: 2 });
    await clock.flush();
    expect([made.count, manager.of('answer').length]).toEqual([5, 5]);
  });

  it('end with the session, and nothing of them is said after', async () => {
    const { clock, manager, made, ask, welcome } = endless();
    await welcome();
    ask(1, 3);
    await clock.flush();
    manager.say({ type: 'closed', reason: 'replaced' }, { type: 'more', question: 1, credit: 9 });
    await clock.flush();
    expect([made.count, made.aborted, manager.of('answered')]).toEqual([3, [true], []]);
  });

  it('end when the connection is cut', async () => {
    const { clock, manager, made, ask, welcome } = endless();
    await welcome();
    ask(1, 3);
    ask(2, 3);
    await clock.flush();
    manager.stream.destroy();
    await clock.flush();
    expect(made.aborted).toEqual([true, true]);
  });

  it('end when they are cancelled, once', async () => {
    const { clock, manager, heard, made, ask, welcome } = endless();
    await welcome();
    ask(1, 3);
    await clock.flush();
    manager.say({ type: 'cancel', question: 1 }, { type: 'cancel', question: 1 });
    manager.say({ type: 'more', question: 1, credit: 9 });
    await clock.flush();
    expect([made.count, made.aborted, heard, manager.of('answered')]).toEqual([3, [true], [], []]);
  });

  it('are refused when there are too many at a time', async () => {
    const { clock, manager, made, ask, welcome } = endless();
    await welcome();
    for (let question = 1; question <= 257; question += 1) ask(question, 1);
    await clock.flush();
    expect(made.count).toBe(256);
    expect(manager.of('answered')).toMatchObject([
      { question: 257, error: { code: 'resource-exhausted' } },
    ]);
  });

  it('are not given twice for one number', async () => {
    const { clock, heard, ask, welcome } = endless();
    await welcome();
    ask(1, 1);
    ask(1, 1);
    await clock.flush();
    expect(heard).toEqual([expect.stringMatching(/a question needs a number of its own/)]);
  });

  it('say why they end, when the source throws at once', async () => {
    const { clock, manager, welcome } = facingNode({
      ask: () => {
        throw new SkepError('unimplemented', 'no logs here', { details: { a: 1n } });
      },
    });
    await welcome();
    manager.say({ type: 'ask', question: 1, what: { type: 'tables' }, credit: 1 });
    await clock.flush();
    // Details that are no JSON stay behind.
    const error = { code: 'unimplemented', message: 'no logs here' };
    expect(manager.of('answered')).toEqual([{ type: 'answered', question: 1, error }]);
  });

  it('end with why, when one fits no frame', async () => {
    const { clock, manager, heard, welcome } = facingNode({
      ask: async function* () {
        yield line('x'.repeat(FRAME_BYTES_MAX));
      },
    });
    await welcome();
    manager.say({ type: 'ask', question: 1, what: { type: 'tables' }, credit: 1 });
    await clock.flush();
    expect(manager.of('answered')).toMatchObject([{ error: { code: 'resource-exhausted' } }]);
    expect(heard).toEqual([]);
  });
});

describe('whatever a manager says', () => {
  it('ends in a session that is closed once', async () => {
    const words = fc.constantFrom(
      '{"type":"reply","id":1,"error":null}\n',
      '{"type":"closed"}\n',
      '{"type":"ask","question":1,"what":{"type":"tables"},"credit":1}\n',
      '{"type":"cancel","question":1}\n',
      '{"type":"opened"}\n',
      '{"type":"assignment","assignment":{}}\n',
      '{"type":',
      '\n',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(words, fc.string()), { maxLength: 6 }), async (pieces) => {
        const { clock, manager, heard, welcome } = facingNode();
        const session = await welcome();
        const beat = outcomeOf(session.heartbeat());
        for (const piece of pieces) manager.write(piece);
        await clock.flush();
        manager.stream.destroy();
        await clock.advance(60_000);
        expect(heard).toEqual([expect.stringMatching(/^closed: /)]);
        expect(beat()).not.toBe('pending');
      }),
      { numRuns: 60 },
    );
  });
});
