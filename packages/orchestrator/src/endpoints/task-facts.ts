/**
 * Facts about a task that both the endpoints loop and the dispatcher decide by.
 */
import { TASK_STATE_RANK, isTerminal, type Task, type TaskNetwork } from '@skep/api';

/**
 * Whether the task was asked to end. A job's task, whose desired state is `complete`, is not: it is
 * wanted until it ends by itself.
 */
export function isAskedToEnd(task: Task): boolean {
  return TASK_STATE_RANK[task.spec.desiredState] > TASK_STATE_RANK.complete;
}

/** Whether no new connection should reach the task: it has ended, or was asked to. */
export function isLeaving(task: Task): boolean {
  return isTerminal(task.status.state) || isAskedToEnd(task);
}

const NO_NETWORKS: readonly TaskNetwork[] = Object.freeze([] as TaskNetwork[]);

/** Attachments through which tables can route to the task: those with an address of its own. */
export function routedNetworks(task: Task): readonly TaskNetwork[] {
  const networks = task.status.networks;
  if (networks === undefined || networks.length === 0) return NO_NETWORKS;
  return networks.filter((network) => network.addresses.length > 0);
}
