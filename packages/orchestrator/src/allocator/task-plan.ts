/**
 * The addresses of one task: one in each of its networks, and one in the ingress network when its
 * service publishes ports there.
 *
 * **Source:** SwarmKit manager/allocator/network.go (allocateTask), libnetwork cnmallocator.
 */
import {
  Service,
  isEqual,
  withStatus,
  type NetworkAttachmentSpec,
  type NetworkId,
  type Task,
  type TaskNetwork,
  type TaskStatus,
} from '@skep/api';
import { parseIp } from '@skep/network';
import { addressOwner } from './address-owner.js';
import { failure, failureText, success, type Failure, type Outcome } from './failure.js';
import { keyOf } from './key-index.js';
import { exhausted, resolveTarget } from './network-texts.js';
import type { AllocationPass } from './pass.js';
import { isTaskPending } from './waiting.js';

/** What a task waits for, by the words of SwarmKit. */
const PENDING_MESSAGE = 'pending task scheduling';

/** Plans one task that was just made: all its addresses, or the reason why not. */
export function planTask(pass: AllocationPass, task: Task): void {
  if (!isTaskPending(task)) return;
  const mark = pass.mark();
  const outcome = networksOf(pass, task);
  if (!outcome.ok) {
    pass.rollback(mark);
    fail(pass, task, { mark, failure: outcome.failure });
  } else if (outcome.value === undefined) {
    pass.rollback(mark);
  } else {
    allocate(pass, task, { mark, networks: outcome.value });
  }
}

function allocate(
  pass: AllocationPass,
  task: Task,
  { mark, networks }: { readonly mark: number; readonly networks: readonly TaskNetwork[] },
): void {
  const { pending: _, ...before } = task.status;
  const endpoint = serviceOf(pass, task)?.status.endpoint;
  const status: TaskStatus = {
    ...before,
    state: 'pending',
    timestamp: pass.now,
    appliedAt: pass.now,
    message: PENDING_MESSAGE,
    // A task without networks never has any: there is nothing to release then.
    ...(networks.length === 0 ? {} : { networks }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  pass.write({ key: keyOf('Task', task.meta.id), object: withStatus(task, status), mark });
}

function fail(
  pass: AllocationPass,
  task: Task,
  refusal: { readonly mark: number; readonly failure: Failure },
): void {
  const { code, message } = refusal.failure;
  const pending = { code, message };
  if (isEqual(task.status.pending, pending)) return;
  pass.warn(task, refusal.failure);
  const object = withStatus(task, { ...task.status, pending });
  pass.write({ key: keyOf('Task', task.meta.id), object, mark: refusal.mark });
}

function serviceOf(pass: AllocationPass, task: Task): Service | undefined {
  return task.spec.serviceId === undefined
    ? undefined
    : pass.view.get(Service, task.spec.serviceId);
}

/** Attachments of the task, undefined while it has to wait for something that comes by itself. */
function networksOf(pass: AllocationPass, task: Task): Outcome<readonly TaskNetwork[] | undefined> {
  const service = serviceOf(pass, task);
  if (task.spec.serviceId !== undefined) {
    // The service may have been deleted for good; then its tasks are being removed.
    if (service === undefined) return success(undefined);
    const endpoint = service.status.endpoint;
    if ((endpoint?.observedGeneration ?? 0) < (task.spec.specVersion ?? 1)) {
      const why = failureText(service.status.conditions);
      if (why === undefined) return success(undefined);
      return failure('service-not-allocated', `service '${service.meta.name}' waits: ${why}`);
    }
  }
  const networks = new Map<NetworkId, TaskNetwork>();
  if (service?.status.endpoint?.ports.some((port) => port.publishMode === 'ingress') === true) {
    const ingress = pass.ingress();
    if (ingress === undefined) return success(undefined);
    const added = attach(pass, task, { target: ingress.meta.id }, networks);
    if (!added.ok || added.value === 'wait') return added.ok ? success(undefined) : added;
  }
  const { template } = task.spec;
  for (const attachment of template.networks ?? service?.spec.networks ?? []) {
    const added = attach(pass, task, attachment, networks);
    if (!added.ok || added.value === 'wait') return added.ok ? success(undefined) : added;
  }
  return success([...networks.values()]);
}

function attach(
  pass: AllocationPass,
  task: Task,
  attachment: NetworkAttachmentSpec,
  networks: Map<NetworkId, TaskNetwork>,
): Outcome<'attached' | 'wait'> {
  const isAlone = task.spec.serviceId === undefined;
  const target = resolveTarget(pass, attachment.target, isAlone);
  if (!target.ok) return target;
  if (target.value.type === 'wait') return success('wait');
  const isLocal = target.value.type === 'node-local';
  const networkId =
    target.value.type === 'cluster' ? target.value.network.meta.id : target.value.networkId;
  const known = networks.get(networkId);
  const aliases = [...new Set([...(known?.aliases ?? []), ...(attachment.aliases ?? [])])];
  let addresses = known?.addresses ?? [];
  if (known === undefined && !isLocal) {
    const given = isAlone
      ? attachAlone(pass, task, networkId, attachment)
      : nextAddresses(pass, networkId);
    if (!given.ok) return given;
    addresses = given.value;
  }
  networks.set(networkId, { networkId, addresses, aliases });
  return success('attached');
}

function nextAddresses(pass: AllocationPass, networkId: NetworkId): Outcome<readonly string[]> {
  const given = pass.allocate(networkId);
  return given === undefined ? { ok: false, failure: exhausted(pass, networkId) } : success(given);
}

/** Stand-alone containers may name their addresses, and may join attachable networks only. */
function attachAlone(
  pass: AllocationPass,
  task: Task,
  networkId: NetworkId,
  { addresses = [] }: NetworkAttachmentSpec,
): Outcome<readonly string[]> {
  const network = pass.network(networkId);
  const name = network?.meta.name ?? networkId;
  if (task.spec.template.runtime === 'attachment' && network?.spec.isAttachable !== true) {
    return failure('network-not-attachable', `network '${name}' is not attachable`);
  }
  if (addresses.length === 0) return nextAddresses(pass, networkId);
  const given: string[] = [];
  for (const address of addresses) {
    const taken = pass.take(networkId, address);
    if (typeof taken === 'object') {
      given.push(taken.address);
    } else if (taken === 'outside' || parseIp(address) === undefined) {
      return failure('invalid-address', `address '${address}' is not in network '${name}'`);
    } else {
      const owner = taken === 'reserved' ? 'reserved' : addressOwner(pass, networkId, address);
      return failure('address-in-use', `address ${address} of network '${name}' is ${owner}`);
    }
  }
  return success(given);
}
