/**
 * The decision of the endpoints loop: which tasks answer for a service in each of its networks, and
 * which tasks are out of all tables.
 *
 * **Source:** ours; it replaces the gossip of SwarmKit's nodes (libnetwork service_common) and the
 * fixed sleep before a stop (moby daemon/cluster/executor/container Shutdown).
 */
import {
  Network,
  Node,
  Service,
  Task,
  byService,
  compareText,
  isTerminal,
  type Backend,
  type BackendState,
  type NetworkId,
  type NodeId,
  type ServiceId,
  type TaskNetwork,
  type Timestamp,
} from '@skep/api';
import type { Plan, PlannedChange } from '@skep/controller';
import { CHANGES_MAX, type View } from '@skep/store';
import { backendOf, isSameBackend, serviceAliases, weightOf } from './backend.js';
import { drainChanges } from './drain.js';
import { sliceChanges } from './slice-changes.js';
import { sliceIndex, type SliceIndex } from './slice-index.js';
import { isAskedToEnd, isLeaving, routedNetworks } from './task-facts.js';

/** What is known about one network of the service while its backends are collected. */
interface NetworkDraft {
  readonly backends: Backend[];
  readonly aliases: readonly string[];
  expectsMore: boolean;
}

interface Draft {
  readonly networks: Map<NetworkId, NetworkDraft>;
  /** When a slow start takes its next step. */
  nextStepAt: Timestamp | undefined;
}

/**
 * Plans the slices and drains of one service. Level-based: what is right already changes nothing.
 * At most 200 changes; asks to be called again at once for the rest.
 * Cost: O(tasks of the service × their networks).
 */
export function planEndpoints(view: View, serviceId: ServiceId, now: Timestamp): Plan {
  const service = view.get(Service, serviceId);
  const slices = sliceIndex(view, serviceId);
  const tasks = view.list(Task, byService(serviceId));
  const draft = collect({ view, service, slices, tasks, now });
  const changes: PlannedChange[] = [];
  for (const networkId of [...draft.networks.keys()].sort(compareText)) {
    const network = draft.networks.get(networkId);
    if (network === undefined) continue;
    const { backends, expectsMore } = network;
    const serviceName = service?.meta.name ?? '';
    const wanted = { serviceId, serviceName, networkId, backends, expectsMore };
    changes.push(...sliceChanges(wanted, slices));
  }
  changes.push(...drainChanges(tasks, slices, now));
  if (changes.length > CHANGES_MAX) {
    return { changes: changes.slice(0, CHANGES_MAX), requeueAt: now };
  }
  return draft.nextStepAt === undefined ? { changes } : { changes, requeueAt: draft.nextStepAt };
}

interface Input {
  readonly view: View;
  readonly service: Service | undefined;
  readonly slices: SliceIndex;
  readonly tasks: readonly Task[];
  readonly now: Timestamp;
}

function collect(input: Input): Draft {
  const { service, slices, tasks } = input;
  const draft: Draft = { networks: new Map(), nextStepAt: undefined };
  for (const networkId of slices.networks) networkDraft(draft, networkId, input);
  const isOnline = nodeCheck(input.view);
  for (const task of tasks) {
    for (const network of routedNetworks(task)) {
      if (task.status.releasedAt !== undefined) continue;
      const place = networkDraft(draft, network.networkId, input);
      const listing = slices.listing(network.networkId, task.meta.id);
      const state = backendState({ task, wasListed: listing !== undefined, isOnline });
      if (!isLeaving(task)) place.expectsMore = true;
      if (state === undefined || service === undefined) continue;
      const fresh = backend({ task, network, state, place, draft, service, now: input.now });
      const isListed = listing !== undefined && isSameBackend(listing.backend, fresh);
      place.backends.push(isListed ? listing.backend : fresh);
    }
  }
  if (service === undefined) for (const place of draft.networks.values()) place.expectsMore = false;
  return draft;
}

function backend(input: {
  readonly task: Task;
  readonly network: TaskNetwork;
  readonly state: BackendState;
  readonly place: NetworkDraft;
  readonly draft: Draft;
  readonly service: Service;
  readonly now: Timestamp;
}): Backend {
  const { draft, task, network, state } = input;
  const { weight, changesAt } = weightOf(input.service, task, input.now);
  if (changesAt !== undefined) {
    draft.nextStepAt = Math.min(draft.nextStepAt ?? changesAt, changesAt);
  }
  return backendOf({ task, network, state, weight, serviceAliases: input.place.aliases });
}

/**
 * How a task is listed, undefined for not at all. Running and wanted: serving. Asked to end while
 * it was listed: draining. Terminal, or on a node that is DOWN or gone: not any more.
 */
function backendState(input: {
  readonly task: Task;
  readonly wasListed: boolean;
  readonly isOnline: (nodeId: NodeId) => boolean;
}): BackendState | undefined {
  const { task } = input;
  const { state, nodeId } = task.status;
  if (isTerminal(state) || nodeId === undefined || !input.isOnline(nodeId)) return undefined;
  if (isAskedToEnd(task)) return input.wasListed ? 'draining' : undefined;
  return state === 'running' ? 'serving' : undefined;
}

function networkDraft(draft: Draft, networkId: NetworkId, input: Input): NetworkDraft {
  const known = draft.networks.get(networkId);
  if (known !== undefined) return known;
  const name = input.view.get(Network, networkId)?.meta.name;
  const aliases =
    input.service === undefined ? [] : serviceAliases(input.service, { id: networkId, name });
  const made: NetworkDraft = { backends: [], aliases, expectsMore: false };
  draft.networks.set(networkId, made);
  return made;
}

function nodeCheck(view: View): (nodeId: NodeId) => boolean {
  const answers = new Map<NodeId, boolean>();
  return (nodeId) => {
    let answer = answers.get(nodeId);
    if (answer === undefined) {
      const node = view.get(Node, nodeId);
      answer = node !== undefined && node.status.state !== 'down';
      answers.set(nodeId, answer);
    }
    return answer;
  };
}
