import { describe, expect, it } from '@jest/globals';
import { LOG_TEXT_MAX, SkepError, type LogLine, type LogQuestion } from '@skep/api';
import fc from 'fast-check';
import type { LogQuery, TaskLogs } from './contract.js';
import { taskLines } from './task-lines.js';

const line = (time: number, text: string): LogLine => ({ time, stream: 'stdout', text });

/** Logs that are there, by task; what is asked for is written down. */
class Logs implements TaskLogs {
  readonly queries: LogQuery[] = [];
  readonly #lines: Readonly<Record<string, readonly (LogLine | Error)[]>>;
  /** Lines that were read of each task. */
  readonly reads = new Map<string, number>();

  constructor(lines: Readonly<Record<string, readonly (LogLine | Error)[]>>) {
    this.#lines = lines;
  }

  async *logs(taskId: string, query: LogQuery = {}): AsyncGenerator<LogLine> {
    this.queries.push(query);
    const lines = this.#lines[taskId];
    if (lines === undefined) throw new SkepError('not-found', `no task ${taskId}`);
    for (const one of lines) {
      this.reads.set(taskId, (this.reads.get(taskId) ?? 0) + 1);
      if (one instanceof Error) throw one;
      yield one;
    }
  }
}

async function answers(
  logs: TaskLogs,
  question: Omit<LogQuestion, 'type'>,
  signal = new AbortController().signal,
): Promise<readonly string[]> {
  const told: string[] = [];
  for await (const one of taskLines(logs, { type: 'logs', ...question }, signal)) {
    told.push(
      one.type === 'line' ? `${one.taskId} ${one.time} ${one.text}` : `${one.taskId} ${one.code}`,
    );
  }
  return told;
}

describe('what tasks printed', () => {
  it('comes in the order of the times, and of the question at the same time', async () => {
    const logs = new Logs({
      a: [line(1, 'a1'), line(5, 'a2')],
      b: [line(1, 'b1'), line(3, 'b2')],
    });
    const told = await answers(logs, { taskIds: ['b', 'a'] });
    expect(told).toEqual(['b 1 b1', 'a 1 a1', 'b 3 b2', 'a 5 a2']);
  });

  it('is what the tasks printed, each in its order, whatever they printed', async () => {
    const printed = fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.array(fc.nat(20), { maxLength: 12 }).map((times) => times.sort((x, y) => x - y)),
    );
    await fc.assert(
      fc.asyncProperty(printed, fc.boolean(), async (times, follow) => {
        const lines = Object.fromEntries(
          Object.entries(times).map(([id, all]) => [id, all.map((time, n) => line(time, `${n}`))]),
        );
        const told = await answers(new Logs(lines), { taskIds: Object.keys(times), follow });
        for (const [id, own] of Object.entries(lines)) {
          const wanted = own.map(({ time, text }) => `${id} ${time} ${text}`);
          expect(told.filter((one) => one.startsWith(`${id} `))).toEqual(wanted);
        }
        const order = told.map((one) => Number(one.split(' ')[1]));
        if (!follow) expect(order).toEqual([...order].sort((x, y) => x - y));
      }),
    );
  });

  it.each([false, true])('goes on when a task cannot be read (follow: %s)', async (follow) => {
    const broken = new SkepError('internal', 'disk');
    const logs = new Logs({ a: [line(1, 'a1'), broken], c: [line(2, 'c1')] });
    const told = await answers(logs, { taskIds: ['a', 'b', 'c'], follow });
    expect([...told].sort()).toEqual(['a 1 a1', 'a internal', 'b not-found', 'c 2 c1']);
  });

  it('asks each task once, for what is wanted', async () => {
    const logs = new Logs({ a: [] });
    await answers(logs, { taskIds: ['a', 'a'], tail: 3, since: 7, streams: ['stderr'] });
    expect(logs.queries).toEqual([
      { tail: 3, since: 7, streams: ['stderr'], follow: false, signal: expect.any(AbortSignal) },
    ]);
  });

  it('brings a long line in pieces', async () => {
    const text = 'x'.repeat(2 * LOG_TEXT_MAX + 1);
    const logs = new Logs({ a: [line(1, text), line(2, '')] });
    const told = await answers(logs, { taskIds: ['a'] });
    expect(told.map((one) => one.length - 'a 1 '.length)).toEqual([
      LOG_TEXT_MAX,
      LOG_TEXT_MAX,
      1,
      0,
    ]);
  });

  it.each([false, true])('reads no further than it is read (follow: %s)', async (follow) => {
    const many = Array.from({ length: 100 }, (_, n) => line(n, `${n}`));
    const logs = new Logs({ a: many, b: many });
    const question: LogQuestion = { type: 'logs', taskIds: ['a', 'b'], follow };
    const reader = taskLines(logs, question, new AbortController().signal);
    for (let n = 0; n < 10; n += 1) await reader.next();
    const reads = (logs.reads.get('a') ?? 0) + (logs.reads.get('b') ?? 0);
    expect(reads).toBeLessThanOrEqual(12);
    await reader.return(undefined);
  });

  it('ends when nobody wants it any more, though the tasks go on', async () => {
    const abort = new AbortController();
    const signals: (AbortSignal | undefined)[] = [];
    const endless: TaskLogs = {
      async *logs(taskId, query) {
        signals.push(query?.signal);
        yield line(1, taskId);
        await new Promise(() => undefined);
      },
    };
    const told = answers(endless, { taskIds: ['a', 'b'], follow: true }, abort.signal);
    for (let n = 0; n < 20; n += 1) await Promise.resolve();
    abort.abort();
    expect(await told).toEqual(['a 1 a', 'b 1 b']);
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, true]);
  });

  it('is nothing for a question that nobody asks any more', async () => {
    const logs = new Logs({ a: [line(1, 'a1')] });
    expect(await answers(logs, { taskIds: ['a'], follow: true }, AbortSignal.abort())).toEqual([]);
  });
});
