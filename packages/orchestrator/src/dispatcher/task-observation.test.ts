import { describe, expect, it } from '@jest/globals';
import {
  TASK_STATES,
  Task,
  compareTaskStates,
  newObject,
  type TaskReport,
  type TaskState,
  type TaskStatus,
} from '@skep/api';
import { mergeObservations, observationOf, observedStatus } from './task-observation.js';

const report = (state: TaskState, more: Partial<TaskReport> = {}): TaskReport => ({
  taskId: 't',
  state,
  timestamp: 10,
  message: state,
  ...more,
});

const task = (status: Partial<TaskStatus>): Task =>
  newObject(Task, {
    id: 't',
    spec: {
      serviceName: '',
      slot: 1,
      desiredState: 'running',
      template: {},
      cause: 'scale',
    },
    status: { state: 'assigned', timestamp: 1, appliedAt: 2, message: '', nodeId: 'n', ...status },
  });

describe('observedStatus', () => {
  it('takes higher states, and ignores lower ones', () => {
    for (const known of TASK_STATES) {
      for (const seen of TASK_STATES) {
        const next = observedStatus(
          task({ state: known, message: known }),
          observationOf(report(seen), 50),
        );
        const isHigher = compareTaskStates(seen, known) > 0;
        const isNews = isHigher || (seen === 'running' && known === 'running');
        expect([known, seen, next !== undefined]).toEqual([known, seen, isNews]);
        if (isHigher) expect(next).toMatchObject({ state: seen, timestamp: 10, appliedAt: 50 });
      }
    }
  });

  it('says when running was first seen, once', () => {
    const first = observedStatus(task({}), observationOf(report('running'), 50));
    expect(first?.runningAt).toBe(50);
    const again = observationOf(report('running', { message: 'healthy' }), 60);
    const second = observedStatus(task(first ?? {}), again);
    expect(second).toMatchObject({ runningAt: 50, message: 'healthy', appliedAt: 50 });
    const ended = observedStatus(task(second ?? {}), observationOf(report('failed'), 70));
    expect(ended).toMatchObject({ state: 'failed', runningAt: 50, appliedAt: 70 });
  });

  it('writes nothing for what is known: a node repeats everything when it comes back', () => {
    const container = { containerId: 'c', pid: 7 };
    const seen = observationOf(report('running', { container }), 50);
    const known = observedStatus(task({}), seen);
    const later = observationOf(report('running', { container, timestamp: 99 }), 99);
    expect(observedStatus(task(known ?? {}), later)).toBeUndefined();
  });

  it.each<[string, Partial<TaskStatus>, Partial<TaskReport>, Partial<TaskStatus>]>([
    [
      'adds the exit code to what is known of the container',
      { container: { containerId: 'c', pid: 7 } },
      { container: { exitCode: 3 } },
      { container: { containerId: 'c', pid: 7, exitCode: 3 } },
    ],
    ['drops an error that is over', { error: 'no image' }, {}, {}],
    ['keeps an error that is there', {}, { error: 'unhealthy' }, { error: 'unhealthy' }],
    ['keeps what other loops wrote', { drainedAt: 5 }, {}, { drainedAt: 5 }],
  ])('%s', (_, known, seen, expected) => {
    const next = observedStatus(task(known), observationOf(report('failed', seen), 50));
    expect(next).toEqual({
      state: 'failed',
      timestamp: 10,
      appliedAt: 50,
      message: 'failed',
      nodeId: 'n',
      ...expected,
    });
  });
});

describe('mergeObservations', () => {
  it('keeps the higher state, and that it ran in between', () => {
    const running = observationOf(report('running', { container: { containerId: 'c' } }), 50);
    const failed = observationOf(report('failed', { container: { exitCode: 1 } }), 60);
    const expected = {
      report: report('failed', { container: { containerId: 'c', exitCode: 1 } }),
      noticedAt: 60,
      runningAt: 50,
    };
    expect(mergeObservations(running, failed)).toEqual(expected);
    expect(mergeObservations(failed, running)).toMatchObject({ noticedAt: 60, runningAt: 50 });
  });

  it('takes the newer facts of one state, and when it was first noticed', () => {
    const early = observationOf(report('preparing', { message: 'pulling' }), 50);
    const late = observationOf(report('preparing', { message: 'retrying', error: 'no route' }), 60);
    expect(mergeObservations(early, late)).toEqual({
      report: report('preparing', { message: 'retrying', error: 'no route' }),
      noticedAt: 50,
    });
  });
});
