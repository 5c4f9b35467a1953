/**
 * Tasks for tests of the runtimes.
 */
import type { AssignedTask, ContainerSpec } from '@skep/api';
import type { TaskContext } from '@skep/adapter';

/** Nothing but the task. */
export const CONTEXT: TaskContext = { secrets: new Map(), configs: new Map(), node: undefined };

/** A task with this container. */
export function taskOf(
  id: string,
  container: Partial<ContainerSpec>,
  change: Partial<AssignedTask> = {},
): AssignedTask {
  return {
    id,
    name: `web.1.${id}`,
    serviceId: 's1',
    serviceName: 'web',
    serviceLabels: { tier: 'front' },
    slot: 1,
    desiredState: 'running',
    template: { container: { image: 'web', ...container } },
    networks: [],
    ports: [],
    genericResources: [],
    volumes: [],
    isDrained: false,
    knownState: 'assigned',
    ...change,
  };
}

/** A task that runs a line of shell. */
export function shellTask(
  id: string,
  line: string,
  container: Partial<ContainerSpec> = {},
  change: Partial<AssignedTask> = {},
): AssignedTask {
  return taskOf(id, { command: ['/bin/sh', '-c', line], ...container }, change);
}

/** A signal that never fires. */
export const never = (): AbortSignal => new AbortController().signal;
