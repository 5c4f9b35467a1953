/**
 * Which keys an event is about: the object's own, and whatever waits for what just happened.
 */
import {
  Cluster,
  EndpointSlice,
  Network,
  Node,
  Service,
  Task,
  byIndex,
  isDeleting,
  isEqual,
  type NetworkId,
  type StoredObject,
} from '@skep/api';
import type { Watch } from '@skep/controller';
import type { ObjectEvent, View } from '@skep/store';
import { serviceClaims, taskClaims, usedNetworks } from './claims.js';
import { keyOf, type AllocatorKey } from './key-index.js';
import type { AllocatorMemory } from './memory.js';
import {
  BUCKETS,
  hasHeldPorts,
  isServiceLeaving,
  isServicePending,
  isTaskLeaving,
  isTaskPending,
} from './waiting.js';

/** The kinds that the allocator watches. */
export function allocatorWatches(memory: AllocatorMemory): readonly Watch[] {
  const wakes = new Wakes(memory);
  return [
    { kind: Cluster, keys: (event) => wakes.cluster(event) },
    { kind: Network, keys: (event, view) => wakes.network(event, view) },
    { kind: Node, keys: (event) => wakes.node(event) },
    { kind: Service, keys: (event) => wakes.service(event) },
    { kind: EndpointSlice, keys: (event, view) => wakes.slice(event, view) },
    { kind: Task, keys: (event) => wakes.task(event) },
  ];
}

/** An object before and after an event; both undefined never happens. */
function versions<T>(event: ObjectEvent): { before: T | undefined; after: T | undefined } {
  const { object, previous, type } = event;
  return {
    before: (type === 'created' ? undefined : (previous ?? object)) as T | undefined,
    after: (type === 'deleted' ? undefined : object) as T | undefined,
  };
}

/** Maps events to keys by what the memory knows of who waits. */
class Wakes {
  readonly #memory: AllocatorMemory;

  constructor(memory: AllocatorMemory) {
    this.#memory = memory;
  }

  cluster(event: ObjectEvent): readonly AllocatorKey[] {
    const { before, after } = versions<Cluster>(event);
    if (before?.spec === after?.spec) return [];
    return [...this.#in(BUCKETS.networks), ...this.#in(BUCKETS.services)];
  }

  network(event: ObjectEvent, view: View): readonly AllocatorKey[] {
    const { before, after } = versions<Network>(event);
    const { id } = event.object.meta;
    const keys = new Set<AllocatorKey>();
    if (after !== undefined && !isHintOnly(before, after)) keys.add(keyOf('Network', id));
    const freed = before === undefined ? [] : before.status.subnets;
    if (freed.length > 0 && (after?.status.subnets.length ?? 0) === 0) {
      this.#add(keys, BUCKETS.networks);
    }
    if (after === undefined) {
      // Its VXLAN ids and ranges are free.
      this.#add(keys, BUCKETS.networks);
      return [...keys];
    }
    if (hasMoreToGive(before, after)) this.#addUsers(keys, after);
    if (isDeleting(after) && before !== undefined && !isDeleting(before)) {
      for (const { meta } of view.list(Node, byIndex(Node, 'network', id))) {
        keys.add(keyOf('Node', meta.id));
      }
    }
    return [...keys];
  }

  node(event: ObjectEvent): readonly AllocatorKey[] {
    const { before, after } = versions<Node>(event);
    const keys = new Set<AllocatorKey>();
    const hasMoved = before?.status.networks !== after?.status.networks;
    if (after !== undefined && (before === undefined || hasMoved)) {
      keys.add(keyOf('Node', after.meta.id));
    }
    const networks = new Set(
      [before, after].flatMap((node) => (node?.status.networks ?? []).map((one) => one.networkId)),
    );
    if (hasMoved || after === undefined) {
      this.#add(keys, BUCKETS.deleting);
      for (const networkId of networks) this.#addWaiters(keys, networkId);
    }
    const isSame =
      before?.status.state === after?.status.state &&
      before?.status.tables?.appliedRevision === after?.status.tables?.appliedRevision;
    if (isSame && !hasMoved) return [...keys];
    // One key for all that wait in the network: an acknowledgement may help them or not.
    for (const networkId of networks) {
      if (this.#memory.waiting.has(BUCKETS.tables(networkId)))
        keys.add(keyOf('Network', networkId));
    }
    return [...keys];
  }

  service(event: ObjectEvent): readonly AllocatorKey[] {
    const { before, after } = versions<Service>(event);
    const { id } = event.object.meta;
    const keys = new Set<AllocatorKey>();
    const isDirty =
      after !== undefined &&
      (isServicePending(after) || isServiceLeaving(after) || hasHeldPorts(after));
    if (isDirty) keys.add(keyOf('Service', id));
    const isSame = before?.status.endpoint === after?.status.endpoint;
    if (!isSame || before?.status.conditions !== after?.status.conditions) {
      this.#add(keys, BUCKETS.service(id));
    }
    if (before === undefined) return [...keys];
    if (!isSame || after === undefined) {
      // Ports are free, and addresses where there is no quarantine.
      this.#add(keys, BUCKETS.services);
      for (const { networkId } of serviceClaims(before)) this.#addWaiters(keys, networkId);
    }
    if (!isSame || before.spec !== after?.spec) this.#add(keys, BUCKETS.deleting);
    return [...keys];
  }

  slice(event: ObjectEvent, view: View): readonly AllocatorKey[] {
    const { before, after } = versions<EndpointSlice>(event);
    const listed = new Set(after?.spec.backends.map(({ taskId }) => taskId));
    return (before?.spec.backends ?? [])
      .filter(({ taskId }) => !listed.has(taskId))
      .flatMap(({ taskId }) => view.get(Task, taskId) ?? [])
      .filter(isTaskLeaving)
      .map(({ meta }) => keyOf('Task', meta.id));
  }

  task(event: ObjectEvent): readonly AllocatorKey[] {
    const { before, after } = versions<Task>(event);
    const keys = new Set<AllocatorKey>();
    if (after !== undefined && (isTaskPending(after) || isTaskLeaving(after))) {
      keys.add(keyOf('Task', after.meta.id));
    }
    if (!isEqual(usedNetworks(before), usedNetworks(after))) {
      for (const task of [before, after]) {
        if (task?.status.nodeId !== undefined) keys.add(keyOf('Node', task.status.nodeId));
      }
    }
    const claims = taskClaims(before);
    if (claims.length > 0 && taskClaims(after).length === 0) {
      this.#add(keys, BUCKETS.deleting);
      for (const { networkId } of claims) this.#addWaiters(keys, networkId);
    }
    return [...keys];
  }

  #in(bucket: string): Iterable<AllocatorKey> {
    return this.#memory.waiting.in(bucket);
  }

  #add(keys: Set<AllocatorKey>, bucket: string): void {
    for (const key of this.#in(bucket)) keys.add(key);
  }

  /** Whatever may be given an address of the network now. */
  #addUsers(keys: Set<AllocatorKey>, { meta, spec }: StoredObject<Network['spec']>): void {
    this.#addWaiters(keys, meta.id);
    this.#add(keys, BUCKETS.target(meta.name));
    this.#add(keys, BUCKETS.anyNetwork);
    if (spec.isIngress === true) this.#add(keys, BUCKETS.ingress);
  }

  /** Whatever waits for an address of the network and is known by its id. */
  #addWaiters(keys: Set<AllocatorKey>, networkId: NetworkId): void {
    this.#add(keys, BUCKETS.services);
    this.#add(keys, BUCKETS.lacks(networkId));
    this.#add(keys, BUCKETS.target(networkId));
  }
}

/** Whether nothing changed but where the search for addresses goes on. */
function isHintOnly(before: Network | undefined, after: Network): boolean {
  return (
    before !== undefined &&
    before.meta.generation === after.meta.generation &&
    before.meta.deletionRequestedAt === after.meta.deletionRequestedAt &&
    before.meta.finalizers.length === after.meta.finalizers.length &&
    before.status.quarantine === after.status.quarantine &&
    before.status.subnets.length === after.status.subnets.length
  );
}

/** Whether the network may give what it could not give before, or says why it cannot. */
function hasMoreToGive(before: Network | undefined, after: Network): boolean {
  return (
    before === undefined ||
    before.spec !== after.spec ||
    before.meta.name !== after.meta.name ||
    before.status.subnets.length !== after.status.subnets.length ||
    before.status.conditions !== after.status.conditions ||
    after.status.quarantine.length < before.status.quarantine.length
  );
}
