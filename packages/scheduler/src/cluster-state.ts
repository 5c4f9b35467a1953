/**
 * What the scheduler knows: nodes with their use, tasks on them, services, volumes.
 *
 * It follows single changes, and built anew from all objects it gives the same decisions. A task
 * counts on its node while it is observed between `assigned` and `running`, whatever is wanted of
 * it; among the active tasks only while its desired state is at most `complete`.
 *
 * **Source:** SwarmKit manager/scheduler/{nodeset,nodeinfo}.go.
 */
import {
  compareBy,
  compareText,
  isEqual,
  networkDriver,
  type Network,
  type NetworkId,
  type Node,
  type NodeFaults,
  type NodeId,
  type Service,
  type ServiceId,
  type Task,
  type TaskId,
  type Volume,
} from '@skep/api';
import { IndexCache } from './candidate-index.js';
import { ChangeLog, type NodeSource } from './change-log.js';
import type { ClusterView } from './cluster-view.js';
import { NodeRecord, type NodeClaim, type NodeInfo } from './node-info.js';
import { requirementsOf, type Requirements } from './requirements.js';
import { NO_COUNTS, ServiceCounter, type ServiceCounts } from './service-counts.js';
import {
  NO_RESERVATION,
  claimOf,
  isActiveTask,
  isCounted,
  recordedReservation,
  type Reservation,
} from './task-claim.js';
import { VolumeLedger, type VolumeUse } from './volume-ledger.js';

/** Everything that a state is built from. Only nodes and tasks matter to most policies. */
export interface ClusterObjects {
  readonly nodes?: Iterable<Node>;
  readonly tasks?: Iterable<Task>;
  readonly services?: Iterable<Service>;
  readonly volumes?: Iterable<Volume>;
  readonly networks?: Iterable<Network>;
}

interface CountedTask {
  readonly id: TaskId;
  readonly serviceId: ServiceId | undefined;
  readonly node: NodeRecord;
  readonly claim: NodeClaim;
  readonly volumes: readonly VolumeUse[];
  isActive: boolean;
  /** Counted by a plan that the store has not confirmed. */
  isAssumed: boolean;
}

const NONE: readonly never[] = Object.freeze([]);

/** The nodes of a cluster and what runs on them. */
export class ClusterState implements ClusterView, NodeSource {
  readonly volumes: ClusterView['volumes'];
  /** @internal What cached candidates follow. */
  readonly changes = new ChangeLog();
  /** @internal Candidates shared between groups. */
  readonly indexes = new IndexCache();
  readonly #volumes = new VolumeLedger();
  readonly #records = new Map<NodeId, NodeRecord>();
  readonly #tasks = new Map<TaskId, CountedTask>();
  #assumed: CountedTask[] = [];
  readonly #serviceTasks = new Map<ServiceId, ServiceCounter>();
  readonly #faults = new Map<ServiceId, readonly NodeFaults[]>();
  readonly #drivers = new Map<NetworkId, string>();
  #nodes: NodeRecord[] = [];
  #isOrdered = true;
  #revision = 0;

  constructor(objects: ClusterObjects = {}) {
    this.volumes = this.#volumes;
    for (const network of objects.networks ?? NONE) this.upsertNetwork(network);
    for (const volume of objects.volumes ?? NONE) this.upsertVolume(volume);
    for (const service of objects.services ?? NONE) this.upsertService(service);
    for (const node of objects.nodes ?? NONE) this.upsertNode(node);
    for (const task of objects.tasks ?? NONE) this.upsertTask(task);
  }

  /** Rises with every change that can change a decision. */
  get revision(): number {
    return this.#revision;
  }

  get nodes(): readonly NodeInfo[] {
    return this.orderedNodes();
  }

  node(id: NodeId): NodeInfo | undefined {
    const record = this.#records.get(id);
    if (record?.isKnown !== true) return undefined;
    this.orderedNodes();
    return record;
  }

  activeTasksOf(serviceId: ServiceId | undefined): ServiceCounts {
    return (serviceId === undefined ? undefined : this.#serviceTasks.get(serviceId)) ?? NO_COUNTS;
  }

  faultsOf(serviceId: ServiceId | undefined): readonly NodeFaults[] {
    return (serviceId === undefined ? undefined : this.#faults.get(serviceId)) ?? NONE;
  }

  networkDriver(id: NetworkId): string | undefined {
    return this.#drivers.get(id);
  }

  /** Adds a node, or replaces its older version; tasks that said they were on it count now. */
  upsertNode(node: Node): void {
    const record = this.#record(node.meta.id);
    if (!record.isKnown) {
      this.#nodes.push(record);
      this.#isOrdered = false;
    } else if (record.name !== node.meta.name) {
      this.#isOrdered = false;
    }
    record.describe(node);
    this.#touch(record);
  }

  /** Removes a node. Tasks on it are remembered, should it come back before they are gone. */
  removeNode(id: NodeId): void {
    const record = this.#records.get(id);
    if (record?.isKnown !== true) return;
    record.describe(undefined);
    record.ordinal = -1;
    this.#nodes.splice(this.#nodes.indexOf(record), 1);
    this.#isOrdered = false;
    this.#revision += 1;
    this.#forgetIfUnused(record);
  }

  /**
   * Takes over a task as the store has it: adds it, moves it between counted, active and gone.
   * Generic resources and volumes are those recorded in its status, exactly.
   */
  upsertTask(task: Task): void {
    const { status, spec, meta } = task;
    const old = this.#tasks.get(meta.id);
    if (!isCounted(task) || status.nodeId === undefined) {
      if (old !== undefined) this.#detach(old);
      return;
    }
    const isActive = isActiveTask(task);
    const reservation = recordedReservation(task);
    const claim = claimOf(requirementsOf(spec), reservation);
    if (old !== undefined) {
      const isSame =
        old.node.id === status.nodeId &&
        old.serviceId === spec.serviceId &&
        isEqual(old.claim, claim) &&
        isEqual(old.volumes, reservation.volumes ?? NONE);
      if (isSame) {
        old.isAssumed = false;
        if (old.isActive !== isActive) this.#setActive(old, isActive);
        return;
      }
      this.#detach(old);
    }
    this.#attach(task, { nodeId: status.nodeId, claim, reservation, isActive });
  }

  /** Removes a task. */
  removeTask(id: TaskId): void {
    const counted = this.#tasks.get(id);
    if (counted !== undefined) this.#detach(counted);
  }

  /**
   * Counts a task on a node before the store knows: what a plan has decided so far. The next
   * {@link ClusterState.upsertTask} of it confirms or corrects; {@link ClusterState.dropAssumed}
   * takes back what was never written.
   * @returns what the task was given.
   */
  assume(task: Task, node: NodeInfo, requirements: Requirements): Reservation {
    const reservation = this.#chooseReservation(node, requirements);
    const claim = claimOf(requirements, reservation);
    const isActive = isActiveTask(task);
    const old = this.#tasks.get(task.meta.id);
    if (old !== undefined) this.#detach(old);
    const counted = this.#attach(task, { nodeId: node.id, claim, reservation, isActive });
    counted.isAssumed = true;
    this.#assumed.push(counted);
    return reservation;
  }

  /** Takes back every assumption that no task of the store has confirmed. */
  dropAssumed(): void {
    for (const counted of this.#assumed) {
      const isStill = counted.isAssumed && this.#tasks.get(counted.id) === counted;
      if (isStill) this.#detach(counted);
    }
    this.#assumed = [];
  }

  /** Takes over the fault memory of a service. */
  upsertService(service: Service): void {
    const { faults } = service.status;
    if (faults === undefined || faults.length === 0) this.#faults.delete(service.meta.id);
    else this.#faults.set(service.meta.id, faults);
  }

  /** Forgets a service. Its tasks stay until they are removed. */
  removeService(id: ServiceId): void {
    this.#faults.delete(id);
  }

  /** Adds a volume, or replaces its older version. */
  upsertVolume(volume: Volume): void {
    this.#volumes.upsert(volume);
    this.#revision += 1;
  }

  /** Removes a volume. */
  removeVolume(id: string): void {
    this.#volumes.remove(id);
    this.#revision += 1;
  }

  /** Takes over a network: its driver is a plugin that nodes must have. */
  upsertNetwork(network: Network): void {
    this.#drivers.set(network.meta.id, networkDriver(network.spec));
    this.#revision += 1;
  }

  /** Removes a network. */
  removeNetwork(id: NetworkId): void {
    this.#drivers.delete(id);
    this.#revision += 1;
  }

  /** @internal All nodes with positions up to date. */
  orderedNodes(): readonly NodeRecord[] {
    if (this.#isOrdered) return this.#nodes;
    this.#nodes.sort(byNameThenId);
    for (const [ordinal, record] of this.#nodes.entries()) record.ordinal = ordinal;
    this.changes.layout += 1;
    this.#isOrdered = true;
    return this.#nodes;
  }

  #chooseReservation(node: NodeInfo, requirements: Requirements): Reservation {
    const { generic, clusterMounts } = requirements;
    if (generic.length === 0 && clusterMounts.length === 0) return NO_RESERVATION;
    const volumes = this.#volumes.choose(clusterMounts, node);
    return {
      ...(generic.length > 0 ? { genericResources: node.generic.choose(generic) } : {}),
      ...(clusterMounts.length > 0 && volumes.ok ? { volumes: volumes.uses } : {}),
    };
  }

  #attach(
    task: Task,
    place: {
      readonly nodeId: NodeId;
      readonly claim: NodeClaim;
      readonly reservation: Reservation;
      readonly isActive: boolean;
    },
  ): CountedTask {
    const node = this.#record(place.nodeId);
    const counted: CountedTask = {
      id: task.meta.id,
      serviceId: task.spec.serviceId,
      node,
      claim: place.claim,
      volumes: place.reservation.volumes ?? NONE,
      isActive: false,
      isAssumed: false,
    };
    this.#tasks.set(counted.id, counted);
    node.taskCount += 1;
    node.take(counted.claim);
    if (counted.volumes.length > 0) {
      this.#volumes.take({ taskId: counted.id, nodeId: node.id }, counted.volumes);
    }
    if (place.isActive) this.#setActive(counted, true);
    else this.#touch(node);
    return counted;
  }

  #detach(counted: CountedTask): void {
    if (counted.isActive) this.#setActive(counted, false);
    this.#tasks.delete(counted.id);
    counted.node.taskCount -= 1;
    counted.node.giveBack(counted.claim);
    this.#volumes.giveBack(counted.id, counted.volumes);
    this.#touch(counted.node);
    this.#forgetIfUnused(counted.node);
  }

  #setActive(counted: CountedTask, isActive: boolean): void {
    const { node, serviceId } = counted;
    const step = isActive ? 1 : -1;
    counted.isActive = isActive;
    node.activeTasks += step;
    if (serviceId !== undefined) this.#countService(serviceId, node, step);
    this.#touch(node);
  }

  #countService(serviceId: ServiceId, node: NodeRecord, step: 1 | -1): void {
    let counts = this.#serviceTasks.get(serviceId);
    if (counts === undefined) {
      counts = new ServiceCounter();
      this.#serviceTasks.set(serviceId, counts);
    }
    counts.step(node, step);
    if (counts.isEmpty) this.#serviceTasks.delete(serviceId);
  }

  #touch(record: NodeRecord): void {
    this.#revision += 1;
    if (record.isKnown) this.changes.add(record, this.#nodes.length);
  }

  #record(id: NodeId): NodeRecord {
    let record = this.#records.get(id);
    if (record === undefined) {
      record = new NodeRecord(id);
      this.#records.set(id, record);
    }
    return record;
  }

  #forgetIfUnused(record: NodeRecord): void {
    if (!record.isKnown && record.taskCount === 0) this.#records.delete(record.id);
  }
}

const byNameThenId = compareBy<NodeRecord>(
  (a, b) => compareText(a.name, b.name),
  (a, b) => compareText(a.id, b.id),
);
