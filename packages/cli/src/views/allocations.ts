/**
 * What of the cluster's numbers is in somebody's hands: the proof that nothing leaks.
 */
import { Network, Node, Service, Task } from '@skep/api';
import type { View } from '@skep/store';

/** How many of each are owned. */
export interface Allocations {
  readonly taskAddresses: number;
  readonly loadBalancerAddresses: number;
  readonly virtualAddresses: number;
  readonly quarantinedAddresses: number;
  readonly publishedPorts: number;
  readonly vxlanIds: number;
}

/** Counts what is owned in a view. Cost: O(objects). */
export function allocationsOf(view: View): Allocations {
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const services = view.list(Service);
  const networks = view.list(Network);
  const tasks = view.list(Task).filter(({ status }) => status.releasedAt === undefined);
  return {
    taskAddresses: sum(
      tasks.flatMap(({ status }) => (status.networks ?? []).map((use) => use.addresses.length)),
    ),
    loadBalancerAddresses: sum(view.list(Node).map(({ status }) => status.networks?.length ?? 0)),
    virtualAddresses: sum(
      services.map(({ status }) => status.endpoint?.virtualAddresses.length ?? 0),
    ),
    quarantinedAddresses: sum(networks.map(({ status }) => status.quarantine.length)),
    publishedPorts: sum(services.map(({ status }) => status.endpoint?.ports.length ?? 0)),
    vxlanIds: sum(networks.map(({ status }) => status.subnets.length)),
  };
}

/** The counts in one line. */
export function renderAllocations(view: View): string {
  const owned = allocationsOf(view);
  return (
    `in use: ${owned.taskAddresses} addresses of tasks, ${owned.virtualAddresses} VIPs, ` +
    `${owned.loadBalancerAddresses} of load balancers, ` +
    `${owned.quarantinedAddresses} in quarantine, ` +
    `${owned.publishedPorts} published ports, ${owned.vxlanIds} VXLAN ids`
  );
}
