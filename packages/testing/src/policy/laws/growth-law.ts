/**
 * The law about more room.
 */
import type { Task } from '@skep/api';
import { placeCluster } from '../place.js';
import type { PolicyLaw } from './law.js';

/**
 * With one more node at least as many tasks of a service find a place. Each service is tried alone,
 * besides what runs: of several, one that takes the new room may leave less elsewhere for another
 * (Graham's anomaly), which is no fault.
 */
export const moreNodesLaw: PolicyLaw = {
  name: 'more-nodes',
  statement: 'a node more leaves no task of a service without a place that it had before',
  check: ({ policy, cluster, extra }) => {
    const nodes = [...cluster.nodes, extra];
    for (const [name, tasks] of byService(cluster.tasks)) {
      const before = placeCluster(policy, { ...cluster, tasks }).placements.length;
      const after = placeCluster(policy, { ...cluster, tasks, nodes }).placements.length;
      if (after >= before) continue;
      return `${before} tasks of ${name} have a place, and ${after} with ${extra.meta.name} more`;
    }
    return undefined;
  },
};

function byService(tasks: readonly Task[]): ReadonlyMap<string, readonly Task[]> {
  const services = new Map<string, Task[]>();
  for (const task of tasks) {
    const { serviceId = `task ${task.meta.id}`, specVersion = 0 } = task.spec;
    const key = `${serviceId}${specVersion > 1 ? ` version ${specVersion}` : ''}`;
    services.set(key, [...(services.get(key) ?? []), task]);
  }
  return services;
}
