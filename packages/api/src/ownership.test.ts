import { describe, expect, it } from '@jest/globals';
import { newObject, withSpec, withStatus } from './kind.js';
import { ownershipFault } from './ownership.js';
import { Task } from './task.js';
import type { TaskState } from './task-state.js';

const TASK: Task = newObject(Task, {
  id: 't1',
  spec: { serviceName: 'web', slot: 1, desiredState: 'running', template: {}, cause: 'scale' },
});

function move(actor: string, from: TaskState, to: TaskState): string | undefined {
  const before = withStatus(TASK, { ...TASK.status, state: from });
  return ownershipFault({
    actor,
    before,
    after: withStatus(before, { ...before.status, state: to }),
  });
}

describe('ownershipFault', () => {
  it.each<[string, TaskState, TaskState]>([
    ['allocator', 'new', 'pending'],
    ['scheduler', 'pending', 'assigned'],
    ['scheduler', 'pending', 'shutdown'],
    ['dispatcher', 'assigned', 'running'],
    ['dispatcher', 'running', 'failed'],
    ['dispatcher', 'running', 'orphaned'],
    ['constraint-enforcer', 'running', 'rejected'],
  ])('lets %s move a task from %s to %s', (actor, from, to) => {
    expect(move(actor, from, to)).toBeUndefined();
  });

  it.each<[string, TaskState, TaskState]>([
    ['scheduler', 'new', 'pending'],
    ['allocator', 'pending', 'assigned'],
    ['orchestrator', 'assigned', 'running'],
    ['endpoints', 'running', 'failed'],
    ['dispatcher', 'running', 'starting'],
  ])('does not let %s move a task from %s to %s', (actor, from, to) => {
    expect(move(actor, from, to)).toContain(actor);
  });

  it('keeps the spec of a task from everybody but the orchestrator and the user', () => {
    const after = withSpec(TASK, { ...TASK.spec, desiredState: 'shutdown' });
    expect(ownershipFault({ actor: 'orchestrator', before: TASK, after })).toBeUndefined();
    expect(ownershipFault({ actor: 'scheduler', before: TASK, after })).toContain('spec');
  });

  it('says nothing of a creation or of a kind it does not know', () => {
    expect(ownershipFault({ actor: 'x', before: undefined, after: TASK })).toBeUndefined();
    const custom = { ...TASK, kind: 'CronJob' };
    expect(ownershipFault({ actor: 'x', before: custom, after: custom })).toBeUndefined();
  });
});
