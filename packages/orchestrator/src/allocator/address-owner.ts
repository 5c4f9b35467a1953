/**
 * Who has an address, for people.
 */
import { Node, Service, Task, byIndex, taskName, tasksByNetwork, type NetworkId } from '@skep/api';
import { withoutPrefix } from '@skep/network';
import { nodeClaims, serviceClaims, taskClaims, type AddressClaim } from './claims.js';
import type { AllocationPass } from './pass.js';

/** `used by service 'vote'`, `in quarantine`, … Cost: O(users of the network). */
export function addressOwner(pass: AllocationPass, networkId: NetworkId, address: string): string {
  const { view } = pass;
  const holds = (claims: readonly AddressClaim[]): boolean =>
    claims.some(
      (claim) => claim.networkId === networkId && withoutPrefix(claim.address) === address,
    );
  const quarantine = pass.draft(networkId)?.quarantine ?? [];
  if (quarantine.some((entry) => entry.address === address)) return 'in quarantine';
  for (const service of view.list(Service, byIndex(Service, 'network', networkId))) {
    if (holds(serviceClaims(service))) return `used by service '${service.meta.name}'`;
  }
  for (const node of view.list(Node, byIndex(Node, 'network', networkId))) {
    if (holds(nodeClaims(node))) return `used by node '${node.meta.name}'`;
  }
  for (const task of view.list(Task, tasksByNetwork(networkId))) {
    if (holds(taskClaims(task))) return `used by task '${taskName(task)}'`;
  }
  return 'in use';
}
