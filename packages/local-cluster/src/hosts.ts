/**
 * The nodes of a cluster as this machine has them: namespaces, or the machine itself.
 */
import { networkInterfaces } from 'node:os';
import {
  bootId,
  namespacePath,
  NamespacedCluster,
  nodeNamespace,
  nodePrefix,
  runCommands,
  type KernelNode,
} from '@skep/adapter-hosts';
import { uplinkName } from './place.js';
import type { ClusterSettings, HostsKind, NodeSettings } from './settings.js';
import { machineAddress, nodeAddress, routedSubnets } from './subnets.js';

/** Namespaces of a cluster. */
export interface HostNamespaces {
  /** Makes these nodes, unless they are there. */
  ensure(names: readonly string[]): Promise<void>;
  /** Removes all of the cluster's. */
  remove(): Promise<void>;
}

/** The namespaces of a cluster; undefined when the machine is its node. */
export function namespacesOf(settings: ClusterSettings): HostNamespaces | undefined {
  if (settings.hosts !== 'namespaces') return undefined;
  const { cluster, subnet } = settings;
  const namespaces = namespacedCluster(cluster, subnet);
  return {
    ensure: async (names) => {
      for (const { name, address } of settings.nodes) {
        if (names.includes(name)) await namespaces.ensureNode(name, `${address}/24`);
      }
    },
    remove: () => namespaces.remove(),
  };
}

/** The namespaces of a cluster, with a way to them from the machine. */
export function namespacedCluster(clusterId: string, subnet: string): NamespacedCluster {
  const address = machineAddress(subnet);
  return new NamespacedCluster({
    clusterId,
    uplink: { interfaceName: uplinkName(clusterId), address },
  });
}

/** How the kernel of a node is reached. */
export function kernelNode(
  { cluster, hosts }: { readonly cluster: string; readonly hosts: HostsKind },
  { name, address }: NodeSettings,
): KernelNode {
  return {
    ...(hosts === 'namespaces' ? { namespace: nodeNamespace(cluster, name) } : {}),
    namespacePrefix: nodePrefix(cluster, name),
    underlayAddress: address,
  };
}

/** Path of the network namespace that is a node; undefined: the machine's own. */
export function nodeNamespacePath(
  { cluster, hosts }: { readonly cluster: string; readonly hosts: HostsKind },
  name: string,
): string | undefined {
  return hosts === 'namespaces' ? namespacePath(nodeNamespace(cluster, name)) : undefined;
}

/** Name of the file of what a node decided by itself: another one after a start of the machine. */
export function localStateName(): string {
  return `dataplane-${bootId().slice(0, 8)}.json`;
}

/** Address of a node. */
export function addressOf(hosts: HostsKind, subnet: string, number: number): string {
  return hosts === 'local' ? ownAddress() : nodeAddress(subnet, number);
}

/** The machine's first address that others can reach; its loopback when it has none. */
function ownAddress(): string {
  const all = Object.entries(networkInterfaces())
    .filter(([name]) => !/^(docker|br-|veth|virbr)/.test(name))
    .flatMap(([, addresses]) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

/** Subnets of this machine that a new cluster has to leave alone. */
export async function subnetsInUse(cluster: string): Promise<readonly string[]> {
  const command = ['ip', '-j', '-4', 'route', 'show', 'table', 'all'];
  const [listed] = await runCommands([{ namespace: undefined, command }]);
  const own = uplinkName(cluster);
  return routedSubnets((listed?.output ?? '').trim(), (name) => name === own);
}
