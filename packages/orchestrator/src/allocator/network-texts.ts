/**
 * Explanations about networks, and what a spec's name for one means.
 */
import { isDeleting, isNodeLocal, type Network, type NetworkId } from '@skep/api';
import { failure, failureText, success, type Failure, type Outcome } from './failure.js';
import type { AllocationPass } from './pass.js';

/** Networks that every node has, though nobody declared them. */
const PREDEFINED: readonly string[] = Object.freeze(['host', 'bridge', 'none']);

/** What the target of an attachment is. */
export type Target =
  /** It exists on each node by itself and gives no addresses. */
  | { readonly type: 'node-local'; readonly networkId: NetworkId }
  | { readonly type: 'cluster'; readonly network: Network }
  /** It will be there, or is being looked after: nothing to say, nothing to do. */
  | { readonly type: 'wait' };

/**
 * What the target of an attachment is: a network's id, else its name, else one of the names that
 * every node knows. `isNewUser`: nobody may begin to use a network that is being deleted.
 */
export function resolveTarget(
  pass: AllocationPass,
  target: string,
  isNewUser: boolean,
): Outcome<Target> {
  const network = pass.network(target);
  if (network === undefined) {
    if (PREDEFINED.includes(target)) {
      return success({ type: 'node-local', networkId: target });
    }
    return failure('network-not-found', `network '${target}' does not exist`);
  }
  const { name, id } = network.meta;
  if (isNodeLocal(network.spec)) return success({ type: 'node-local', networkId: id });
  if (network.spec.isConfigOnly === true) {
    return failure(
      'network-not-attachable',
      `network '${name}' is a configuration only; attach to a network made from it`,
    );
  }
  if (isDeleting(network) && isNewUser) {
    return failure('network-not-found', `network '${name}' is being deleted`);
  }
  if (pass.ledger(id) !== undefined) return success({ type: 'cluster', network });
  const why = failureText(network.status.conditions);
  if (why === undefined) return success({ type: 'wait' });
  return failure('network-not-allocated', `network '${name}' has no addresses: ${why}`);
}

/** No address is left. Says nothing that changes while that is so. */
export function exhausted(pass: AllocationPass, networkId: NetworkId): Failure {
  const network = pass.network(networkId);
  const ranges = (network?.status.subnets ?? []).map(({ subnet, ipRange }) => ipRange ?? subnet);
  return {
    code: 'addresses-exhausted',
    message:
      `no free address in network '${network?.meta.name ?? networkId}' (${ranges.join(', ')}): ` +
      'every service, task and node in it has one, and freed ones rest for the time to live of names',
  };
}
