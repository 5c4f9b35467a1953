/**
 * A small world for tests: a store without promises, a virtual time, and hands that move tasks.
 * It stamps and checks what a store stamps and checks, ownership included.
 */
import {
  Cluster,
  Node,
  Service,
  Task,
  byService,
  isEqual,
  newObject,
  ownershipFault,
  withMeta,
  withSpec,
  withStatus,
  type Kind,
  type NodeSpec,
  type NodeStatus,
  type ServiceSpec,
  type StoredObject,
  type TaskId,
  type TaskState,
  type TaskStatus,
} from '@skep/api';
import type { Plan } from '@skep/controller';
import type { Change, View } from '@skep/store';
import { planService } from '../orchestrator-controller.js';

const START = 1_000_000;

/** Objects by kind and id, and their times and versions. */
export class World {
  now = START;
  revision = 0;
  /** Tasks that were ever created. */
  created = 0;
  requeueAt: number | undefined = undefined;
  readonly #objects = new Map<string, Map<string, StoredObject>>();

  view(): View {
    const tables = new Map([...this.#objects].map(([kind, table]) => [kind, new Map(table)]));
    const all = (kind: string): StoredObject[] => [...(tables.get(kind)?.values() ?? [])];
    const list: View['list'] = (kind, selector) =>
      all(kind.name).filter((object) => {
        if (selector === undefined) return true;
        const keys = kind.indexes[selector.index]?.(object as never);
        return Array.isArray(keys) ? keys.includes(selector.key) : keys === selector.key;
      }) as never;
    return {
      revision: this.revision,
      get: (kind, id) => tables.get(kind.name)?.get(id) as never,
      getByName: (kind, name) =>
        all(kind.name).find(
          (object) => object.meta.name.toLowerCase() === name.toLowerCase(),
        ) as never,
      list,
      count: (kind, selector) => list(kind, selector).length,
    };
  }

  get<Spec, Status>(kind: Kind<Spec, Status>, id: string): StoredObject<Spec, Status> {
    const object = this.view().get(kind, id);
    if (object === undefined) throw new Error(`no ${kind.name} ${id}`);
    return object;
  }

  /** Commits changes as an actor: versions, generations, times, ownership. */
  commit(actor: string, changes: readonly Change[]): void {
    this.revision += 1;
    for (const change of changes) {
      if (change.type === 'delete') this.#delete(change.kind, change.id);
      else this.#write(actor, change.type, change.object);
    }
  }

  /** One pass over a service; `upTo` commits only so many of its changes, as a crash would. */
  pass(serviceId: string, upTo = Infinity): Plan {
    const plan = planService(this.view(), serviceId, this.now);
    this.requeueAt = plan.requeueAt;
    const changes = plan.changes.slice(0, upTo);
    if (changes.length > 0) this.commit('orchestrator', changes);
    return plan;
  }

  /** Passes until nothing changes. */
  settle(serviceId = 'svc'): void {
    for (let i = 0; i < 50; i += 1) if (this.pass(serviceId).changes.length === 0) return;
    throw new Error('the plan never came to rest');
  }

  /** Moves time, one pass at every moment that was asked for. */
  advance(ms: number, serviceId = 'svc'): void {
    const end = this.now + ms;
    this.settle(serviceId);
    while (this.requeueAt !== undefined && this.requeueAt <= end) {
      if (this.requeueAt <= this.now) throw new Error('requeue at a time that is past');
      this.now = this.requeueAt;
      this.settle(serviceId);
    }
    this.now = end;
    this.settle(serviceId);
  }

  node(id: string, spec: Partial<NodeSpec> = {}, status: Partial<NodeStatus> = {}): void {
    const object = newObject(Node, {
      id,
      name: id,
      spec: { role: 'worker', availability: 'active', ...spec } as NodeSpec,
      status: { state: 'ready', message: '', address: '', ...status } as NodeStatus,
    });
    this.commit('setup', [{ type: 'create', object }]);
  }

  setNode(id: string, spec: Partial<NodeSpec>, status: Partial<NodeStatus> = {}): void {
    const node = this.get(Node, id);
    const object = withStatus(withSpec(node, { ...node.spec, ...spec }), {
      ...node.status,
      ...status,
    });
    this.#put(object);
  }

  labelNode(id: string, labels: Record<string, string>): void {
    this.#put(withMeta(this.get(Node, id), { labels }));
  }

  service(spec: Partial<ServiceSpec>, id = 'svc'): void {
    const object = newObject(Service, {
      id,
      name: id,
      finalizers: ['orchestrator', 'allocator'],
      spec: { task: { container: { image: 'a' } }, ...spec },
    });
    this.commit('user', [{ type: 'create', object }]);
  }

  declare(change: (spec: ServiceSpec) => ServiceSpec, id = 'svc'): void {
    const service = this.get(Service, id);
    this.commit('user', [{ type: 'update', object: withSpec(service, change(service.spec)) }]);
  }

  cluster(spec: Cluster['spec']): void {
    const object = newObject(Cluster, { id: 'cluster', name: 'default', spec });
    this.commit('setup', [{ type: 'create', object }]);
  }

  requestRemoval(id = 'svc'): void {
    this.#put(withMeta(this.get(Service, id), { deletionRequestedAt: this.now }));
  }

  tasks(id = 'svc'): readonly Task[] {
    return [...this.view().list(Task, byService(id))].sort(
      (a, b) =>
        a.spec.slot - b.spec.slot ||
        (a.spec.nodeId ?? '').localeCompare(b.spec.nodeId ?? '') ||
        a.meta.createdAt - b.meta.createdAt ||
        Number(a.spec.replaces === b.meta.id) - Number(b.spec.replaces === a.meta.id) ||
        (a.meta.id < b.meta.id ? -1 : 1),
    );
  }

  /** Tasks that are to run. */
  wanted(id = 'svc'): readonly Task[] {
    return this.tasks(id).filter((task) =>
      ['ready', 'running', 'complete'].includes(task.spec.desiredState),
    );
  }

  /** Moves a task as allocator, scheduler and agent would. */
  observe(id: TaskId, state: TaskState, more: Partial<TaskStatus> = {}): void {
    const task = this.get(Task, id);
    const runningAt =
      state === 'running' && task.status.runningAt === undefined ? { runningAt: this.now } : {};
    const status = { ...task.status, state, ...runningAt, ...more };
    this.#put(withStatus(task, { ...status, timestamp: this.now, appliedAt: this.now }));
  }

  /** Puts a task on a node and moves it as far as it is wanted. */
  run(task: Task, nodeId?: string): void {
    const place = nodeId ?? task.status.nodeId ?? task.spec.nodeId ?? 'n1';
    const { desiredState } = this.get(Task, task.meta.id).spec;
    const state = desiredState === 'ready' ? 'ready' : 'running';
    this.observe(task.meta.id, state, { nodeId: place });
  }

  /** A healthy cluster: stops what is to stop, runs what is to run. */
  obey(id = 'svc'): void {
    for (const task of this.tasks(id)) {
      const ended = ['complete', 'shutdown', 'failed', 'rejected', 'orphaned'];
      if (ended.includes(task.status.state)) continue;
      if (['shutdown', 'remove'].includes(task.spec.desiredState)) {
        this.observe(task.meta.id, 'shutdown');
      } else if (task.spec.desiredState !== 'ready' || task.status.state !== 'ready') {
        if (task.status.state !== 'running') this.run(task);
      }
    }
  }

  /**
   * Plays time in steps: passes, a healthy cluster, passes. `isBroken` tasks fail, not run.
   * `check` sees the world after every change.
   */
  play(
    ms: number,
    options: {
      readonly stepMs?: number;
      readonly isBroken?: (task: Task) => boolean;
      readonly check?: () => void;
    } = {},
  ): void {
    const end = this.now + ms;
    const { stepMs = 100, isBroken = () => false, check = () => undefined } = options;
    for (; this.now < end; this.now += stepMs) {
      this.settle();
      check();
      for (const task of this.tasks()) {
        const starts = task.spec.desiredState === 'running' && task.status.state !== 'running';
        if (starts && task.status.state !== 'failed' && isBroken(task)) {
          this.observe(task.meta.id, 'failed', { nodeId: 'n1' });
        }
      }
      this.obey();
      check();
    }
    this.settle();
    check();
  }

  /** What the reaper does with tasks that are to be removed. */
  reap(id = 'svc'): void {
    for (const task of this.tasks(id)) {
      if (task.spec.desiredState === 'remove') this.#delete('Task', task.meta.id);
    }
  }

  /** Changes an object behind everyone's back. */
  put(object: StoredObject): void {
    this.#put(object);
  }

  delete(kind: string, id: string): void {
    this.#delete(kind, id);
  }

  copy(): World {
    const copy = new World();
    copy.now = this.now;
    copy.revision = this.revision;
    copy.created = this.created;
    for (const [kind, table] of this.#objects) copy.#objects.set(kind, new Map(table));
    return copy;
  }

  #table(kind: string): Map<string, StoredObject> {
    let table = this.#objects.get(kind);
    if (table === undefined) this.#objects.set(kind, (table = new Map()));
    return table;
  }

  #put(object: StoredObject): void {
    this.revision += 1;
    this.#table(object.kind).set(
      object.meta.id,
      withMeta(object, { version: this.revision, updatedAt: this.now }),
    );
  }

  #delete(kind: string, id: string): void {
    const object = this.#table(kind).get(id);
    if (object === undefined) throw new Error(`no ${kind} ${id}`);
    if (object.meta.finalizers.length > 0) {
      this.#put(withMeta(object, { deletionRequestedAt: this.now }));
    } else {
      this.#table(kind).delete(id);
    }
  }

  #write(actor: string, type: 'create' | 'update', object: StoredObject): void {
    const table = this.#table(object.kind);
    const before = table.get(object.meta.id);
    if (type === 'create') {
      if (before !== undefined) throw new Error(`${object.kind} ${object.meta.id} exists`);
      if (object.kind === 'Task') this.created += 1;
      const stamps = { version: this.revision, generation: 1 };
      const times = { createdAt: this.now, updatedAt: this.now };
      table.set(object.meta.id, withMeta(object, { ...stamps, ...times }));
      return;
    }
    if (before === undefined) throw new Error(`no ${object.kind} ${object.meta.id}`);
    if (before.meta.version !== object.meta.version) throw new Error('version conflict');
    const fault = ownershipFault({ actor, before, after: object });
    if (fault !== undefined) throw new Error(fault);
    const isSame = isEqual(before.spec, object.spec);
    const isGone = object.meta.finalizers.length === 0 && before.meta.finalizers.length > 0;
    if (isGone && before.meta.deletionRequestedAt !== undefined) {
      table.delete(object.meta.id);
      return;
    }
    const generation = before.meta.generation + (isSame ? 0 : 1);
    const { createdAt, deletionRequestedAt } = before.meta;
    const kept = deletionRequestedAt === undefined ? {} : { deletionRequestedAt };
    table.set(
      object.meta.id,
      withMeta(
        { ...object, spec: isSame ? before.spec : object.spec },
        { version: this.revision, generation, createdAt, updatedAt: this.now, ...kept },
      ),
    );
  }
}

/** States of tasks as `slot:desired/observed`, for expectations. */
export function outline(tasks: readonly Task[]): readonly string[] {
  return tasks.map(
    ({ spec, status }) =>
      `${spec.nodeId ?? spec.slot}:${spec.desiredState}/${status.state}`,
  );
}
