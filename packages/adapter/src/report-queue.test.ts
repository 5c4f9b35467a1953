import { describe, expect, it } from '@jest/globals';
import { SkepError, type TaskReport, type TaskState } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { byHand } from './__fixtures__/fakes.js';
import { ReportQueue } from './report-queue.js';

function report(taskId: string, state: TaskState = 'running'): TaskReport {
  return { taskId, state, timestamp: 0, message: state };
}

function setUp() {
  const clock = new VirtualClock();
  const batches: string[][] = [];
  /** What the next calls answer; afterwards: true. */
  const answers: (() => Promise<boolean>)[] = [];
  const queue = new ReportQueue({
    clock,
    send: (reports) => {
      batches.push(reports.map(({ taskId, state }) => `${taskId} ${state}`));
      return answers.shift()?.() ?? Promise.resolve(true);
    },
  });
  return { clock, batches, answers, queue };
}

describe('ReportQueue', () => {
  it('sends everything of one turn together, only the newest of each task', async () => {
    const { clock, batches, queue } = setUp();
    queue.add(report('t1', 'starting'));
    queue.add(report('t2'));
    queue.add(report('t1', 'running'));
    await clock.flush();
    expect(batches).toEqual([['t2 running', 't1 running']]);
  });

  it('sends at most 1024 in one call', async () => {
    const { clock, batches, queue } = setUp();
    for (let n = 0; n < 2_500; n += 1) queue.add(report(`t${n}`));
    await clock.flush();
    expect(batches.map((batch) => batch.length)).toEqual([1_024, 1_024, 452]);
    expect(new Set(batches.flat()).size).toBe(2_500);
  });

  it.each<[string, () => Promise<boolean>]>([
    ['there is no session', () => Promise.resolve(false)],
    ['the call fails', () => Promise.reject(new SkepError('unavailable', 'away'))],
  ])('keeps what did not arrive when %s, and sends it with the next', async (_why, answer) => {
    const { clock, batches, answers, queue } = setUp();
    answers.push(answer);
    queue.add(report('t1'));
    await clock.flush();
    queue.add(report('t2'));
    await clock.flush();
    expect(batches).toEqual([['t1 running'], ['t1 running', 't2 running']]);
  });

  it('sends a report that came during a call, and not again what that call carried', async () => {
    const { clock, batches, answers, queue } = setUp();
    const call = byHand<boolean>();
    answers.push(() => call.promise);
    queue.add(report('t1', 'starting'));
    queue.add(report('t2'));
    await clock.flush();
    queue.add(report('t1', 'running'));
    await clock.flush();
    call.resolve(true);
    await clock.flush();
    expect(batches).toEqual([['t1 starting', 't2 running'], ['t1 running']]);
  });

  it('does not wait on a new session for a call of the old one', async () => {
    const { clock, batches, answers, queue } = setUp();
    const old = byHand<boolean>();
    answers.push(() => old.promise);
    queue.add(report('t1'));
    await clock.flush();
    queue.resend([report('t2')]);
    await clock.flush();
    expect(batches.at(-1)).toEqual(['t1 running', 't2 running']);
    old.resolve(false);
    queue.add(report('t3'));
    await clock.flush();
    expect(batches).toHaveLength(3);
    expect(batches.at(-1)).toEqual(['t3 running']);
  });

  it('does not take what the old session took as arrived: its manager may be gone', async () => {
    const { clock, batches, answers, queue } = setUp();
    const [old, fresh] = [byHand<boolean>(), byHand<boolean>()];
    answers.push(
      () => old.promise,
      () => fresh.promise,
    );
    queue.add(report('t1'));
    await clock.flush();
    queue.resend([]);
    await clock.flush();
    old.resolve(true);
    await clock.flush();
    fresh.resolve(false);
    queue.add(report('t2'));
    await clock.flush();
    expect(batches.at(-1)).toEqual(['t1 running', 't2 running']);
  });

  it('forgets a task that nobody waits for', async () => {
    const { clock, batches, answers, queue } = setUp();
    answers.push(() => Promise.resolve(false));
    queue.add(report('t1'));
    await clock.flush();
    queue.forget('t1');
    queue.add(report('t2'));
    await clock.flush();
    expect(batches).toEqual([['t1 running'], ['t2 running']]);
  });

  it('sends nothing once it is stopped, not even what was about to go', async () => {
    const { clock, batches, answers, queue } = setUp();
    const call = byHand<boolean>();
    answers.push(() => call.promise);
    queue.add(report('t1'));
    await clock.flush();
    queue.add(report('t2'));
    queue.stop();
    call.resolve(true);
    queue.add(report('t3'));
    queue.resend([report('t4')]);
    await clock.flush();
    expect(batches).toEqual([['t1 running']]);
  });
});
