/**
 * The scheduler loop by hand: a store in memory, commits that are observed and wake keys, passes
 * when the test says so. Every pass is compared with that of a scheduler built anew from the view.
 */
import {
  Network,
  Node,
  Service,
  Task,
  Volume,
  isEqual,
  newObject,
  seededRandom,
  withSpec,
  withStatus,
  type AnyKind,
  type Clock,
  type Kind,
  type Labels,
  type NodeSpec,
  type NodeStatus,
  type ObjectId,
  type Resources,
  type StoredObject,
  type TaskSpec,
  type TaskStatus,
} from '@skep/api';
import type { BatchController, PlanGroup } from '@skep/controller';
import { memoryStore, type Change, type ObjectEvent, type Store } from '@skep/store';
import { schedulerController, type SchedulerOptions } from '../controller.js';

export const KINDS: readonly AnyKind[] = [Network, Node, Service, Task, Volume];

/** Passes in a row after which nothing will ever settle. */
const PASSES_MAX = 100;

export interface NodeInput {
  readonly labels?: Labels;
  readonly resources?: Resources;
  readonly spec?: Partial<NodeSpec>;
  readonly status?: Partial<NodeStatus>;
}

export class SchedulerRig {
  now = 1_000;
  readonly store: Store;
  readonly dirty = new Set<string>();
  readonly times = new Map<string, number>();
  /** Keys of every pass, sorted. */
  readonly passes: string[][] = [];
  /** Groups for which this is true are lost, as if the process had died or met a conflict. */
  loses: (group: PlanGroup) => boolean = () => false;
  controller: BatchController;
  readonly #options: SchedulerOptions;

  constructor(options: SchedulerOptions = {}) {
    const clock: Clock = {
      now: () => this.now,
      schedule: () => ({ cancel: () => undefined }),
      defer: () => undefined,
    };
    this.#options = options;
    this.controller = schedulerController(options);
    this.store = memoryStore({
      clock,
      kinds: KINDS,
      checks: { ownership: true, freeze: true },
      // Nothing may depend on the order of lists.
      listOrder: seededRandom(7),
    });
    this.controller.state?.rebuild(this.store.view());
  }

  /** Nodes that are ready: 1 core, 1,000 bytes of memory. */
  nodes(...ids: readonly string[]): this {
    for (const id of ids) this.node(id);
    return this;
  }

  node(id: string, input: NodeInput = {}): this {
    const { labels = {}, resources = { cpuNanos: 1e9, memoryBytes: 1000 } } = input;
    const spec = { role: 'worker', availability: 'active', ...input.spec } as const;
    const status: NodeStatus = {
      state: 'ready',
      message: '',
      address: '10.1.0.1',
      description: {
        hostname: id,
        platform: { os: 'linux', architecture: 'amd64' },
        resources,
        engine: { version: '24', labels: {} },
      },
      ...input.status,
    };
    return this.create(newObject(Node, { id, name: id, labels, spec, status }));
  }

  /** Tasks `SERVICE.SLOT` that are allocated and wait for a node. */
  tasks(service: string, slots: readonly number[], input: Partial<TaskSpec> = {}): this {
    for (const slot of slots) this.task(`${service}.${slot}`, { ...input, slot }, service);
    return this;
  }

  task(
    id: string,
    input: Partial<TaskSpec> = {},
    service = 'web',
    status: Partial<TaskStatus> = {},
  ): this {
    const spec: TaskSpec = {
      serviceId: service,
      serviceName: service,
      slot: 1,
      desiredState: 'running',
      specVersion: 1,
      cause: 'scale',
      template: {},
      ...input,
    };
    const message = 'pending task scheduling';
    const whole: TaskStatus = {
      state: 'pending',
      timestamp: this.now,
      appliedAt: this.now,
      message,
      ...status,
    };
    return this.create(newObject(Task, { id, spec, status: whole }));
  }

  /** What the node says about the task. */
  reports(id: string, state: TaskStatus['state']): this {
    return this.update(Task, id, 'dispatcher', (task) =>
      withStatus(task, { ...task.status, state }),
    );
  }

  /** What the orchestrator wants of the task. */
  wants(id: string, desiredState: TaskSpec['desiredState']): this {
    return this.update(Task, id, 'orchestrator', (task) =>
      withSpec(task, { ...task.spec, desiredState }),
    );
  }

  nodeSpec(id: string, spec: Partial<NodeSpec>): this {
    return this.update(Node, id, 'user', (node) => withSpec(node, { ...node.spec, ...spec }));
  }

  nodeStatus(id: string, status: Partial<NodeStatus>): this {
    return this.update(Node, id, 'dispatcher', (node) =>
      withStatus(node, { ...node.status, ...status }),
    );
  }

  create(object: StoredObject): this {
    return this.#commitOrThrow('user', [{ type: 'create', object }]);
  }

  remove(kind: AnyKind, id: ObjectId): this {
    return this.#commitOrThrow('user', [{ type: 'delete', kind: kind.name, id }]);
  }

  update<S, T>(
    kind: Kind<S, T>,
    id: ObjectId,
    actor: string,
    change: (object: StoredObject<S, T>) => StoredObject<S, T>,
  ): this {
    return this.#commitOrThrow(actor, [{ type: 'update', object: change(this.get(kind, id)) }]);
  }

  get<S, T>(kind: Kind<S, T>, id: ObjectId): StoredObject<S, T> {
    const object = this.store.view().get(kind, id);
    if (object === undefined) throw new Error(`there is no ${kind.name} ${id}`);
    return object;
  }

  status(id: string): TaskStatus {
    return this.get(Task, id).status;
  }

  /** Task id → node id, or the state of a task without one. */
  places(): Record<string, string> {
    const tasks = [...this.store.view().list(Task)].sort((a, b) =>
      a.meta.id < b.meta.id ? -1 : 1,
    );
    return Object.fromEntries(
      tasks.map(({ meta, status }) => [meta.id, status.nodeId ?? status.state]),
    );
  }

  /** Another scheduler takes over: a fresh memory, and every task is looked at. */
  restart(): this {
    this.controller = schedulerController(this.#options);
    this.controller.state?.rebuild(this.store.view());
    this.dirty.clear();
    this.times.clear();
    for (const object of this.store.view().list(Task)) this.#wake({ type: 'created', object });
    return this;
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
    for (let pass = 0; this.dirty.size > 0; pass += 1) {
      if (pass > PASSES_MAX) throw new Error(`does not settle: ${[...this.dirty].join()}`);
      this.pass();
    }
    return this;
  }

  /** One pass over everything that is dirty. */
  pass(): this {
    const view = this.store.view();
    const keys = [...this.dirty];
    this.passes.push([...keys].sort());
    this.dirty.clear();
    const plan = this.controller.planBatch(view, keys, this.now);
    this.#compareWithFresh(plan, keys);
    for (const [key, at] of plan.requeueAt ?? []) this.times.set(key, at);
    for (const group of plan.groups) {
      const isWritten = !this.loses(group) && this.commit('scheduler', group.changes);
      if (!isWritten) for (const key of group.keys) this.dirty.add(key);
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
    const events = changes.flatMap((change) => eventOf(change, before, view));
    this.controller.state?.observe(events, view);
    for (const event of events) this.#wake(event);
    return true;
  }

  #wake(event: ObjectEvent): void {
    const { predicate, watches = [] } = this.controller;
    const { object } = event;
    if (object.kind === Task.name && predicate?.(event) !== false) this.dirty.add(object.meta.id);
    for (const watch of watches) {
      if (watch.kind.name !== object.kind || watch.predicate?.(event) === false) continue;
      for (const key of watch.keys(event, this.store.view())) this.dirty.add(key);
    }
  }

  #commitOrThrow(actor: string, changes: readonly Change[]): this {
    if (!this.commit(actor, changes)) throw new Error(`conflict: ${JSON.stringify(changes)}`);
    return this;
  }

  #compareWithFresh(plan: unknown, keys: readonly string[]): void {
    const view = this.store.view();
    const fresh = schedulerController(this.#options);
    fresh.state?.rebuild(view);
    if (!isEqual(fresh.planBatch(view, keys, this.now), plan)) {
      throw new Error(`a fresh scheduler plans otherwise for ${keys.join()}`);
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
