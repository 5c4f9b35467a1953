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
  SkepError,
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
import type { ClusterObjects, ClusterView } from './cluster-view.js';
import { Journal } from './journal.js';
import type { NodeColumns } from './node-columns.js';
import type { NodeInfo } from './node-info.js';
import { NodeTable } from './node-table.js';
import { PlacedTasks, countedTask, type CountedTask, type PlacedTask } from './placed-tasks.js';
import { requirementsOf, type Requirements } from './requirements.js';
import { chooseReservation } from './reservation.js';
import type { ServiceCounts } from './service-counts.js';
import { ServiceTable } from './service-table.js';
import {
  claimOf,
  isActiveTask,
  isCounted,
  recordedReservation,
  type Reservation,
} from './task-claim.js';
import { VolumeLedger } from './volume-ledger.js';

export type { ClusterObjects } from './cluster-view.js';

const NONE: readonly never[] = Object.freeze([]);

/** The nodes of a cluster and what runs on them. */
export class ClusterState implements ClusterView {
  readonly volumes: ClusterView['volumes'];
  /** @internal The nodes, and what changed among them: what cached candidates follow. */
  readonly table = new NodeTable();
  /** @internal Candidates shared between groups. */
  readonly indexes = new IndexCache();
  readonly #volumes = new VolumeLedger();
  readonly #tasks = new PlacedTasks();
  readonly #journal = new Journal();
  #assumed: CountedTask[] = [];
  readonly #services = new ServiceTable();
  readonly #networks = new Map<NetworkId, Network>();

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
    return this.table.revision;
  }

  get nodes(): readonly NodeInfo[] {
    return this.table.orderedNodes();
  }

  get columns(): NodeColumns {
    return this.table.columns();
  }

  node(id: NodeId): NodeInfo | undefined {
    const record = this.table.find(id);
    if (record?.isKnown !== true) return undefined;
    this.table.orderedNodes();
    return record;
  }

  activeTasksOf(serviceId: ServiceId | undefined): ServiceCounts {
    return this.#services.countsOf(serviceId);
  }

  faultsOf(serviceId: ServiceId | undefined): readonly NodeFaults[] {
    return this.#services.faultsOf(serviceId);
  }

  serviceId(nameOrId: string): ServiceId {
    return this.#services.idOf(nameOrId);
  }

  networkDriver(id: NetworkId): string | undefined {
    const network = this.#networks.get(id);
    return network === undefined ? undefined : networkDriver(network.spec);
  }

  placedTask(id: TaskId): PlacedTask | undefined {
    return this.#tasks.get(id);
  }

  tasksOn(id: NodeId): readonly PlacedTask[] {
    const record = this.table.find(id);
    return record === undefined ? NONE : this.#tasks.on(record);
  }

  tasksWithAntiAffinity(): readonly PlacedTask[] {
    return this.#tasks.withAntiAffinity();
  }

  /** Adds a node, or replaces its older version; tasks that said they were on it count now. */
  upsertNode(node: Node): void {
    const record = this.table.record(node.meta.id);
    const old = record.isKnown ? record.node : undefined;
    if (old === undefined) this.table.add(record);
    else if (old.meta.name !== node.meta.name) this.table.disorder();
    this.table.renew();
    const devices = node.status.description?.resources.devices;
    const areSame = isEqual(devices, old?.status.description?.resources.devices);
    const tasks = areSame || record.taskCount === 0 ? NONE : this.#tasks.on(record);
    record.describe(node, areSame ? undefined : tasks.map(({ claim }) => claim.devices));
    this.table.described(record);
    this.#noteObject(() => (old ? this.upsertNode(old) : this.removeNode(node.meta.id)));
  }

  /** Removes a node. Tasks on it are remembered, should it come back before they are gone. */
  removeNode(id: NodeId): void {
    const record = this.table.find(id);
    if (record?.isKnown !== true) return;
    const old = record.node;
    record.describe(undefined);
    this.table.remove(record);
    this.table.forgetIfUnused(record);
    this.#noteObject(() => {
      // The same record: tasks that are put back refer to it.
      this.table.remember(record);
      this.upsertNode(old);
    });
  }

  /**
   * Takes over a task as the store has it: adds it, moves it between counted, active and gone.
   * Devices, generic resources and volumes are those recorded in its status, exactly.
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
        isEqual(old.reservation.volumes ?? NONE, reservation.volumes ?? NONE);
      if (isSame) {
        this.#confirm(old, task, isActive);
        return;
      }
      this.#detach(old);
    }
    const node = this.table.record(status.nodeId);
    this.#attach(countedTask(task, { node, claim, reservation, isActive }));
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
   * @param isNew - the task is known not to count yet: saves a look-up among all that do.
   * @param chosen - what a policy's reserves chose; the rest is chosen here.
   * @returns what the task was given.
   */
  assume(
    task: Task,
    node: NodeInfo,
    {
      requirements,
      chosen,
      isNew = false,
    }: {
      readonly requirements: Requirements;
      readonly chosen?: Reservation | undefined;
      readonly isNew?: boolean | undefined;
    },
  ): Reservation {
    const reservation = chooseReservation(this.#volumes, node, requirements, chosen);
    const claim = claimOf(requirements, reservation);
    const isActive = isActiveTask(task);
    const old = isNew ? undefined : this.#tasks.get(task.meta.id);
    if (old !== undefined) this.#detach(old);
    const record = this.table.recordOf(node);
    const counted = countedTask(task, { node: record, claim, reservation, isActive });
    counted.isAssumed = true;
    this.#attach(counted);
    this.#assumed.push(counted);
    return reservation;
  }

  /**
   * Counts a task on a node, whatever filters say: for trials, and for tests that set a scene.
   * @param chosen - what it gets there; absent, chosen as for any task.
   * @throws SkepError not-found for a node that is not known.
   */
  place(task: Task, nodeId: NodeId, chosen?: Reservation): PlacedTask {
    const node = this.node(nodeId);
    if (node === undefined) {
      throw new SkepError('not-found', `task ${task.meta.id} cannot be placed: no node ${nodeId}`);
    }
    this.assume(task, node, { requirements: requirementsOf(task.spec), chosen });
    return this.#tasks.get(task.meta.id) as PlacedTask;
  }

  /** Takes a task off its node. What it gives back serves {@link ClusterState.restore}. */
  release(id: TaskId): PlacedTask | undefined {
    const counted = this.#tasks.get(id);
    if (counted === undefined) return undefined;
    const released = { ...counted };
    this.#detach(counted);
    return released;
  }

  /** Puts a released task back, exactly as it was. */
  restore(placed: PlacedTask): void {
    const old = this.#tasks.get(placed.id);
    if (old !== undefined) this.#detach(old);
    const node = this.table.record(placed.node.id);
    const counted = { ...placed, node };
    this.#attach(counted);
    if (counted.isAssumed) this.#assumed.push(counted);
  }

  /**
   * Runs `change`, which may change this state in any way, and then undoes all of it.
   * May be nested. Cost: what the changes cost, twice.
   */
  attempt<Result>(change: () => Result): Result {
    return this.#journal.attempt(change);
  }

  /** A copy that changes by itself. Cost: O(nodes + tasks + other objects). */
  clone(): ClusterState {
    const copy = new ClusterState({
      services: this.#services.values(),
      networks: this.#networks.values(),
      volumes: this.#volumes.values(),
    });
    for (const record of this.table.records()) if (record.isKnown) copy.upsertNode(record.node);
    for (const counted of this.#tasks.values()) {
      const twin = { ...counted, node: copy.table.record(counted.node.id) };
      copy.#attach(twin);
      if (twin.isAssumed) copy.#assumed.push(twin);
    }
    return copy;
  }

  /** Takes back every assumption that no task of the store has confirmed. */
  dropAssumed(): void {
    const assumed = this.#assumed;
    for (const counted of assumed) {
      const isStill = counted.isAssumed && this.#tasks.get(counted.id) === counted;
      if (isStill) this.#detach(counted);
    }
    this.#assumed = [];
    if (this.#journal.isOpen) this.#journal.note(() => (this.#assumed = assumed));
  }

  /** Takes over a service: its name, and the memory of its faults. */
  upsertService(service: Service): void {
    const { id } = service.meta;
    const old = this.#services.get(id);
    this.#services.upsert(service);
    this.#noteObject(() => (old ? this.upsertService(old) : this.removeService(id)));
  }

  /** Forgets a service. Its tasks stay until they are removed. */
  removeService(id: ServiceId): void {
    const old = this.#services.get(id);
    this.#services.remove(id);
    this.#noteObject(() => old && this.upsertService(old));
  }

  /** Adds a volume, or replaces its older version. */
  upsertVolume(volume: Volume): void {
    const old = this.#volumes.get(volume.meta.id);
    this.#volumes.upsert(volume);
    this.#noteObject(() => (old ? this.upsertVolume(old) : this.removeVolume(volume.meta.id)));
  }

  /** Removes a volume. */
  removeVolume(id: string): void {
    const old = this.#volumes.get(id);
    this.#volumes.remove(id);
    this.#noteObject(() => old && this.upsertVolume(old));
  }

  /** Takes over a network: its driver is a plugin that nodes must have. */
  upsertNetwork(network: Network): void {
    const { id } = network.meta;
    const old = this.#networks.get(id);
    this.#networks.set(id, network);
    this.#noteObject(() => (old ? this.upsertNetwork(old) : this.removeNetwork(id)));
  }

  /** Removes a network. */
  removeNetwork(id: NetworkId): void {
    const old = this.#networks.get(id);
    this.#networks.delete(id);
    this.#noteObject(() => old && this.upsertNetwork(old));
  }

  /** An object other than a task changed: notes how to undo it. */
  #noteObject(undo: () => void): void {
    this.table.revision += 1;
    if (this.#journal.isOpen) this.#journal.note(undo);
  }

  #confirm(counted: CountedTask, task: Task, isActive: boolean): void {
    if (this.#journal.isOpen) {
      const before = { task: counted.task, isAssumed: counted.isAssumed };
      const wasActive = counted.isActive;
      this.#journal.note(() => {
        Object.assign(counted, before);
        if (counted.isActive !== wasActive) this.#setActive(counted, wasActive);
      });
    }
    counted.task = task;
    counted.isAssumed = false;
    if (counted.isActive !== isActive) this.#setActive(counted, isActive);
  }

  #attach(counted: CountedTask): void {
    this.#count(counted, counted.isActive);
    if (this.#journal.isOpen) this.#journal.note(() => this.#uncount(counted));
  }

  #detach(counted: CountedTask): void {
    const wasActive = counted.isActive;
    this.#uncount(counted);
    if (!this.#journal.isOpen) return;
    this.#journal.note(() => {
      this.table.remember(counted.node);
      this.#count(counted, wasActive);
    });
  }

  #count(counted: CountedTask, isActive: boolean): void {
    const { node, claim, reservation } = counted;
    counted.isActive = false;
    this.#tasks.add(counted);
    node.taskCount += 1;
    node.take(claim);
    const { volumes } = reservation;
    if (volumes !== undefined) this.#volumes.take({ taskId: counted.id, nodeId: node.id }, volumes);
    if (isActive) this.#setActive(counted, true);
    else this.table.touch(node);
  }

  #uncount(counted: CountedTask): void {
    const { node, claim, reservation } = counted;
    if (counted.isActive) this.#setActive(counted, false);
    this.#tasks.delete(counted);
    node.taskCount -= 1;
    node.giveBack(claim);
    this.#volumes.giveBack(counted.id, reservation.volumes ?? NONE);
    this.table.touch(node);
    this.table.forgetIfUnused(node);
  }

  #setActive(counted: CountedTask, isActive: boolean): void {
    const { node, serviceId } = counted;
    const step = isActive ? 1 : -1;
    counted.isActive = isActive;
    node.activeTasks += step;
    if (serviceId !== undefined) this.#services.step(serviceId, node, step);
    this.table.touch(node);
  }
}
