/**
 * Networks: virtual segments that tasks are attached to.
 *
 * **Source:** Docker Engine API v1.43 `NetworkCreate`, SwarmKit api/specs.proto (NetworkSpec).
 */
import type { DriverConfig } from './container.js';
import { defineKind, ownerIndex } from './kind.js';
import type { Condition, Labels, Revision, StoredObject, Timestamp } from './meta.js';

/** One address range of a network. CIDR form for ranges, plain form for single addresses. */
export interface IpamConfig {
  readonly subnet?: string;
  /** Addresses for tasks come from this part of the subnet. */
  readonly ipRange?: string;
  readonly gateway?: string;
  /** Names of reserved addresses. */
  readonly auxiliaryAddresses?: Labels;
}

/** How a network gets its addresses. */
export interface IpamSpec {
  readonly driver?: string;
  readonly options?: Labels;
  readonly configs?: readonly IpamConfig[];
}

/** What is wanted of a network. */
export interface NetworkSpec {
  /** Default: overlay. Node-local ones (`host`, `bridge`, `macvlan`, …) get no addresses. */
  readonly driver?: DriverConfig;
  /** No route to the outside. */
  readonly isInternal?: boolean;
  /** Stand-alone containers may attach. */
  readonly isAttachable?: boolean;
  /** The network of published ports. At most one. */
  readonly isIngress?: boolean;
  readonly enablesIpv4?: boolean;
  readonly enablesIpv6?: boolean;
  readonly ipam?: IpamSpec;
  readonly scope?: string;
  readonly isConfigOnly?: boolean;
  readonly configFrom?: string;
}

/** A range that was given to a network. */
export interface AllocatedSubnet {
  readonly subnet: string;
  readonly gateway: string;
  readonly ipRange?: string;
  /** VXLAN network identifier of the segment. */
  readonly vxlanId: number;
  /**
   * The address given last; the next one is searched from here (next fit), so that a freed address
   * is not given again at once.
   */
  readonly lastAddress: string;
}

/** An address that is free but not given again before `until`: its names may still be cached. */
export interface QuarantinedAddress {
  readonly address: string;
  /** The largest safe integer while tables may still hold the address. */
  readonly until: Timestamp;
  /**
   * Tables may hold the address until this revision is in force; then the quarantine begins.
   * 0 while the revision of the commit that took the address away is not known yet.
   * Absent: no table holds it.
   */
  readonly removedIn?: Revision;
}

/** What is known about a network. */
export interface NetworkStatus {
  readonly observedGeneration: number;
  readonly subnets: readonly AllocatedSubnet[];
  /** Oldest first; at most 4096, beyond that the oldest are freed early. */
  readonly quarantine: readonly QuarantinedAddress[];
  readonly conditions?: readonly Condition[];
}

/** A network. */
export type Network = StoredObject<NetworkSpec, NetworkStatus>;

/** Token of {@link Network}. */
export const Network = defineKind<NetworkSpec, NetworkStatus>({
  name: 'Network',
  indexes: { owner: ownerIndex },
  initialStatus: Object.freeze({ observedGeneration: 0, subnets: [], quarantine: [] }),
});

/** Name of the driver. */
export function networkDriver(spec: NetworkSpec): string {
  return spec.driver?.name ?? 'overlay';
}

/** Drivers whose networks exist on each node by itself. */
const NODE_LOCAL_DRIVERS: readonly string[] = Object.freeze([
  'host',
  'bridge',
  'none',
  'null',
  'macvlan',
  'ipvlan',
]);

/** Whether the network exists on each node by itself and is given no addresses by the cluster. */
export function isNodeLocal(spec: NetworkSpec): boolean {
  return NODE_LOCAL_DRIVERS.includes(networkDriver(spec));
}
