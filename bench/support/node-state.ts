/**
 * The networking part of a node's assignment, as large as a benchmark wants it.
 */
import { deriveId, type AssignedService, type AssignedSlice, type Backend } from '@skep/api';
import type { NodeNetworkState } from '@skep/network';

/** The one network of the state. */
export const NETWORK_ID = 'front';

/** An address of 10.0.0.0/8 by its number. */
export function addressOf(number: number): string {
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

/** A backend of a service; its address follows from both numbers. */
export function backendOf(service: number, backend: number, backends: number): Backend {
  const taskId = deriveId('task', service, backend);
  return {
    taskId,
    taskName: `service${service}.${backend + 1}.${taskId}`,
    nodeId: `node${backend % 10}`,
    address: addressOf(0x10000 * 64 + service * backends + backend),
    weight: 1,
    state: 'serving',
    aliases: [taskId.slice(0, 12)],
  };
}

/** A node with one network in which there are so many services with so many backends each. */
export function stateOfServices(size: {
  readonly services: number;
  readonly backends: number;
}): NodeNetworkState {
  const services = new Map<string, AssignedService>();
  const slices = new Map<string, AssignedSlice>();
  for (let at = 0; at < size.services; at += 1) {
    const serviceId = `id${at}`;
    services.set(`${serviceId}/${NETWORK_ID}`, {
      serviceId,
      serviceName: `service${at}`,
      networkId: NETWORK_ID,
      order: at + 1,
      virtualAddress: `${addressOf(0x10000 + at)}/8`,
      aliases: [],
      ports: [],
      algorithm: 'round-robin',
      isLocalOnly: false,
    });
    const id = `${serviceId}.0`;
    const backends = Array.from({ length: size.backends }, (_, number) =>
      backendOf(at, number, size.backends),
    );
    slices.set(id, { id, revision: 1, serviceId, networkId: NETWORK_ID, index: 0, backends });
  }
  return {
    revision: 1,
    node: {
      id: 'node0',
      name: 'node0',
      role: 'worker',
      availability: 'active',
      dnsTtlMs: 5_000,
      dataPathPort: 4_789,
    },
    networks: new Map([
      [
        NETWORK_ID,
        {
          id: NETWORK_ID,
          name: NETWORK_ID,
          driver: 'overlay',
          isIngress: false,
          isInternal: false,
          isEncrypted: false,
          subnets: [{ subnet: '10.0.0.0/8', gateway: '10.0.0.1', vxlanId: 4_097 }],
          loadBalancerAddress: '10.0.0.2/8',
        },
      ],
    ]),
    services,
    slices,
    peers: new Map(),
    tasks: new Map(),
  };
}
