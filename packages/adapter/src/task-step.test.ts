import { describe, expect, it } from '@jest/globals';
import type { DesiredTaskState, TaskState } from '@skep/api';
import { isSameStep, nextTaskStep } from './task-step.js';

function next(observed: TaskState, desired: DesiredTaskState, isDrained = true): string {
  const step = nextTaskStep({ observed, desired, isDrained, stopBy: 100, now: 0 });
  return step.type === 'advance' ? step.to : step.type;
}

describe('nextTaskStep', () => {
  it.each<[TaskState, DesiredTaskState, string]>([
    ['assigned', 'ready', 'accepted'],
    ['accepted', 'ready', 'preparing'],
    ['preparing', 'ready', 'prepare'],
    ['ready', 'ready', 'idle'],
    ['ready', 'running', 'starting'],
    ['starting', 'running', 'start'],
    ['starting', 'ready', 'idle'],
    ['running', 'running', 'wait'],
    ['running', 'complete', 'wait'],
    ['running', 'ready', 'idle'],
    ['complete', 'running', 'idle'],
    ['failed', 'running', 'idle'],
    ['assigned', 'shutdown', 'shutdown'],
    ['preparing', 'shutdown', 'shutdown'],
    ['starting', 'remove', 'shutdown'],
    ['running', 'shutdown', 'shutdown'],
    ['complete', 'shutdown', 'idle'],
    ['rejected', 'remove', 'idle'],
  ])('%s, wanted %s: %s', (observed, desired, expected) => {
    expect(next(observed, desired)).toBe(expected);
  });

  it('keeps a running task that tables still route to, until its time is over', () => {
    const input = {
      observed: 'running',
      desired: 'shutdown',
      isDrained: false,
      stopBy: 100,
    } as const;
    expect(nextTaskStep({ ...input, now: 99 })).toEqual({ type: 'wait', until: 100 });
    expect(nextTaskStep({ ...input, now: 100 })).toEqual({ type: 'shutdown' });
  });

  it('stops a task that never served without waiting for tables', () => {
    expect(next('starting', 'shutdown', false)).toBe('shutdown');
  });

  it('tells the same work from other work', () => {
    expect(isSameStep({ type: 'wait' }, { type: 'wait', until: 5 })).toBe(true);
    expect(isSameStep({ type: 'wait' }, { type: 'shutdown' })).toBe(false);
    expect(
      isSameStep({ type: 'advance', to: 'accepted' }, { type: 'advance', to: 'preparing' }),
    ).toBe(false);
  });
});
