/**
 * Questions from manager to node, over any link.
 */
import { SkepError, type NodeAnswer } from '@skep/api';
import type { TestFramework } from '../conformance.js';
import { Heard, largeAssignment, line, refusalOf, type WithScene } from './link-actors.js';

/** Answers that may be under way, but not read, on any link. */
const UNREAD_ANSWERS_MAX = 128;

/** What is asked of a node, and how it answers. */
export function questions({ it, expect }: TestFramework, withScene: WithScene): void {
  it(
    'puts a question, and brings its answers in order',
    withScene(async ({ manager, settle, open }) => {
      const asked: unknown[] = [];
      await open(async function* (question) {
        asked.push(question);
        for (let n = 0; n < 300; n += 1) yield line(`line ${n}`);
      });
      const answers = manager.ask();
      for (let n = 0; n < 300; n += 1) {
        expect(await settle(answers.next())).toEqual({ done: false, value: line(`line ${n}`) });
      }
      expect((await settle(answers.next())).done).toBe(true);
      expect(asked).toEqual([{ type: 'logs', taskIds: ['t1'] }]);
    }),
  );

  it(
    'brings tables of any size, whole',
    withScene(async ({ manager, settle, open }) => {
      const answer = { type: 'tables', appliedRevision: 7, assignment: largeAssignment() } as const;
      await open(async function* () {
        yield answer;
      });
      const answers = manager.ask();
      expect((await settle(answers.next())).value).toEqual(answer);
      expect((await settle(answers.next())).done).toBe(true);
    }),
  );

  it(
    'passes on what an answer ends with, after what came before',
    withScene(async ({ manager, settle, open }) => {
      await open(async function* () {
        yield line('one');
        throw new SkepError('not-found', 'no such task', { details: { taskId: 't1' } });
      });
      const answers = manager.ask();
      expect((await settle(answers.next())).value).toEqual(line('one'));
      const refusal = await settle(refusalOf(answers.next()));
      expect(refusal).toBe('not-found no such task {"taskId":"t1"}');
      expect((await settle(answers.next())).done).toBe(true);
    }),
  );

  it(
    'does not read a node further than a reader can follow',
    withScene(async ({ manager, settle, open }) => {
      let produced = 0;
      const { session } = await open(async function* () {
        for (;;) {
          produced += 1;
          yield line('x'.repeat(10_000));
        }
      });
      const answers = manager.ask();
      for (let read = 1; read <= 200; read += 1) {
        await settle(answers.next());
        expect(produced <= read + UNREAD_ANSWERS_MAX).toBe(true);
      }
      // What is under way arrives; then nothing moves while nobody reads.
      for (let n = 0; n < 10; n += 1) await settle(session.heartbeat());
      const before = produced;
      for (let n = 0; n < 10; n += 1) await settle(session.heartbeat());
      expect(produced).toBe(before);
      await settle(answers.return?.() ?? Promise.resolve(undefined));
    }),
  );

  it(
    'keeps questions apart, whoever reads first',
    withScene(async ({ manager, settle, open }) => {
      let asked = 0;
      await open(async function* () {
        const name = (asked += 1);
        for (let n = 0; n < 100; n += 1) yield line(`${name}.${n}`);
      });
      const readers = [manager.ask(), manager.ask()];
      for (const n of [0, 1, 2, 99].keys()) {
        for (const [index, reader] of readers.entries()) {
          expect((await settle(reader.next())).value).toEqual(line(`${index + 1}.${n}`));
        }
      }
    }),
  );

  it(
    'shows a node that answers nothing as one',
    withScene(async ({ manager, open }) => {
      await open();
      expect(manager.node().ask).toBe(undefined);
    }),
  );
}

/** Askers that leave. */
export function cancellations({ it, expect }: TestFramework, withScene: WithScene): void {
  it(
    'tells the node when the reader leaves, and drops what comes later',
    withScene(async ({ manager, settle, open }) => {
      const ended = new Heard<boolean>();
      let asked = 0;
      const { session } = await open(async function* (_question, signal) {
        const name = (asked += 1);
        try {
          // It goes on regardless, as a source that cannot be interrupted does.
          for (let n = 0; name === 1 || n < 3; n += 1) yield line(`${name}.${n}`);
        } finally {
          ended.add(signal.aborted);
        }
      });
      const abort = new AbortController();
      const answers = manager.ask(abort.signal);
      expect((await settle(answers.next())).value).toEqual(line('1.0'));
      await leave(abort, answers);
      await settle(ended.atLeast(1));
      expect(ended.items).toEqual([true]);
      const other = manager.ask();
      for (const n of [0, 1, 2]) {
        expect((await settle(other.next())).value).toEqual(line(`2.${n}`));
      }
      expect((await settle(other.next())).done).toBe(true);
      expect(await settle(session.heartbeat())).toEqual({ periodMs: 4_321 });
    }),
  );

  it(
    'lets the reader leave while the node is silent',
    withScene(async ({ manager, settle, open }) => {
      const begun = new Heard<string>();
      await open(async function* (_question, signal) {
        begun.add('begun');
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        begun.add('aborted');
        yield* [];
      });
      const abort = new AbortController();
      const answers = manager.ask(abort.signal);
      const pending = answers.next();
      await settle(begun.atLeast(1));
      const left = leave(abort, answers);
      await settle(begun.atLeast(2));
      expect((await settle(pending)).done).toBe(true);
      await settle(left);
    }),
  );
}

/** As a manager does: the signal first, then the iterator, which need not answer. */
async function leave(abort: AbortController, answers: AsyncIterator<NodeAnswer>): Promise<void> {
  abort.abort();
  await answers.return?.();
}
