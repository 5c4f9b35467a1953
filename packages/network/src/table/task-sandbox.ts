/**
 * The namespace of one task: its endpoints, its way out, and how published ports reach it.
 */
import type { AssignedTask } from '@skep/api';
import type { NodeNetworkState } from '../state.js';
import { addressOf, ipv4Number, ipv4Range, isInRange, isIpv4, prefixOf } from './ipv4.js';
import type { NodeLocal } from './node-local.js';
import { hasSandbox, overlaysOf } from './node-local-tasks.js';
import type { PublishedPort, SandboxEndpoint, TableSubnet, TaskSandbox } from './node-tables.js';

/**
 * The sandbox of an assigned task; undefined when it has none (any more). Cost: O(its networks).
 */
export function buildTaskSandbox(
  state: NodeNetworkState,
  local: NodeLocal,
  task: AssignedTask,
): TaskSandbox | undefined {
  if (!hasSandbox(task, state)) return undefined;
  const endpoints: SandboxEndpoint[] = [];
  for (const { networkId, address, isIngress } of overlaysOf(task, state)) {
    const port = local.bridgePorts.get(`${networkId}/${task.id}`);
    if (port === undefined) continue;
    endpoints.push({
      networkId,
      interfaceName: `eth${endpoints.length}`,
      address,
      bridgePort: `veth${port}`,
      subnetIndex: subnetIndexOf(state.networks.get(networkId)?.subnets ?? [], address),
      isIngress,
    });
  }
  const leg = local.legs.get(task.id);
  return {
    taskId: task.id,
    taskName: task.name,
    endpoints,
    ...(leg === undefined
      ? {}
      : {
          gateway: {
            interfaceName: `eth${endpoints.length}`,
            address: `${leg}/${prefixOf(local.gatewayBridge.address)}`,
          },
        }),
    redirects: endpoints.some(({ isIngress }) => isIngress) ? redirectsOf(task) : [],
    hostPorts: leg === undefined ? [] : (local.hostPorts.get(task.id) ?? []),
  };
}

function redirectsOf(task: AssignedTask): readonly PublishedPort[] {
  return task.ports
    .filter((port) => port.publishMode === 'ingress' && port.publishedPort > 0)
    .map(({ protocol, publishedPort, targetPort }) => ({ protocol, publishedPort, targetPort }));
}

/** Position of the subnet that holds the address; 0 when none does. */
export function subnetIndexOf(subnets: readonly TableSubnet[], address: string): number {
  if (subnets.length < 2) return 0;
  const number = ipv4Number(addressOf(address));
  const index = subnets.findIndex(
    ({ subnet }) => isIpv4(subnet) && number !== undefined && isInRange(number, ipv4Range(subnet)),
  );
  return Math.max(0, index);
}
