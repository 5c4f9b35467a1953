/**
 * The namespace of one task: its endpoints, its way out, and how published ports reach it.
 */
import type { AssignedTask } from '@skep/api';
import type { NodeNetworkState } from '../state.js';
import { ipRange, isInIpRange, isIpv6, macOf } from './ip.js';
import { addressOf, prefixOf } from './ipv4.js';
import { leg6Of, type NodeLocal } from './node-local.js';
import { hasSandbox, overlaysOf } from './node-local-tasks.js';
import type { PublishedPort, SandboxEndpoint, TaskSandbox } from './node-tables.js';

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
  for (const { networkId, address, address6, isIngress } of overlaysOf(task, state)) {
    const port = local.bridgePorts.get(`${networkId}/${task.id}`);
    if (port === undefined) continue;
    endpoints.push({
      networkId,
      interfaceName: `eth${endpoints.length}`,
      address,
      ...(address6 === undefined ? {} : { address6 }),
      macAddress: macOf(addressOf(address)),
      bridgePort: `veth${port}`,
      subnetIndex: segmentOf(state.networks.get(networkId)?.subnets ?? [], address),
      isIngress,
    });
  }
  const leg = local.legs.get(task.id);
  const leg6 = leg === undefined ? undefined : leg6Of(local, leg);
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
            ...(leg6 === undefined ? {} : { address6: leg6 }),
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

/**
 * Number of the segment whose range holds the address: its position among the ranges of its family.
 * 0 when none holds it.
 */
export function segmentOf(
  subnets: readonly { readonly subnet: string }[],
  address: string,
): number {
  if (subnets.length < 2) return 0;
  const family = subnets.filter(({ subnet }) => isIpv6(subnet) === isIpv6(address));
  if (family.length < 2) return 0;
  const plain = addressOf(address);
  const position = family.findIndex(({ subnet }) => isInIpRange(plain, ipRange(subnet)));
  return Math.max(0, position);
}
