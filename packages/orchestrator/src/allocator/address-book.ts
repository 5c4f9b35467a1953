/**
 * Every number that is handed out once in a cluster, and to whom: addresses, subnets, VXLAN ids,
 * ports.
 */
import {
  clusterSettings,
  isEqual,
  messageOf,
  type Cluster,
  type ClusterSettings,
  type Network,
  type NetworkId,
  type Service,
} from '@skep/api';
import {
  PORT_PROTOCOLS,
  SubnetPool,
  VxlanIdSpace,
  claimsOf,
  formatPrefix,
  parsePrefix,
  poolsOf,
  portSpaces,
  releaseClaim,
  type IpPrefix,
  type PortSpaces,
} from '@skep/network';
import { ownedPorts, quarantineClaims, type AddressClaim } from './claims.js';
import { NetworkLedger } from './network-ledger.js';

/**
 * The used numbers of a cluster, as the objects in the store say.
 * Claims of networks that do not exist are ignored: a network that is missing must not keep the
 * rest from being released (defect 21).
 */
export class AddressBook {
  settings: ClusterSettings = clusterSettings(undefined);
  ports: PortSpaces = portSpaces(this.settings.dynamicPorts);
  readonly vxlanIds: VxlanIdSpace;
  readonly ledgers = new Map<NetworkId, NetworkLedger>();
  /** Why no subnets can be cut: the pools of the cluster make no sense. */
  poolFault: string | undefined;
  subnets = new SubnetPool([]);
  readonly #subnetOwners = new Map<string, NetworkId>();

  constructor(cluster: Cluster | undefined) {
    this.vxlanIds = new VxlanIdSpace(cluster?.status.lastVxlanId);
    this.settings = clusterSettings(cluster?.spec);
    this.ports = portSpaces(this.settings.dynamicPorts, cluster?.status.lastPorts);
    this.#makePool([]);
  }

  /**
   * Follows a change of the cluster's settings and pointers.
   * True when the ports have to be opened again, because their range is another one.
   */
  followCluster(cluster: Cluster | undefined): boolean {
    const before = this.settings;
    this.settings = clusterSettings(cluster?.spec);
    const { addressPools, subnetPrefix, dynamicPorts } = this.settings;
    if (!isEqual(before.addressPools, addressPools) || before.subnetPrefix !== subnetPrefix) {
      this.#makePool([...this.#subnetOwners.keys()]);
    }
    this.vxlanIds.last = cluster?.status.lastVxlanId;
    for (const protocol of PORT_PROTOCOLS) {
      this.ports[protocol].last = cluster?.status.lastPorts?.[protocol];
    }
    return !isEqual(before.dynamicPorts, dynamicPorts);
  }

  /** Starts the ports from the beginning, with those that these services have. */
  openPorts(cluster: Cluster | undefined, services: readonly Service[]): void {
    this.ports = portSpaces(this.settings.dynamicPorts, cluster?.status.lastPorts);
    for (const service of services) this.#claimPorts(service);
  }

  claim({ networkId, address }: AddressClaim): void {
    this.ledgers.get(networkId)?.claim(address);
  }

  unclaim({ networkId, address }: AddressClaim): void {
    this.ledgers.get(networkId)?.unclaim(address);
  }

  /** Replaces the claims of one version of a service's ports by those of another. */
  movePorts(before: Service | undefined, after: Service | undefined): void {
    const old = before?.status.endpoint;
    const now = after?.status.endpoint;
    if (old?.ports === now?.ports && old?.heldPorts === now?.heldPorts) return;
    if (before !== undefined) {
      for (const claim of claimsOf(before.meta.id, ownedPorts(before))) {
        releaseClaim(this.ports, claim);
      }
    }
    if (after !== undefined) this.#claimPorts(after);
  }

  /** Replaces the subnets and VXLAN ids of one version of a network by those of another. */
  moveSubnets(before: Network | undefined, after: Network | undefined): void {
    for (const { subnet, vxlanId } of before?.status.subnets ?? []) {
      const prefix = parsePrefix(subnet);
      if (prefix !== undefined) this.releaseSubnet(prefix);
      this.vxlanIds.release(vxlanId, before?.meta.id ?? '');
    }
    for (const { subnet, vxlanId } of after?.status.subnets ?? []) {
      const prefix = parsePrefix(subnet);
      if (prefix !== undefined) this.claimSubnet(prefix, after?.meta.id ?? '');
      if (vxlanId > 0) this.vxlanIds.claim(vxlanId, after?.meta.id ?? '');
    }
  }

  claimSubnet(prefix: IpPrefix, owner: NetworkId): void {
    this.subnets.add(prefix);
    this.#subnetOwners.set(formatPrefix(prefix), owner);
  }

  releaseSubnet(prefix: IpPrefix): void {
    this.subnets.remove(prefix);
    this.#subnetOwners.delete(formatPrefix(prefix));
  }

  /** The network that has a subnet. */
  ownerOf(prefix: IpPrefix): NetworkId | undefined {
    return this.#subnetOwners.get(formatPrefix(prefix));
  }

  /** Starts the ledger of a network, with its quarantine; or drops it. */
  openLedger(networkId: NetworkId, network: Network | undefined): void {
    if (network === undefined) {
      this.ledgers.delete(networkId);
      return;
    }
    this.ledgers.set(networkId, new NetworkLedger(network));
    for (const claim of quarantineClaims(network)) this.claim(claim);
  }

  #claimPorts(service: Service): void {
    const claims = claimsOf(service.meta.id, ownedPorts(service));
    for (const { protocol, port, mode, owner } of claims) {
      this.ports[protocol].claim(port, mode, owner);
    }
  }

  #makePool(used: readonly string[]): void {
    const { addressPools, subnetPrefix } = this.settings;
    this.poolFault = undefined;
    try {
      this.subnets = new SubnetPool(poolsOf(addressPools, subnetPrefix));
    } catch (thrown) {
      this.subnets = new SubnetPool([]);
      this.poolFault = messageOf(thrown);
    }
    for (const text of used) {
      const prefix = parsePrefix(text);
      if (prefix !== undefined) this.subnets.add(prefix);
    }
  }
}
