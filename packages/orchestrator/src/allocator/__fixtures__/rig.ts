/**
 * The allocator on a memory store, without the controller runtime: every commit is observed and
 * mapped to keys at once, and passes run until nothing is dirty. Every plan is compared with that
 * of an allocator that starts afresh from the same view (law 1).
 */
import {
  Cluster,
  EndpointSlice,
  Network,
  Node,
  Service,
  Task,
  isDeleting,
  isEqual,
  newObject,
  seededRandom,
  withMeta,
  withSpec,
  withStatus,
  type AnyKind,
  type Clock,
  type Condition,
  type ClusterSpec,
  type Kind,
  type NetworkSpec,
  type ObjectId,
  type PortSpec,
  type ServiceSpec,
  type StoredObject,
  type TaskSpec,
} from '@skep/api';
import type { BatchController, PlanGroup } from '@skep/controller';
import { memoryStore, type Change, type ObjectEvent, type Store } from '@skep/store';
import { allocatorController } from '../controller.js';

const KINDS: readonly AnyKind[] = [Cluster, Network, Node, Service, EndpointSlice, Task];

/** Passes in a row after which nothing will ever settle. */
const PASSES_MAX = 500;

export class AllocatorRig {
  now = 1_000;
  readonly store: Store;
  controller: BatchController = allocatorController();
  /** Groups for which this is true are lost, as if the process had died. */
  loses: (group: PlanGroup) => boolean = () => false;
  /** Whether commits are told when the next pass begins, with a view that shows later ones. */
  isLate = false;
  passes = 0;
  readonly dirty = new Set<string>();
  readonly times = new Map<string, number>();
  readonly warnings: string[] = [];
  #untold: (readonly ObjectEvent[])[] = [];

  constructor(cluster: ClusterSpec = {}) {
    const clock: Clock = {
      now: () => this.now,
      schedule: () => ({ cancel: () => undefined }),
      defer: () => undefined,
    };
    this.store = memoryStore({
      clock,
      kinds: KINDS,
      checks: { ownership: true, freeze: true },
      // Nothing may depend on the order of lists.
      listOrder: seededRandom(7),
    });
    this.controller.state?.rebuild(this.store.view());
    this.#create(newObject(Cluster, { id: 'cluster', name: 'default', spec: cluster }));
  }

  /** Another allocator takes over: a fresh memory, and every object is looked at. */
  restart(): void {
    this.controller = allocatorController();
    this.dirty.clear();
    this.times.clear();
    this.#untold = [];
    const view = this.store.view();
    this.controller.state?.rebuild(view);
    for (const { kind, keys } of this.controller.watches ?? []) {
      for (const object of view.list(kind as Kind)) {
        for (const key of keys({ type: 'created', object }, view)) this.dirty.add(key);
      }
    }
  }

  network(name: string, spec: NetworkSpec = {}): this {
    return this.#create(newObject(Network, { id: name, name, spec, finalizers: ['allocator'] }));
  }

  ingress(): this {
    return this.network('ingress', { driver: { name: 'overlay' }, isIngress: true });
  }

  node(id: string): this {
    const spec = { role: 'worker', availability: 'active' } as const;
    this.#create(newObject(Node, { id, name: id, spec }));
    return this.update(Node, id, 'dispatcher', (node) =>
      withStatus(node, { ...node.status, state: 'ready', tables: { appliedRevision: 0 } }),
    );
  }

  service(name: string, networks: readonly string[], ports: readonly PortSpec[] = []): this {
    return this.serviceOf(name, {
      task: { networks: networks.map((target) => ({ target })) },
      endpoint: { ports },
    });
  }

  serviceOf(name: string, spec: ServiceSpec): this {
    const finalizers = ['orchestrator', 'allocator'];
    return this.#create(newObject(Service, { id: name, name, spec, finalizers }));
  }

  /** Tasks `SERVICE.SLOT` of the service as it is. */
  tasks(serviceName: string, ...slots: readonly number[]): this {
    const service = this.get(Service, serviceName);
    for (const slot of slots) {
      this.task(`${serviceName}.${slot}`, {
        serviceId: serviceName,
        serviceName,
        slot,
        specVersion: service.meta.generation,
        template: service.spec.task,
      });
    }
    return this;
  }

  task(id: string, spec: Partial<TaskSpec>): this {
    const whole: TaskSpec = {
      serviceName: '',
      slot: 1,
      desiredState: 'running',
      cause: 'scale',
      template: {},
      ...spec,
    };
    return this.#create(newObject(Task, { id, spec: whole }));
  }

  /** What scheduler and node do. */
  runs(taskId: string, nodeId: string): this {
    return this.update(Task, taskId, 'scheduler', (task) =>
      withStatus(task, { ...task.status, state: 'assigned', nodeId }),
    ).update(Task, taskId, 'dispatcher', (task) =>
      withStatus(task, { ...task.status, state: 'running', runningAt: this.now }),
    );
  }

  /** The task has ended. */
  ends(taskId: string): this {
    return this.update(Task, taskId, 'dispatcher', (task) =>
      withStatus(task, { ...task.status, state: 'complete' }),
    );
  }

  /** What the endpoints loop says when no table routes to the task. */
  drained(taskId: string): this {
    return this.update(Task, taskId, 'endpoints', (task) =>
      withStatus(task, { ...task.status, drainedAt: this.now }),
    );
  }

  /** All nodes, or these, hold the tables of the newest revision. */
  applied(...nodeIds: readonly string[]): this {
    const { revision } = this.store.view();
    const all = this.store.view().list(Node).map(({ meta }) => meta.id);
    for (const id of nodeIds.length > 0 ? nodeIds : all.sort()) {
      this.update(Node, id, 'dispatcher', (node) =>
        withStatus(node, { ...node.status, tables: { appliedRevision: revision } }),
      );
    }
    return this;
  }

  /** Replaces the spec of a service. */
  respec(name: string, change: (spec: ServiceSpec) => ServiceSpec): this {
    return this.update(Service, name, 'user', (service) => withSpec(service, change(service.spec)));
  }

  /** The orchestrator has no tasks of the deleting service any more. */
  dropOrchestrator(name: string): this {
    return this.update(Service, name, 'orchestrator', (service) =>
      withMeta(service, { finalizers: ['allocator'] }),
    );
  }

  /** Asks for the deletion; again: nothing happens. */
  remove(kind: AnyKind, id: ObjectId, actor = 'user'): this {
    if (isDeleting(this.get(kind as Kind, id))) return this;
    return this.#commitOrThrow(actor, [{ type: 'delete', kind: kind.name, id }]);
  }

  update<S, T>(
    kind: Kind<S, T>,
    id: ObjectId,
    actor: string,
    change: (object: StoredObject<S, T>) => StoredObject<S, T>,
  ): this {
    return this.#commitOrThrow(actor, [{ type: 'update', object: change(this.get(kind, id)) }]);
  }

  create(object: StoredObject): this {
    return this.#create(object);
  }

  get<S, T>(kind: Kind<S, T>, id: ObjectId): StoredObject<S, T> {
    const object = this.store.view().get(kind, id);
    if (object === undefined) throw new Error(`there is no ${kind.name} ${id}`);
    return object;
  }

  has(kind: AnyKind, id: ObjectId): boolean {
    return this.store.view().get(kind as Kind, id) !== undefined;
  }

  /** The condition of an object by which the allocator explains itself. */
  condition(kind: AnyKind, id: ObjectId, type = 'Allocated'): Condition | undefined {
    const status = this.get(kind as Kind, id).status as { readonly conditions?: readonly Condition[] };
    return status.conditions?.find((condition) => condition.type === type);
  }

  /** Addresses of a task by network. */
  addresses(taskId: string): Record<string, readonly string[]> {
    const networks = this.get(Task, taskId).status.networks ?? [];
    return Object.fromEntries(networks.map((one) => [one.networkId, one.addresses]));
  }

  /** Virtual addresses of a service, as `NETWORK=ADDRESS`. */
  virtual(name: string): readonly string[] {
    const endpoint = this.get(Service, name).status.endpoint;
    return (endpoint?.virtualAddresses ?? []).map((one) => `${one.networkId}=${one.address}`);
  }

  /** Published numbers of a service. */
  ports(name: string): readonly number[] {
    const endpoint = this.get(Service, name).status.endpoint;
    return (endpoint?.ports ?? []).map((port) => port.publishedPort);
  }

  /** Addresses in quarantine. */
  quarantine(networkId: string): readonly string[] {
    return this.get(Network, networkId).status.quarantine.map(({ address }) => address);
  }

  /** Lets time pass; due keys become dirty. */
  passTime(ms: number): this {
    this.now += ms;
    for (const [key, at] of [...this.times]) {
      if (at > this.now) continue;
      this.times.delete(key);
      this.dirty.add(key);
    }
    return this;
  }

  /** Runs passes until nothing is dirty. */
  settle(): this {
    for (let pass = 0; this.dirty.size + this.#untold.length > 0; pass += 1) {
      if (pass > PASSES_MAX) throw new Error(`does not settle: ${[...this.dirty].join()}`);
      this.pass();
    }
    return this;
  }

  /** One pass over everything that is dirty. */
  pass(): this {
    this.passes += 1;
    this.#tell();
    const view = this.store.view();
    const keys = [...this.dirty];
    this.dirty.clear();
    const plan = this.controller.planBatch(view, keys, this.now);
    this.#compareWithFresh(plan, keys);
    for (const key of keys) this.times.delete(key);
    for (const [key, at] of plan.requeueAt ?? []) {
      // As the runtime: only keys of the pass have a time.
      if (!keys.includes(key)) continue;
      if (at <= this.now) this.dirty.add(key);
      else this.times.set(key, at);
    }
    for (const { reason, message } of plan.events ?? []) {
      this.warnings.push(`${reason}: ${message}`);
    }
    for (const group of plan.groups) {
      if (this.loses(group)) continue;
      if (!this.commit('allocator', group.changes)) for (const key of group.keys) this.dirty.add(key);
    }
    return this;
  }

  /** Commits, observes and wakes; false on a conflict. */
  commit(actor: string, changes: readonly Change[]): boolean {
    const before = this.store.view();
    let fault: unknown;
    // The memory store commits within the call.
    this.store.commit({ actor, changes }).catch((thrown: unknown) => {
      fault = thrown;
    });
    const view = this.store.view();
    if (fault !== undefined) throw fault;
    if (view.revision === before.revision) return changes.length === 0;
    this.#untold.push(changes.flatMap((change) => eventOf(change, before, view)));
    if (!this.isLate) this.#tell();
    return true;
  }

  #tell(): void {
    const view = this.store.view();
    for (const events of this.#untold.splice(0)) {
      this.controller.state?.observe(events, view);
      for (const event of events) {
        for (const watch of this.controller.watches ?? []) {
          if (watch.kind.name !== event.object.kind) continue;
          for (const key of watch.keys(event, view)) this.dirty.add(key);
        }
      }
    }
  }

  #create(object: StoredObject): this {
    return this.#commitOrThrow('user', [{ type: 'create', object }]);
  }

  #commitOrThrow(actor: string, changes: readonly Change[]): this {
    if (!this.commit(actor, changes)) throw new Error(`conflict: ${JSON.stringify(changes)}`);
    return this;
  }

  #compareWithFresh(plan: unknown, keys: readonly string[]): void {
    const view = this.store.view();
    const fresh = allocatorController();
    fresh.state?.rebuild(view);
    if (!isEqual(fresh.planBatch(view, keys, this.now), plan)) {
      throw new Error(`a fresh allocator plans otherwise for ${keys.join()}`);
    }
    if (!isEqual(this.controller.planBatch(view, [...keys].reverse(), this.now), plan)) {
      throw new Error(`planned twice, the plan differs for ${keys.join()}`);
    }
  }
}

type Tables = ReturnType<Store['view']>;

function eventOf(change: Change, before: Tables, after: Tables): readonly ObjectEvent[] {
  const name = change.type === 'delete' ? change.kind : change.object.kind;
  const id = change.type === 'delete' ? change.id : change.object.meta.id;
  const kind = KINDS.find((one) => one.name === name) as Kind;
  const previous = before.get(kind, id);
  const object = after.get(kind, id);
  if (object === undefined) {
    return previous === undefined ? [] : [{ type: 'deleted', object: previous, previous }];
  }
  if (previous === undefined) return [{ type: 'created', object }];
  return [{ type: 'updated', object, previous }];
}
