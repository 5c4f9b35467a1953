/**
 * Tasks of which nothing is known but that a runtime has them: what an earlier agent left behind.
 */
import type { AssignedTask, TaskId } from '@skep/api';
import type { TaskContext, TaskRuntime } from './contract.js';

const NO_FILES: TaskContext = { secrets: new Map(), configs: new Map(), node: undefined };

/** The task as far as it is known: that it is to go. */
export function leftoverTask(id: TaskId): AssignedTask {
  return {
    id,
    name: id,
    serviceName: '',
    serviceLabels: {},
    slot: 0,
    desiredState: 'remove',
    template: {},
    networks: [],
    ports: [],
    genericResources: [],
    volumes: [],
    isDrained: true,
    knownState: 'shutdown',
  };
}

/**
 * Removes a task that a runtime names in {@link TaskRuntime.known}, where no agent does.
 * @throws what `TaskHandle.remove` rejects with.
 */
export function removeLeftover(runtime: TaskRuntime, id: TaskId): Promise<void> {
  return runtime.task(leftoverTask(id), NO_FILES).remove();
}
