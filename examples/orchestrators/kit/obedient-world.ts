/**
 * Stands in for scheduler, network and nodes in trials: tasks of the real orchestrator become what
 * they are asked to be, at once and without a node.
 */
import { ACTORS, compareTaskStates, isDeleting, isTerminal } from '@skep/api';
import { Service, Task, withMeta, withStatus } from '@skep/api';
import type { TaskState, Timestamp } from '@skep/api';
import { defineController, noChanges, remove, update } from '@skep/controller';
import type { ControllerDefinition, Plan } from '@skep/controller';
import { orchestratorController } from '@skep/orchestrator';

/** How the world behaves. */
export interface WorldOptions {
  /** Time from the creation of a job's task to its end. Default: a minute. */
  readonly jobMs?: number;
  /** Images whose containers fail as soon as they run. */
  readonly bad?: readonly string[];
}

/** The orchestrator, and two controllers that do for the rest of a cluster. */
export function obedientWorld(options: WorldOptions = {}): readonly ControllerDefinition[] {
  const { jobMs = 60_000, bad = [] } = options;
  const nodes = defineController({
    name: 'nodes',
    actor: ACTORS.dispatcher,
    for: Task,
    plan: (view, id, now) => {
      const task = view.get(Task, id);
      if (task === undefined) return noChanges;
      const image = task.spec.template.container?.image ?? '';
      return planTask(task, { now, jobMs, isBad: bad.includes(image) });
    },
  });
  const addresses = defineController({
    name: 'addresses',
    actor: ACTORS.allocator,
    for: Service,
    plan: (view, id) => {
      const service = view.get(Service, id);
      const finalizers = service?.meta.finalizers ?? [];
      const isLast = finalizers.length === 1 && finalizers[0] === ACTORS.allocator;
      if (service === undefined || !isDeleting(service) || !isLast) return noChanges;
      return { changes: [update(withMeta(service, { finalizers: [] }))] };
    },
  });
  return [orchestratorController(), nodes, addresses];
}

interface TaskFacts {
  readonly now: Timestamp;
  readonly jobMs: number;
  readonly isBad: boolean;
}

function planTask(task: Task, { now, jobMs, isBad }: TaskFacts): Plan {
  const { desiredState } = task.spec;
  const { state } = task.status;
  if (isTerminal(state)) return { changes: desiredState === 'remove' ? [remove(task)] : [] };
  switch (desiredState) {
    case 'ready':
      return become(task, 'ready', now);
    case 'running':
      return become(task, isBad ? 'failed' : 'running', now);
    case 'complete': {
      const endsAt = task.meta.createdAt + jobMs;
      if (now >= endsAt) return become(task, isBad ? 'failed' : 'complete', now);
      return { ...become(task, 'running', now), requeueAt: endsAt };
    }
    case 'shutdown':
    case 'remove':
      return become(task, 'shutdown', now);
  }
}

function become(task: Task, state: TaskState, now: Timestamp): Plan {
  if (compareTaskStates(task.status.state, state) >= 0) return noChanges;
  const times = { appliedAt: now };
  const runningAt = state === 'running' ? { runningAt: now } : {};
  const status = { ...task.status, state, message: state, ...times, ...runningAt };
  return { changes: [update(withStatus(task, status))] };
}
