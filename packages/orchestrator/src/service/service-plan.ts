/**
 * One pass over one service: a working copy of the service and its tasks that the rules change one
 * after another, and that becomes a plan at the end.
 *
 * Order of the changes: the service, the tasks that are to be removed, those that are created,
 * those that change. A commit that is split after any of them leaves a state from which the next
 * pass goes on to the same end: what is counted is counted before it is used, a slot that goes is
 * gone before others are touched, and a replacement exists before what it replaces is stopped.
 */
import {
  Cluster,
  Node,
  Task,
  byService,
  clusterSettings,
  compareBy,
  compareText,
  deriveId,
  isEqual,
  isJob,
  newObject,
  serviceMode,
  withMeta,
  withSpec,
  withStatus,
  type ClusterSettings,
  type DesiredTaskState,
  type FieldManagers,
  type NodeId,
  type RestartHistory,
  type Service,
  type ServiceSpec,
  type ServiceStatus,
  type TaskCause,
  type TaskId,
  type TaskRelease,
  type TaskSpec,
  type TaskStatus,
  type TaskTemplate,
  type Timestamp,
} from '@skep/api';
import { because } from '@skep/controller';
import type { ChangeCause, ChangeReason, EventDraft, Plan, PlannedChange } from '@skep/controller';
import type { Change, View } from '@skep/store';
import { withDesired } from './desired-state.js';
import { recordRevision } from './history.js';
import { creationReason } from './reasons.js';
import { isDirtyBy, taskDifference, type TaskDifference } from './dirtiness.js';
import { meets, serviceConstraints } from './node-fitness.js';
import { groupSlots, type Slot } from './slots.js';
import { compareAge, nodeIdOf } from './task-facts.js';
import { taskTemplate } from './template.js';

/** What a rule says about a task to be made; the rest follows from the service. */
export interface NewTask {
  readonly slot: number;
  readonly nodeId?: NodeId;
  readonly cause: TaskCause;
  readonly desiredState: DesiredTaskState;
  /** The task it follows in its slot; its id makes the new one's. Absent: a new slot. */
  readonly replaces?: TaskId;
  readonly release?: TaskRelease;
  readonly restarts?: RestartHistory;
}

const compareTasks = compareBy<Task>(
  (a, b) => a.spec.slot - b.spec.slot,
  (a, b) => compareText(a.spec.nodeId ?? '', b.spec.nodeId ?? ''),
  compareAge,
);

/** The working copy of a pass. Lives for one call of `plan`. */
export class ServicePlan {
  readonly view: View;
  readonly now: Timestamp;
  readonly settings: ClusterSettings;
  readonly isJob: boolean;
  readonly #before: Service;
  readonly #tasks = new Map<TaskId, Task>();
  readonly #created = new Set<TaskId>();
  readonly #changed = new Set<TaskId>();
  readonly #reasons = new Map<TaskId, ChangeReason>();
  readonly #events: EventDraft[] = [];
  readonly #differences = new Map<unknown, { version: unknown; found: TaskDifference }>();
  readonly #fitness = new Map<NodeId, boolean>();
  /** Why tasks change from here on, for the reconcile trace. */
  #reason: ChangeReason | undefined;
  #sorted: readonly Task[] | undefined;
  #slots: readonly Slot[] | undefined;
  #made: TaskTemplate | undefined;
  #service: Service;
  #generation: number;
  #requeueAt: Timestamp | undefined;
  /** Tasks made so far that replace no other. */
  #newSlots: number;

  constructor(view: View, service: Service, now: Timestamp) {
    this.view = view;
    this.now = now;
    this.#before = service;
    this.#service = service;
    this.#generation = service.meta.generation;
    this.#reason = undefined;
    this.#sorted = undefined;
    this.#slots = undefined;
    this.#made = undefined;
    this.#requeueAt = undefined;
    this.#newSlots = 0;
    this.isJob = isJob(serviceMode(service.spec));
    this.settings = clusterSettings(view.getByName(Cluster, 'default')?.spec);
    for (const task of view.list(Task, byService(service.meta.id))) {
      this.#tasks.set(task.meta.id, task);
    }
  }

  /** The service as this pass leaves it. */
  get service(): Service {
    return this.#service;
  }

  /** Generation of the spec that tasks are made from: one more once this pass changed the spec. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether nothing about the tasks was changed so far. */
  get hasSteadyTasks(): boolean {
    return this.#created.size === 0 && this.#changed.size === 0;
  }

  /** The state in which a released task of this service runs. */
  get runState(): DesiredTaskState {
    return this.isJob ? 'complete' : 'running';
  }

  /** All tasks as this pass leaves them, by slot, node id, age, id. */
  tasks(): readonly Task[] {
    this.#sorted ??= [...this.#tasks.values()].sort(compareTasks);
    return this.#sorted;
  }

  /** The tasks by slot; the same array as long as no task changes. */
  slots(): readonly Slot[] {
    this.#slots ??= groupSlots(this.tasks());
    return this.#slots;
  }

  task(id: TaskId): Task | undefined {
    return this.#tasks.get(id);
  }

  node(id: NodeId): Node | undefined {
    return this.view.get(Node, id);
  }

  /** The node of a task; undefined when it has none, or a node that is gone. */
  nodeOf(task: Task): Node | undefined {
    const id = nodeIdOf(task);
    return id === undefined ? undefined : this.node(id);
  }

  /** Whether the node satisfies the service's constraints. */
  isFit(node: Node): boolean {
    let isFit = this.#fitness.get(node.meta.id);
    if (isFit === undefined) {
      isFit = meets(serviceConstraints(this.#service.spec), node);
      this.#fitness.set(node.meta.id, isFit);
    }
    return isFit;
  }

  /** See `isTaskDirty`; compares each template once per pass. */
  isDirty(task: Task): boolean {
    if (task.spec.isMoving === true) return true;
    if (task.spec.specVersion === this.#generation) return false;
    const { template, specVersion } = task.spec;
    let known = this.#differences.get(template);
    if (known === undefined || known.version !== specVersion) {
      known = { version: specVersion, found: taskDifference(this.#service, task) };
      this.#differences.set(template, known);
    }
    return isDirtyBy(known.found, { task }, () => {
      const node = this.nodeOf(task);
      return node !== undefined && this.isFit(node);
    });
  }

  /** Names the rule that the next changes of tasks follow, and what it goes by. */
  follow(rule: string, cause?: ChangeCause): void {
    this.#reason = cause === undefined ? { rule } : { rule, cause };
  }

  /** Changes fields of the service's status; undefined removes one. */
  setStatus(change: { readonly [F in keyof ServiceStatus]?: ServiceStatus[F] | undefined }): void {
    const merged = { ...this.#service.status, ...change };
    const next = Object.fromEntries(
      Object.entries(merged).filter(([, value]) => value !== undefined),
    ) as unknown as ServiceStatus;
    if (!isEqual(next, this.#service.status)) this.#service = withStatus(this.#service, next);
  }

  /** Gives the service another spec, and owners: tasks of this pass are made from it. */
  setSpec(spec: ServiceSpec, managers?: FieldManagers): void {
    if (isEqual(spec, this.#service.spec)) return;
    this.#generation = this.#before.meta.generation + 1;
    const service = withMeta(withSpec(this.#service, spec), {
      generation: this.#generation,
      ...(managers === undefined ? {} : { managers }),
    });
    this.#service = service;
    this.#differences.clear();
    this.#fitness.clear();
    this.#made = undefined;
    this.setStatus({ history: recordRevision(service) });
  }

  /** Says that a finalizer of the service has done its work. */
  dropFinalizer(name: string): void {
    const { finalizers } = this.#service.meta;
    if (!finalizers.includes(name)) return;
    this.#service = withMeta(this.#service, {
      finalizers: finalizers.filter((finalizer) => finalizer !== name),
    });
  }

  /** Raises what is wanted of a task; see `withDesired`. */
  setDesired(task: Task, desiredState: DesiredTaskState): void {
    const current = this.#tasks.get(task.meta.id);
    if (current === undefined) return;
    const { drainTimeoutMs } = this.settings;
    const next = withDesired(current, desiredState, { now: this.now, drainTimeoutMs });
    if (next !== current) this.#put(next);
  }

  /** Says when a task that waits may run. */
  setRelease(task: Task, release: TaskRelease): void {
    const current = this.#tasks.get(task.meta.id);
    if (current === undefined || isEqual(current.spec.release, release)) return;
    this.#put(withSpec(current, { ...current.spec, release }));
  }

  /** Moves the observed state of a task that nobody else can speak for any more. */
  setObserved(task: Task, status: Pick<TaskStatus, 'state' | 'message'>): void {
    const current = this.#tasks.get(task.meta.id);
    if (current === undefined) return;
    const times = { timestamp: this.now, appliedAt: this.now };
    this.#put(withStatus(current, { ...current.status, ...status, ...times }));
  }

  /** Makes a task of the service as it is now, or gives the one that has its id already. */
  create(input: NewTask): Task {
    const id = this.#idFor(input);
    const known = this.#tasks.get(id);
    if (known !== undefined) return known;
    const { service } = this;
    const name = `${service.meta.name}.${input.nodeId ?? input.slot}.${id}`;
    const task = newObject(Task, {
      id,
      name,
      labels: service.meta.labels,
      owners: [{ kind: 'Service', id: service.meta.id, isController: true }],
      spec: this.#specFor(input),
      status: { state: 'new', timestamp: this.now, appliedAt: this.now, message: 'created' },
    });
    this.#created.add(id);
    this.#reasons.set(id, creationReason(service, input, this.#replaced(input)));
    // The store stamps the time; until then the rules need an age to compare by.
    this.#put(withMeta(task, { createdAt: this.now }));
    return task;
  }

  /** Asks for another pass at this time, or earlier. */
  requeue(at: Timestamp): void {
    this.#requeueAt = Math.min(this.#requeueAt ?? Infinity, at);
  }

  /** Tells people something about the service. */
  event(draft: Omit<EventDraft, 'regarding'>): void {
    this.#events.push({ regarding: this.#before, ...draft });
  }

  /** The plan: see the order of changes above. */
  finish(): Plan {
    const { createdTasks } = this.#before.status;
    if (this.#newSlots > 0) this.setStatus({ createdTasks: createdTasks + this.#newSlots });
    const changes: PlannedChange[] = [];
    if (this.#service !== this.#before) {
      changes.push(because({ type: 'update', object: this.#service }, 'status'));
    }
    const removed: PlannedChange[] = [];
    const created: PlannedChange[] = [];
    const updated: PlannedChange[] = [];
    for (const task of this.tasks()) {
      const { id } = task.meta;
      if (this.#created.has(id)) created.push(this.#because({ type: 'create', object: task }, id));
      if (this.#created.has(id) || !this.#changed.has(id)) continue;
      const list = task.spec.desiredState === 'remove' ? removed : updated;
      list.push(this.#because({ type: 'update', object: task }, id));
    }
    changes.push(...removed, ...created, ...updated);
    return {
      changes,
      ...(this.#requeueAt === undefined ? {} : { requeueAt: this.#requeueAt }),
      ...(this.#events.length === 0 ? {} : { events: this.#events }),
    };
  }

  #because(change: Change, id: TaskId): PlannedChange {
    const reason = this.#reasons.get(id);
    return reason === undefined ? change : because(change, reason.rule, reason.cause);
  }

  #replaced({ replaces }: NewTask): Task | undefined {
    return replaces === undefined ? undefined : this.#tasks.get(replaces);
  }

  #put(task: Task): void {
    this.#tasks.set(task.meta.id, task);
    // The first rule that touches a task is why it changes.
    if (this.#reason !== undefined && !this.#reasons.has(task.meta.id)) {
      this.#reasons.set(task.meta.id, this.#reason);
    }
    this.#changed.add(task.meta.id);
    this.#sorted = undefined;
    this.#slots = undefined;
  }

  /** A replacement's id follows from what it replaces; a new slot's from how many there were. */
  #idFor({ replaces, cause }: NewTask): TaskId {
    if (replaces !== undefined) {
      // An old task may be updated twice: forth, back, and forth again.
      return cause === 'update'
        ? deriveId(replaces, 'update', this.#generation)
        : deriveId(replaces, 'restart');
    }
    const { meta, status } = this.#before;
    const id = deriveId(meta.id, 'task', status.createdTasks + this.#newSlots);
    this.#newSlots += 1;
    return id;
  }

  #specFor(input: NewTask): TaskSpec {
    const { service } = this;
    const { endpoint } = service.spec;
    const iteration = service.status.job?.iteration;
    return {
      serviceId: service.meta.id,
      serviceName: service.meta.name,
      specVersion: this.#generation,
      template: this.#template(),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(this.isJob && iteration !== undefined ? { jobIteration: iteration } : {}),
      ...input,
    };
  }

  /** One object for all tasks of the pass, so that it is compared once ever after. */
  #template(): TaskTemplate {
    this.#made ??= taskTemplate(this.#service.spec, this.settings);
    return this.#made;
  }
}
