/**
 * Nodes on which the host-mode ports of the task are free.
 *
 * **Source:** SwarmKit manager/scheduler/filter.go, HostPortFilter; ports are counters (defect 17).
 */
import type { Filter, Lack, PreparedFilter } from '../policy.js';
import type { NodeInfo } from '../node-info.js';
import { onNodes } from './wording.js';

/** Refuses nodes where a task holds the port. Active with fixed host-mode ports. */
export const hostPortFilter: Filter = Object.freeze({
  name: 'host-port',
  prepare: ({ requirements: { hostPorts } }): PreparedFilter | undefined => {
    if (hostPorts.length === 0) return undefined;
    return { key: hostPorts.join(' '), check: (node) => check(node, hostPorts) };
  },
  describe: (nodes) => `host-mode port already in use on ${onNodes(nodes)}`,
} satisfies Filter);

function check(node: NodeInfo, ports: readonly string[]): readonly Lack[] | undefined {
  let lacks: Lack[] | undefined;
  for (const port of ports) {
    if (node.hostPortUses(port) === 0) continue;
    lacks ??= [];
    lacks.push({ what: `host port ${port}`, needed: 'free', available: 'in use' });
  }
  return lacks;
}
