/**
 * A whole cluster in one object: declare, let time pass, look, break things.
 */
import {
  byService,
  isTerminal,
  Network,
  Node,
  Service,
  SkepError,
  Task,
  taskName,
  type AnyKind,
  type DesiredTaskState,
  type Kind,
  type SelectorTexts,
  type StoredObject,
} from '@skep/api';
import type { VirtualClock } from '@skep/api/virtual';
import type {
  LookupResult,
  RequestResult,
  SimulatedHost,
  Simulator,
} from '@skep/adapter-simulator';
import type { LoadedManifests, LoadedObject, ManifestOptions, SourceFile } from '@skep/manifest';
import {
  admissionError,
  planAvailability,
  planForceUpdate,
  planHold,
  planRemove,
  planRemoveNode,
  planRollback,
  planScale,
  planUpdate,
  type AdmissionPlan,
  type AdmissionResult,
  type DeclaredObject,
  type Manager,
} from '@skep/orchestrator';
import type { WhyOptions, WhyStep } from '@skep/controller';
import type { Explanation, Policy } from '@skep/scheduler';
import type { CommitEvent, Store, View } from '@skep/store';
import type { Observable } from 'rxjs';
import { admitChanges } from './admission.js';
import type { Applied, ApplyOptions } from './cluster-options.js';
import type { ClusterParts, ClusterRequestOptions } from './cluster-options.js';
import { Declarations, type PruningOptions } from './declarations.js';
import { compareTasks, findAnyTask, findNode, findObject, findTask, listObjects } from './find.js';
import { findService } from './find.js';
import { declaredNode, hostOf, type NodeOptions } from './options.js';
import { problemsOf, type Problem } from './problems.js';
import type { Settlement } from './settle.js';
import { settleCluster, stopCluster } from './settle-cluster.js';
import { explainer } from './shortfalls.js';
import { whyOf } from './why.js';

function isWanted(desired: DesiredTaskState): boolean {
  return desired !== 'shutdown' && desired !== 'remove';
}

/** A cluster on simulated hosts. Made by `createCluster`; ended by {@link Cluster.stop}. */
export class Cluster {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly manager: Manager;
  readonly simulator: Simulator;
  readonly #parts: ClusterParts;
  readonly #declarations: Declarations;
  /** Ends with the move of time that is under way. */
  #moving: Promise<void> = Promise.resolve();
  /** From the call of stop(): nothing may act. */
  #isStopped = false;
  /** At the end of stop(): nothing to look at. Commits of the stop itself can still be read. */
  #hasEnded = false;

  constructor(parts: ClusterParts) {
    this.#parts = parts;
    this.#declarations = new Declarations(parts);
    this.clock = parts.clock;
    this.store = parts.store;
    this.manager = parts.manager;
    this.simulator = parts.simulator;
  }

  /** The newest view of everything that is stored. */
  view(): View {
    if (this.#hasEnded) this.#requireRunning();
    return this.store.view();
  }

  /** All commits from now on; complete when the cluster stops. */
  get commits$(): Observable<CommitEvent> {
    return this.store.watch();
  }

  /**
   * Declares what files say: the text of one, or several with their paths. All of it or nothing.
   * Fields that the files mention belong to the manager (`user`, or `stack NAME`); what others own
   * stays.
   * @throws invalid-argument with every complaint, as text and as `details.complaints`; and as
   * {@link Cluster.declareLoaded}.
   */
  async apply(
    source: string | readonly SourceFile[],
    options: ApplyOptions = {},
  ): Promise<Applied> {
    this.#requireRunning();
    return this.#declarations.apply(source, options);
  }

  /**
   * Declares objects that were read from files, together, all or none.
   * @throws what {@link Cluster.declare} throws, each complaint with its place in the files.
   */
  async declareLoaded(
    objects: readonly LoadedObject[],
    options: PruningOptions = {},
  ): Promise<readonly AdmissionResult[]> {
    this.#requireRunning();
    return this.#declarations.declareLoaded(objects, options);
  }

  /** Reads files and judges them, and changes nothing. */
  load(files: readonly SourceFile[], options: ManifestOptions = {}): LoadedManifests {
    return this.#declarations.load(files, options);
  }

  /**
   * Declares objects that were made by a program.
   * @throws as {@link Cluster.apply}; conflict when another manager has set a field to something
   * else, unless `force`.
   */
  async declare(
    objects: readonly DeclaredObject[],
    options: PruningOptions = {},
  ): Promise<readonly AdmissionResult[]> {
    this.#requireRunning();
    return this.#declarations.declare(objects, options);
  }

  /** Sets the number of a service's replicas. */
  async scale(service: string, replicas: number): Promise<void> {
    await this.#admit((view) => planScale(view, service, replicas));
  }

  /**
   * Declares a service anew: what `change` makes of its spec, each time it is asked. What differs
   * is
   * the user's from then on.
   */
  async update(service: string, change: (spec: Service['spec']) => Service['spec']): Promise<void> {
    await this.#admit((view) => planUpdate(view, service, change));
  }

  /** Updates of the service touch no task until {@link Cluster.resume}. */
  async hold(service: string): Promise<void> {
    await this.#admit((view) => planHold(view, service, true));
  }

  /** Updates of the service go on. */
  async resume(service: string): Promise<void> {
    await this.#admit((view) => planHold(view, service, false));
  }

  /** Replaces all tasks of a service though nothing changes. */
  async forceUpdate(service: string): Promise<void> {
    await this.#admit((view) => planForceUpdate(view, service));
  }

  /** Goes back to a service's earlier declaration. */
  async rollback(service: string): Promise<void> {
    await this.#admit((view) => planRollback(view, service, { now: this.clock.now() }));
  }

  /** Removes services. Other kinds: {@link Cluster.removeObject}. */
  async remove(...services: readonly string[]): Promise<void> {
    await this.#admit((view) =>
      planRemove(
        view,
        services.map((reference) => ({ kind: Service, reference })),
      ),
    );
  }

  /** Removes networks that nothing uses any more. */
  async removeNetwork(...networks: readonly string[]): Promise<void> {
    await this.removeObject(...networks.map((reference) => ({ kind: Network, reference })));
  }

  /** Removes objects of any kind, together, all or none. */
  async removeObject(
    ...targets: readonly { readonly kind: AnyKind; readonly reference: string }[]
  ): Promise<void> {
    await this.#admit((view) => planRemove(view, targets));
  }

  /** Removes everything that carries the label of a stack. */
  async removeStack(stack: string): Promise<void> {
    await this.#admit((view) => planRemove(view, [{ stack }]));
  }

  /** Adds a simulated node. @throws already-exists */
  async addNode(options: NodeOptions & { readonly name: string }): Promise<SimulatedHost> {
    this.#requireRunning();
    if (this.get(Node, options.name) !== undefined) {
      throw new SkepError('already-exists', `there is a node ${options.name} already`);
    }
    const [result] = await this.declare([declaredNode(options)]);
    return this.simulator.addHost(hostOf(result?.id ?? '', options));
  }

  /** Takes a node away for good; its tasks are replaced. @throws failed-precondition: a manager */
  async removeNode(node: string): Promise<void> {
    const { meta } = findNode(this.view(), node);
    const plan = (view: View): AdmissionPlan =>
      planRemoveNode(view, meta.id, { now: this.clock.now(), isForced: true });
    const { complaints } = plan(this.view());
    if (complaints.length > 0) throw admissionError(complaints);
    await this.simulator.removeHost(meta.id);
    await this.#admit(plan);
  }

  /** The node loses its tasks and takes no new ones. */
  async drain(node: string): Promise<void> {
    await this.#admit((view) => planAvailability(view, node, 'drain'));
  }

  /** The node keeps its tasks and takes no new ones. */
  async pause(node: string): Promise<void> {
    await this.#admit((view) => planAvailability(view, node, 'pause'));
  }

  /** The node takes tasks again. */
  async activate(node: string): Promise<void> {
    await this.#admit((view) => planAvailability(view, node, 'active'));
  }

  /** The machine loses its power. */
  lose(node: string): void {
    this.host(node).powerOff();
  }

  /** The machine boots again. */
  async recover(node: string): Promise<void> {
    await this.host(node).powerOn();
  }

  /** The simulated machine of a node. */
  host(node: string): SimulatedHost {
    this.#requireRunning();
    return this.simulator.host(node);
  }

  /** A container of this task (name, id, or service) ends by itself. */
  crash(task: string, exitCode = 1): void {
    const found = findTask(this.view(), task);
    this.#hostOf(found).crash(found.meta.id, exitCode);
  }

  /** Lets virtual time pass. Moves of time wait for each other. */
  advance(ms: number): Promise<void> {
    return this.#inTurn(() => this.clock.advance(ms));
  }

  /**
   * Lets virtual time pass until nothing is left to do but periodic timers; at most `limitMs`,
   * an hour by default. Called while time is being moved, it waits for that first.
   */
  settle(options: { readonly limitMs?: number } = {}): Promise<Settlement> {
    return this.#inTurn(() => settleCluster(this.#parts, options));
  }

  /** Whatever keeps the cluster from being as declared, for people and for programs. */
  problems(): readonly Problem[] {
    return problemsOf(this.view(), this.#explainOptions());
  }

  /**
   * Where a task (id, name, `SERVICE.SLOT`, or a service: its first task that waits) would go now:
   * every node with what it lacks or how it ranks. @throws not-found
   */
  explain(task: string): Explanation {
    const view = this.view();
    return explainer(view, this.#explainOptions())(findAnyTask(view, task));
  }

  /**
   * Why an object changed: the commits that led to its newest change, or to the one that is asked
   * for, the cause first; `renderWhy` makes text of them.
   * @throws failed-precondition without the option `trace`; not-found for a task nobody knows.
   */
  why<Spec, Status>(
    kind: Kind<Spec, Status>,
    reference: string,
    options?: WhyOptions,
  ): readonly WhyStep[] {
    return whyOf({ view: this.view(), manager: this.manager }, { kind, reference }, options);
  }

  /** Tasks of a service that have not ended and are not asked to, by slot. */
  tasks(service: string): readonly Task[] {
    const view = this.view();
    const { meta } = findService(view, service);
    return view
      .list(Task, byService(meta.id))
      .filter(({ spec, status }) => !isTerminal(status.state) && isWanted(spec.desiredState))
      .sort(compareTasks);
  }

  /**
   * Objects of a kind, those that a selector chooses or all, by name, then id: `{ labels:
   * 'app=web,tier!=db', fields: 'spec.nodeId=n1' }`. Cost: O(objects of the kind).
   * @throws invalid-argument for a selector that does not parse.
   */
  list<Spec, Status>(
    kind: Kind<Spec, Status>,
    selector: SelectorTexts = {},
  ): readonly StoredObject<Spec, Status>[] {
    return listObjects(this.view(), kind, selector);
  }

  /** An object by name or id; of several with this name, the one with the first id. */
  get<Spec, Status>(
    kind: Kind<Spec, Status>,
    reference: string,
  ): StoredObject<Spec, Status> | undefined {
    return findObject(this.view(), kind, reference);
  }

  /**
   * Makes a request and follows it through the very tables that the nodes hold:
   * `node1:8080` from outside, `http://vote/` from a task.
   */
  request(target: string, options: ClusterRequestOptions = {}): RequestResult {
    this.#requireRunning();
    const { from, protocol } = options;
    return this.simulator.request(target, {
      ...(from === undefined ? {} : { from: findTask(this.view(), from).meta.id }),
      ...(protocol === undefined ? {} : { protocol }),
    });
  }

  /** What a name means to a task. */
  lookup(name: string, options: { readonly from: string }): LookupResult {
    const task = findTask(this.view(), options.from);
    return this.#hostOf(task).resolver.lookup(task.meta.id, name);
  }

  /**
   * Ends everything, in reverse order of the start; virtual time passes as far as that needs. Again
   * is nothing. From then on every other method refuses (`failed-precondition`): look before.
   * Whoever listens to {@link Cluster.commits$} may read the view to the last commit of the stop.
   */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await stopCluster(this.#parts);
    this.#hasEnded = true;
  }

  #hostOf(task: Task): SimulatedHost {
    const { nodeId } = task.status;
    if (nodeId !== undefined) return this.simulator.host(nodeId);
    throw new SkepError('failed-precondition', `the task ${taskName(task)} is on no node`);
  }

  #explainOptions(): { readonly policy: Policy; readonly now: number } {
    return { policy: this.#parts.policy, now: this.clock.now() };
  }

  /** One after another: two at a time would fight for the clock. */
  async #inTurn<T>(move: () => Promise<T>): Promise<T> {
    const before = this.#moving;
    let done = (): void => undefined;
    this.#moving = new Promise((resolve) => (done = resolve));
    await before;
    try {
      this.#requireRunning();
      return await move();
    } finally {
      done();
    }
  }

  #requireRunning(): void {
    if (!this.#isStopped) return;
    throw new SkepError(
      'failed-precondition',
      'the cluster is stopped: look and act before stop()',
    );
  }

  async #admit(plan: (view: View) => AdmissionPlan): Promise<void> {
    this.#requireRunning();
    await admitChanges(this.store, plan);
  }
}
