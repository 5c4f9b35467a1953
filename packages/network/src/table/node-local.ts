/**
 * What a node decides by itself: firewall marks, addresses on its gateway bridge, numbers of bridge
 * ports, host ports that nobody named. Kept as a value, so that tables stay a function of it and of
 * the assignment, and so that a restarted agent goes on with the same numbers.
 *
 * **Source:** moby daemon/libnetwork (fwmark counter from 256, docker_gwbridge).
 */
import type { AllocatedPort, TaskId } from '@skep/api';
import { formatIp } from '../ipam/ip-address.js';
import { ipRange } from './ip.js';
import { ipv4Number, ipv4Range } from './ipv4.js';
import type { GatewayBridge } from './node-tables.js';
import { SortedMap } from './sorted-map.js';

/** The first firewall mark a node hands out. */
export const FIRST_MARK = 256;

/** See the module comment. */
export interface NodeLocal {
  /** Put before the name of every namespace; '' unless several nodes share a machine. */
  readonly namespacePrefix: string;
  /** Address of the node in the underlay, without prefix length. */
  readonly underlayAddress: string;
  readonly gatewayBridge: GatewayBridge;
  /** The ingress sandbox's address on the gateway bridge, without prefix length. */
  readonly ingressLeg?: string;
  /** Task → its address on the gateway bridge, without prefix length. */
  readonly legs: SortedMap<string>;
  /** Address on the gateway bridge → who has it: a task, or `ingress`. */
  readonly legOwners: SortedMap<string>;
  /** The address given last: the next is searched from here, so that none is used again at once. */
  readonly lastLeg: string;
  /** Key of a service in a network → its mark, as long as the service is assigned. */
  readonly marks: SortedMap<number>;
  /** Marks are never given twice. */
  readonly nextMark: number;
  /** `NETWORK/TASK` → number of its port on the network's bridge; 0 is the load balancer's. */
  readonly bridgePorts: SortedMap<number>;
  /** Network → number that its next bridge port gets; never given twice. */
  readonly nextBridgePorts: SortedMap<number>;
  /** Task → its host-mode ports with the numbers chosen. */
  readonly hostPorts: SortedMap<readonly AllocatedPort[]>;
  /** `PROTOCOL/PORT` chosen by the node → task. */
  readonly hostPortOwners: SortedMap<TaskId>;
  /** The number chosen last. */
  readonly lastHostPort: number;
}

/** What a node is told once. */
export interface NodeLocalOptions {
  readonly underlayAddress: string;
  /** Default: `docker_gwbridge` with 172.18.0.1/16. */
  readonly gatewayBridge?: GatewayBridge;
  /** Default: ''. */
  readonly namespacePrefix?: string;
}

/** Numbers from which a node chooses host ports that nobody named: the kernel's ephemeral range. */
export const HOST_PORTS = Object.freeze({ first: 32_768, last: 60_999 });

/** The decisions of a node that has decided nothing yet. */
export function createNodeLocal(options: NodeLocalOptions): NodeLocal {
  const gatewayBridge = options.gatewayBridge ?? {
    name: 'docker_gwbridge',
    address: '172.18.0.1/16',
  };
  return {
    namespacePrefix: options.namespacePrefix ?? '',
    underlayAddress: options.underlayAddress,
    gatewayBridge,
    legs: SortedMap.empty(),
    legOwners: SortedMap.empty(),
    lastLeg: gatewayBridge.address.split('/')[0] ?? '',
    marks: SortedMap.empty(),
    nextMark: FIRST_MARK,
    bridgePorts: SortedMap.empty(),
    nextBridgePorts: SortedMap.empty(),
    hostPorts: SortedMap.empty(),
    hostPortOwners: SortedMap.empty(),
    lastHostPort: HOST_PORTS.first - 1,
  };
}

/**
 * The IPv6 address, CIDR form, that goes with an address on the gateway bridge: as far from the
 * beginning of its range. Undefined when the bridge has no IPv6.
 */
export function leg6Of({ gatewayBridge }: NodeLocal, leg: string): string | undefined {
  const { address, address6 } = gatewayBridge;
  if (address6 === undefined) return undefined;
  const offset = (ipv4Number(leg) ?? 0) - ipv4Range(address).base;
  const { base, prefix } = ipRange(address6);
  return `${formatIp({ bits: 128, value: BigInt(base) + BigInt(offset) })}/${prefix}`;
}

/** Where a host-mode port was bound, for reports. */
export function hostPortsOf(local: NodeLocal, taskId: TaskId): readonly AllocatedPort[] {
  return local.hostPorts.get(taskId) ?? [];
}
