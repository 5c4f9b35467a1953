/**
 * What an object holds: the addresses that the store says are its own.
 *
 * The set of used addresses is the union of these over all objects, and nothing else. So it can be
 * rebuilt from any view, and a crash between two commits can neither lose nor double an address.
 */
import type { AllocatedPort, Network, NetworkId, Node, Service, Task } from '@skep/api';

/** An address of an object in a network, in CIDR form. */
export interface AddressClaim {
  readonly networkId: NetworkId;
  readonly address: string;
}

const NONE: readonly AddressClaim[] = Object.freeze([] as AddressClaim[]);

/** Addresses of a task, until they went back. */
export function taskClaims(task: Task | undefined): readonly AddressClaim[] {
  if (task?.status.networks === undefined || task.status.releasedAt !== undefined) return NONE;
  return task.status.networks.flatMap(({ networkId, addresses }) =>
    addresses.map((address) => ({ networkId, address })),
  );
}

/** Load-balancer addresses of a node. */
export function nodeClaims(node: Node | undefined): readonly AddressClaim[] {
  return node?.status.networks ?? NONE;
}

/** Virtual addresses of a service. */
export function serviceClaims(service: Service | undefined): readonly AddressClaim[] {
  return service?.status.endpoint?.virtualAddresses ?? NONE;
}

/** Ports that nobody else may have: those of a service, and those that tables may still give it. */
export function ownedPorts(service: Service | undefined): readonly AllocatedPort[] {
  const { ports = [], heldPorts = [] } = service?.status.endpoint ?? {};
  return heldPorts.length === 0 ? ports : [...ports, ...heldPorts];
}

/** Addresses of a network that nobody has but that are not given yet. */
export function quarantineClaims(network: Network | undefined): readonly AddressClaim[] {
  if (network === undefined) return NONE;
  return network.status.quarantine.map(({ address }) => ({
    networkId: network.meta.id,
    address,
  }));
}

/** Networks in which the task's node needs an address of its own as long as the task has one. */
export function usedNetworks(task: Task | undefined): readonly NetworkId[] {
  if (task?.status.nodeId === undefined) return [];
  return [...new Set(taskClaims(task).map(({ networkId }) => networkId))];
}
