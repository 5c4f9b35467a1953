/**
 * The node itself, its networks and its files, as it has to know them.
 */
import {
  Cluster,
  Config,
  Network,
  Secret,
  clusterSettings,
  networkDriver,
  type AssignedFile,
  type AssignedNetwork,
  type AssignedNode,
  type ClusterSettings,
  type NetworkId,
  type Node,
} from '@skep/api';
import type { View } from '@skep/store';

/** The cluster's settings as they are now. */
export function settingsOf(view: View): ClusterSettings {
  return clusterSettings(view.getByName(Cluster, 'default')?.spec);
}

/** Builds the item that tells the node about itself. */
export function assignedNode(view: View, node: Node): AssignedNode {
  const { dnsTtlMs, dataPathPort } = settingsOf(view);
  return {
    id: node.meta.id,
    name: node.meta.name,
    role: node.spec.role,
    availability: node.spec.availability,
    dnsTtlMs,
    dataPathPort,
  };
}

/** Networks in which the node has a load-balancer address: those whose tables it holds. */
export function tableNetworks(node: Node | undefined): readonly NetworkId[] {
  // With dual stack there is an address of each family.
  return [...new Set((node?.status.networks ?? []).map((network) => network.networkId))];
}

const MTU_OPTION = 'com.docker.network.driver.mtu';

/** Builds the item of a network, undefined when it does not exist. */
export function assignedNetwork(
  view: View,
  node: Node,
  networkId: NetworkId,
): AssignedNetwork | undefined {
  const network = view.get(Network, networkId);
  if (network === undefined) return undefined;
  const options = network.spec.driver?.options ?? {};
  const encrypted = options['encrypted'];
  const mtu = Number(options[MTU_OPTION]);
  const own = inFamilies(
    (node.status.networks ?? [])
      .filter((one) => one.networkId === networkId)
      .map(({ address }) => address),
  );
  return {
    id: networkId,
    name: network.meta.name,
    driver: networkDriver(network.spec),
    isIngress: network.spec.isIngress ?? false,
    isInternal: network.spec.isInternal ?? false,
    // Docker takes the option without a value, too.
    isEncrypted: encrypted !== undefined && encrypted !== 'false',
    ...(Number.isInteger(mtu) && mtu > 0 ? { mtu } : {}),
    subnets: network.status.subnets.map(({ subnet, gateway, vxlanId }) => ({
      subnet,
      gateway,
      vxlanId,
    })),
    ...(own.first === undefined ? {} : { loadBalancerAddress: own.first }),
    ...(own.second === undefined ? {} : { loadBalancerAddress6: own.second }),
  };
}

/** The IPv4 address, or the IPv6 one when it is the only one, and with both the IPv6 one. */
export function inFamilies(addresses: readonly string[]): {
  readonly first?: string;
  readonly second?: string;
} {
  const four = addresses.find((address) => !address.includes(':'));
  const six = addresses.find((address) => address.includes(':'));
  if (four === undefined) return six === undefined ? {} : { first: six };
  return six === undefined ? { first: four } : { first: four, second: six };
}

/**
 * Builds the item of a secret or config that tasks name by id, or by name without one.
 * Undefined when it does not exist, or when a driver holds its content: nothing to send then.
 */
export function assignedFile(
  view: View,
  kind: 'secret' | 'config',
  reference: string,
): AssignedFile | undefined {
  const file =
    kind === 'secret'
      ? (view.get(Secret, reference) ?? view.getByName(Secret, reference))
      : (view.get(Config, reference) ?? view.getByName(Config, reference));
  if (file?.spec.data === undefined) return undefined;
  const templating = file.spec.templating?.name;
  return {
    id: file.meta.id,
    name: file.meta.name,
    data: file.spec.data,
    ...(templating === undefined ? {} : { templating }),
  };
}
