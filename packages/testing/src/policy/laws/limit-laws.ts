/**
 * Laws about what a placement may not do.
 */
import {
  isSkepError,
  matchesConstraints,
  normalArchitecture,
  parseConstraints,
  type Platform,
  type Task,
} from '@skep/api';
import type { NodeInfo } from '@skep/scheduler';
import { nameOf } from '../build/service.js';
import { capacityFaults } from '../capacity.js';
import { placeCluster } from '../place.js';
import type { PolicyLaw } from './law.js';

/** No node is given more than it has. */
export const capacityLaw: PolicyLaw = {
  name: 'capacity',
  statement:
    'no node holds more than it has of cpu, memory, generic resources, devices, host ports and ' +
    'replicas of a service',
  check: ({ policy, cluster }) => capacityFaults(placeCluster(policy, cluster))[0],
};

/** A task goes where it can run, and where it said that it wants to be. */
export const demandsLaw: PolicyLaw = {
  name: 'demands',
  statement: 'tasks go to nodes that are ready and active and satisfy constraints and platforms',
  check: ({ policy, cluster }) => {
    const { placements, state } = placeCluster(policy, cluster);
    for (const { task, nodeId } of placements) {
      const node = state.node(nodeId);
      const fault = node === undefined ? `${nodeId} is not there` : unmet(task, node);
      if (fault !== undefined) return `${nameOf(task)} went to ${node?.name ?? nodeId}: ${fault}`;
    }
    return undefined;
  },
};

function unmet({ spec }: Task, { node, facts }: NodeInfo): string | undefined {
  if (node.status.state !== 'ready') return `it is ${node.status.state}`;
  if (node.spec.availability !== 'active') return `its availability is ${node.spec.availability}`;
  const { constraints = [], platforms = [] } = spec.template.placement ?? {};
  if (!isSatisfied(constraints, facts)) return `it does not satisfy ${constraints.join(', ')}`;
  const platform = node.status.description?.platform;
  if (platforms.length === 0 || platform === undefined) return undefined;
  return platforms.some((wanted) => isPlatform(wanted, platform))
    ? undefined
    : `it is ${platform.os}/${platform.architecture}`;
}

function isSatisfied(constraints: readonly string[], facts: NodeInfo['facts']): boolean {
  try {
    return matchesConstraints(parseConstraints(constraints), facts);
  } catch (thrown) {
    // What does not parse holds for no node.
    if (isSkepError(thrown, 'invalid-argument')) return false;
    throw thrown;
  }
}

function isPlatform(wanted: Platform, has: Platform): boolean {
  const isSame = (a: string, b: string): boolean => a === '' || a === b;
  return (
    isSame(wanted.os.toLowerCase(), has.os.toLowerCase()) &&
    isSame(normalArchitecture(wanted.architecture), normalArchitecture(has.architecture))
  );
}
