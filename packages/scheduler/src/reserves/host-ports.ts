/**
 * Numbers for host-mode ports that name none.
 */
import type { PortProtocol, ReservedPort, Task } from '@skep/api';
import type { NodeInfo } from '../node-info.js';
import type { Filter, PreparedFilter, PreparedReserve, Reserve } from '../policy.js';
import { hostPortKey } from '../task-claim.js';
import { onNodes } from '../filters/wording.js';

/** The numbers to choose from. */
export interface HostPortOptions {
  /** Default: 32768. */
  readonly first?: number;
  /** Default: 60999. */
  readonly last?: number;
}

/** A filter and a reserve that belong together. */
export interface HostPortPlugins {
  readonly filter: Filter;
  readonly reserve: Reserve;
}

/**
 * Gives every host-mode port without a number the lowest that is free on the node; the filter
 * refuses nodes where there are not enough. Without it the node itself chooses, and the scheduler
 * does not know.
 * **Source:** the range is Linux' `net.ipv4.ip_local_port_range`.
 */
export function hostPortPlugins(options: HostPortOptions = {}): HostPortPlugins {
  const range = { first: options.first ?? 32_768, last: options.last ?? 60_999 };
  return {
    filter: Object.freeze({
      name: 'dynamic-host-port',
      prepare: ({ tasks, requirements }): PreparedFilter | undefined => {
        const wanted = portsOf(tasks[0]);
        if (wanted.length === 0) return undefined;
        const needed = wanted.length;
        const find = (node: NodeInfo): number =>
          chosenPorts(node, wanted, { ...range, taken: requirements.hostPorts }).length;
        return {
          key: JSON.stringify([wanted, requirements.hostPorts, range]),
          passes: (node) => find(node) === needed,
          check: (node) => {
            const available = find(node);
            return available === needed ? undefined : [{ what: 'host ports', needed, available }];
          },
        };
      },
      describe: (nodes) => `no free host port on ${onNodes(nodes)}`,
    } satisfies Filter),
    reserve: Object.freeze({
      name: 'host-ports',
      prepare: ({ group: { tasks, requirements } }): PreparedReserve | undefined => {
        const wanted = portsOf(tasks[0]);
        if (wanted.length === 0) return undefined;
        const taken = requirements.hostPorts;
        return { choose: (node) => ({ ports: chosenPorts(node, wanted, { ...range, taken }) }) };
      },
    } satisfies Reserve),
  };
}

interface WantedPort {
  readonly protocol: PortProtocol;
  readonly targetPort: number;
}

function portsOf(task: Task | undefined): readonly WantedPort[] {
  return (task?.spec.endpoint?.ports ?? []).flatMap((port): readonly WantedPort[] =>
    port.publishMode === 'host' && !port.publishedPort
      ? [{ protocol: port.protocol ?? 'tcp', targetPort: port.targetPort }]
      : [],
  );
}

/** As many as can be had. */
function chosenPorts(
  node: NodeInfo,
  wanted: readonly WantedPort[],
  from: { readonly first: number; readonly last: number; readonly taken: readonly string[] },
): readonly ReservedPort[] {
  const taken = new Set(from.taken);
  const chosen: ReservedPort[] = [];
  for (const { protocol, targetPort } of wanted) {
    for (let number = from.first; number <= from.last; number += 1) {
      const port = { protocol, targetPort, publishedPort: number };
      const key = hostPortKey(port);
      if (taken.has(key) || node.hostPortUses(key) > 0) continue;
      taken.add(key);
      chosen.push(port);
      break;
    }
  }
  return chosen;
}
