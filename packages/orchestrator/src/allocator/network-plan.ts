/**
 * What becomes of one network: its subnets, its quarantine, its end.
 */
import {
  Node,
  Service,
  Task,
  byIndex,
  compareText,
  isDeleting,
  servicesByNetwork,
  taskName,
  tasksByNetwork,
  type Network,
  type QuarantinedAddress,
} from '@skep/api';
import { allocatedConditions, failedConditions, type Failure } from './failure.js';
import { keyOf } from './key-index.js';
import type { NetworkDraft } from './network-draft.js';
import type { AllocationPass } from './pass.js';
import { planSubnets } from './subnet-plan.js';
import { FINALIZER, isAllocatable, isNetworkPending } from './waiting.js';

/** Type of the condition that says why a network that is being deleted is still there. */
export const RELEASED = 'Released';

/** Plans one network. */
export function planNetwork(pass: AllocationPass, network: Network): void {
  if (isDeleting(network)) {
    if (network.meta.finalizers.includes(FINALIZER)) planEnd(pass, network);
  } else if (isNetworkPending(network)) {
    planStart(pass, network);
  } else {
    planUpkeep(pass, network);
  }
}

function planStart(pass: AllocationPass, network: Network): void {
  const draft = pass.draft(network.meta.id);
  if (draft === undefined) return;
  const { generation } = network.meta;
  const { conditions } = network.status;
  const mark = pass.mark();
  const plan = planSubnets(pass, network);
  if (!plan.ok) {
    pass.rollback(mark);
    fail(pass, draft, { failure: plan.failure });
    return;
  }
  const { subnets, note } = plan.value;
  draft.status = {
    subnets,
    observedGeneration: generation,
    conditions: allocatedConditions({ conditions, generation, now: pass.now, note }),
  };
}

/** Subnets stay as they were given: of a network's spec only labels may change after its start. */
function planUpkeep(pass: AllocationPass, network: Network): void {
  const draft = pass.draft(network.meta.id);
  if (draft === undefined) return;
  const { generation } = network.meta;
  if (network.status.observedGeneration !== generation) {
    draft.status = { ...draft.status, observedGeneration: generation };
  }
  if (!isAllocatable(network)) return;
  draft.quarantine = followHeld(pass, network, draft.quarantine);
  const next = draft.quarantine.find(({ removedIn }) => removedIn === undefined);
  if (next !== undefined) pass.requeueAt.set(keyOf('Network', network.meta.id), next.until);
}

/**
 * Moves on the addresses that tables may still hold. The commit that took one away is known to the
 * next pass, as the version of the network that it wrote; from then on that revision is waited for,
 * and once it is in force the time to live of names begins.
 */
function followHeld(
  pass: AllocationPass,
  network: Network,
  quarantine: readonly QuarantinedAddress[],
): readonly QuarantinedAddress[] {
  if (quarantine.every(({ removedIn }) => removedIn === undefined)) return quarantine;
  const until = pass.now + pass.settings.dnsTtlMs;
  const moved = quarantine.map((entry) => {
    const { address, removedIn } = entry;
    if (removedIn === undefined) return entry;
    const revision = removedIn === 0 ? network.meta.version : removedIn;
    if (pass.isInForce(network.meta.id, revision)) return { address, until };
    return revision === removedIn ? entry : { ...entry, removedIn: revision };
  });
  if (moved.every((entry, at) => entry === quarantine[at])) return quarantine;
  return moved.sort((a, b) => a.until - b.until);
}

function planEnd(pass: AllocationPass, network: Network): void {
  const draft = pass.draft(network.meta.id);
  if (draft === undefined) return;
  const user = userOf(pass, network);
  if (user !== undefined) {
    const message = `the network is kept until it is not used any more by ${user}`;
    fail(pass, draft, { failure: { code: 'in-use', message }, type: RELEASED });
    return;
  }
  draft.status = { subnets: [] };
  draft.quarantine = [];
  draft.finalizers = network.meta.finalizers.filter((finalizer) => finalizer !== FINALIZER);
}

/** Something that uses the network: a service, else a task, else a node; the first by name. */
function userOf(pass: AllocationPass, network: Network): string | undefined {
  const { id, name } = network.meta;
  const { view } = pass;
  const services = [
    ...view.list(Service, servicesByNetwork(id)),
    ...(name === '' ? [] : view.list(Service, servicesByNetwork(name))),
  ].map(({ meta }) => meta.name);
  const [service] = services.sort(compareText);
  if (service !== undefined) return `service '${service}'`;
  const tasks = view
    .list(Task, tasksByNetwork(id))
    .filter(({ status }) => status.releasedAt === undefined)
    .map(taskName);
  const [task] = tasks.sort(compareText);
  if (task !== undefined) return `task '${task}'`;
  const nodes = view.list(Node, byIndex(Node, 'network', id)).map(({ meta }) => meta.name);
  const [node] = nodes.sort(compareText);
  return node === undefined ? undefined : `the load balancer of node '${node}'`;
}

function fail(
  pass: AllocationPass,
  draft: NetworkDraft,
  input: { readonly failure: Failure; readonly type?: string },
): void {
  const { network } = draft;
  const { generation } = network.meta;
  const before = network.status.conditions;
  const conditions = failedConditions({ ...input, conditions: before, generation, now: pass.now });
  if (conditions === before) return;
  draft.status = { ...draft.status, conditions };
  if (input.type === undefined) pass.warn(network, input.failure);
}
