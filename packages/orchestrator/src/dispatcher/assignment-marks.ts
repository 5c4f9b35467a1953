/**
 * Which items of which nodes an event may have changed. Marks too many cost time; one too few would
 * break the law that differences add up to the whole.
 */
import {
  Cluster,
  Config,
  EndpointSlice,
  Network,
  Node,
  Secret,
  Service,
  Task,
  byNode,
  byService,
  isDeleting,
  isEqual,
  isTerminal,
  type NetworkId,
  type NodeId,
  type ServiceId,
  type TaskId,
} from '@skep/api';
import type { ObjectEvent, View } from '@skep/store';
import { isTaskLeaving } from '../allocator/waiting.js';
import { isAskedToEnd } from '../endpoints/task-facts.js';
import { isPeerTask, type PeerSource } from './assigned-peer.js';
import { frontNetworks } from './assigned-service.js';

/** Takes the marks. Nodes without a session and networks without a subscriber are passed over. */
export interface MarkSink {
  /** What the node knows about itself, and in which networks it holds tables. */
  node(nodeId: NodeId): void;
  allNodes(): void;
  task(nodeId: NodeId, taskId: TaskId): void;
  /** The network, on every node that has it. */
  network(networkId: NetworkId): void;
  files(kind: 'secret' | 'config'): void;
  service(networkId: NetworkId, serviceId: ServiceId): void;
  slice(networkId: NetworkId, sliceId: string): void;
  peer(networkId: NetworkId, address: string, source: PeerSource): void;
  /** Everything that the nodes of the network share. */
  wholeNetwork(networkId: NetworkId): void;
  /** The nodes of the network have to acknowledge this revision though nothing may differ. */
  watermark(networkId: NetworkId): void;
}

/** Marks what an event may have changed. Cost: O(what depends on the object). */
export function markEvent(event: ObjectEvent, view: View, sink: MarkSink): void {
  switch (event.object.kind) {
    case Task.name:
      return markTask(versions<Task>(event), sink);
    case EndpointSlice.name:
      return markSlice(versions<EndpointSlice>(event), sink);
    case Service.name:
      return markService(versions<Service>(event), view, sink);
    case Node.name:
      return markNode(versions<Node>(event), view, sink);
    case Network.name:
      return markNetwork(versions<Network>(event), sink);
    case Secret.name:
      return sink.files('secret');
    case Config.name:
      return sink.files('config');
    case Cluster.name:
      return sink.allNodes();
    default:
      return undefined;
  }
}

/** An object before and after an event. At least one is there. */
interface Versions<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
  /** The one that is there, the newer one of two. */
  readonly any: T;
}

function versions<T>(event: ObjectEvent): Versions<T> {
  const object = event.object as T;
  return {
    before: (event.previous ?? (event.type === 'deleted' ? object : undefined)) as T | undefined,
    after: event.type === 'deleted' ? undefined : object,
    any: object,
  };
}

function both<T>({ before, after }: Versions<T>): readonly T[] {
  return [before, after].filter((object): object is T & object => object !== undefined);
}

function markTask(task: Versions<Task>, sink: MarkSink): void {
  const { before, after, any } = task;
  const taskId = any.meta.id;
  if (!isSameForItsNode(before, after)) {
    const nodeIds = new Set(both(task).map(({ status }) => status.nodeId));
    for (const nodeId of nodeIds) if (nodeId !== undefined) sink.task(nodeId, taskId);
  }
  if (after !== undefined && isAwaited(after)) {
    for (const { networkId } of after.status.networks ?? []) sink.watermark(networkId);
  }
  if (isSameForPeers(before, after)) return;
  for (const { status } of both(task)) {
    for (const { networkId, addresses } of status.networks ?? []) {
      for (const address of addresses) sink.peer(networkId, address, { type: 'task', id: taskId });
    }
  }
}

/**
 * Whether the allocator waits for this very version of the task to be in force, to free its
 * addresses: it has ended and is out of all tables. The version may change no item.
 */
function isAwaited(task: Task): boolean {
  const isDrained = task.status.drainedAt !== undefined || task.spec.serviceId === undefined;
  return isDrained && isTaskLeaving(task);
}

/** Reports of the node itself change the state of its tasks all the time; most change no item. */
function isSameForItsNode(before: Task | undefined, after: Task | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  const old = before.status;
  const now = after.status;
  return (
    before.spec === after.spec &&
    old.nodeId === now.nodeId &&
    old.networks === now.networks &&
    old.endpoint === now.endpoint &&
    old.releasedAt === now.releasedAt &&
    old.drainedAt === now.drainedAt &&
    old.genericResources === now.genericResources &&
    old.volumes === now.volumes &&
    stage(before) === stage(after)
  );
}

/** Parts of a task's life between which its items change. */
function stage(task: Task): 'waiting' | 'assigned' | 'ended' | 'over' {
  const { state } = task.status;
  if (isTerminal(state)) return isAskedToEnd(task) ? 'over' : 'ended';
  return state === 'new' || state === 'pending' ? 'waiting' : 'assigned';
}

function isSameForPeers(before: Task | undefined, after: Task | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  return (
    before.status.networks === after.status.networks &&
    before.status.nodeId === after.status.nodeId &&
    isPeerTask(before) === isPeerTask(after)
  );
}

function markSlice(slice: Versions<EndpointSlice>, sink: MarkSink): void {
  for (const { meta, spec } of both(slice)) {
    sink.slice(spec.networkId, meta.id);
    // Whether there is a front may depend on whether there are backends.
    sink.service(spec.networkId, spec.serviceId);
  }
}

function markService(service: Versions<Service>, view: View, sink: MarkSink): void {
  const { before, after, any } = service;
  const networkIds = new Set(both(service).flatMap((one) => [...frontNetworks(view, one)]));
  // Its addresses are freed once its end is in force, at a revision that may change no item; ports
  // that it gave up likewise.
  const isHolding = (after?.status.endpoint?.heldPorts ?? []).length > 0;
  if (after === undefined || isDeleting(after) || isHolding) {
    for (const networkId of networkIds) sink.watermark(networkId);
  }
  if (!isSameFront(before, after)) {
    for (const networkId of networkIds) sink.service(networkId, any.meta.id);
  }
  if (isEqual(before?.meta.labels, after?.meta.labels)) return;
  for (const { meta, status } of view.list(Task, byService(any.meta.id))) {
    if (status.nodeId !== undefined) sink.task(status.nodeId, meta.id);
  }
}

function isSameFront(before: Service | undefined, after: Service | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  return (
    before.spec === after.spec &&
    before.status.endpoint === after.status.endpoint &&
    before.meta.name === after.meta.name &&
    isDeleting(before) === isDeleting(after)
  );
}

function markNode(node: Versions<Node>, view: View, sink: MarkSink): void {
  const { before, after, any } = node;
  const nodeId = any.meta.id;
  const hasMoved = before?.status.address !== after?.status.address;
  const hasSameNetworks = isEqual(before?.status.networks, after?.status.networks);
  const isSameNode = before?.spec === after?.spec && before?.meta.name === after?.meta.name;
  if (hasMoved || !hasSameNetworks || !isSameNode) sink.node(nodeId);
  if (hasMoved || !hasSameNetworks) {
    for (const { status } of both(node)) {
      for (const { networkId, address } of status.networks ?? []) {
        sink.peer(networkId, address, { type: 'node', id: nodeId });
      }
    }
  }
  if (!hasMoved) return;
  for (const { meta, status } of view.list(Task, byNode(nodeId))) {
    for (const { networkId, addresses } of status.networks ?? []) {
      for (const address of addresses) sink.peer(networkId, address, { type: 'task', id: meta.id });
    }
  }
}

function markNetwork(network: Versions<Network>, sink: MarkSink): void {
  const { before, after, any } = network;
  const networkId = any.meta.id;
  // The allocator waits for a revision of the network that may change no item.
  const isWaiting = after?.status.quarantine.some(({ removedIn }) => removedIn !== undefined);
  if (after === undefined || isDeleting(after) || isWaiting === true) sink.watermark(networkId);
  const isSame =
    before !== undefined &&
    after !== undefined &&
    before.spec === after.spec &&
    before.meta.name === after.meta.name;
  if (!isSame) sink.wholeNetwork(networkId);
  if (!isSame || !isEqual(subnetsOf(before), subnetsOf(after))) sink.network(networkId);
}

/** What a node is told of the subnets. The address given last, which moves all the time, is not. */
function subnetsOf(network: Network): readonly (readonly [string, string, number])[] {
  return network.status.subnets.map(({ subnet, gateway, vxlanId }) => [subnet, gateway, vxlanId]);
}
