import { describe, expect, it } from '@jest/globals';
import {
  Task,
  newObject,
  type RestartHistory,
  type RestartPolicy,
  type TaskState,
} from '@skep/api';
import { nextRestarts, shouldRestart } from './restart-policy.js';

function task(
  restartPolicy: RestartPolicy,
  state: TaskState,
  more: { restarts?: RestartHistory; at?: number } = {},
): Task {
  return newObject(Task, {
    id: 't',
    spec: {
      serviceId: 'svc',
      serviceName: 'svc',
      slot: 1,
      specVersion: 3,
      desiredState: 'running',
      template: { restartPolicy },
      cause: 'scale',
      ...(more.restarts ? { restarts: more.restarts } : {}),
    },
    status: { state, timestamp: 0, appliedAt: more.at ?? 0, message: '' },
  });
}

describe('shouldRestart', () => {
  it.each<[RestartPolicy, TaskState, boolean, boolean]>([
    [{}, 'complete', true, false],
    [{}, 'failed', true, true],
    [{ condition: 'any' }, 'shutdown', true, true],
    [{ condition: 'on-failure' }, 'complete', false, false],
    [{ condition: 'on-failure' }, 'failed', true, true],
    [{ condition: 'on-failure' }, 'running', true, true],
    [{ condition: 'none' }, 'failed', false, false],
    [{ condition: 'none' }, 'running', false, false],
  ])('%j after %s: %s for a service, %s for a job', (policy, state, service, job) => {
    expect(shouldRestart(task(policy, state), { isJob: false, now: 0 })).toBe(service);
    expect(shouldRestart(task(policy, state), { isJob: true, now: 0 })).toBe(job);
  });

  it.each<[number, number, boolean]>([
    [0, 5, true],
    [1, 0, true],
    [1, 1, false],
    [3, 2, true],
    [3, 3, false],
  ])('with at most %i attempts after %i restarts: %s', (maxAttempts, count, expected) => {
    const restarts = { count, times: [] };
    const ended = task({ maxAttempts }, 'failed', { restarts });
    expect(shouldRestart(ended, { isJob: false, now: 0 })).toBe(expected);
  });

  it('counts only attempts inside the window before the end', () => {
    const policy = { maxAttempts: 1, windowMs: 500 };
    const restarts = { count: 1, times: [1000] };
    const at = (end: number): boolean =>
      shouldRestart(task(policy, 'failed', { restarts, at: end }), { isJob: false, now: 9e9 });
    expect(at(1000)).toBe(false);
    expect(at(1499)).toBe(false);
    expect(at(1500)).toBe(true);
    expect(at(999)).toBe(true);
  });

  it('looks at the window before now for a task that has not ended', () => {
    const policy = { maxAttempts: 1, windowMs: 500 };
    const running = task(policy, 'running', { restarts: { count: 1, times: [1000] }, at: 1001 });
    expect(shouldRestart(running, { isJob: false, now: 1100 })).toBe(false);
    expect(shouldRestart(running, { isJob: false, now: 5000 })).toBe(true);
  });
});

describe('nextRestarts', () => {
  const template = { restartPolicy: { maxAttempts: 2, windowMs: 100 } };
  const old = task({}, 'failed', { restarts: { count: 4, times: [10, 950, 960, 970] } });

  it('counts on within a generation and keeps a bounded list of times', () => {
    expect(nextRestarts(old, { specVersion: 3, template, now: 1000 })).toEqual({
      count: 5,
      times: [960, 970, 1000],
    });
  });

  it('starts afresh with a new generation', () => {
    expect(nextRestarts(old, { specVersion: 4, template, now: 1000 })).toEqual({
      count: 1,
      times: [1000],
    });
  });

  it('keeps no times where no window asks for them', () => {
    const plain = nextRestarts(old, { specVersion: 3, template: {}, now: 1000 });
    expect(plain).toEqual({ count: 5, times: [] });
  });
});
