/**
 * What one can do with a cluster whatever its nodes are: declare, change, look, ask why.
 */
import {
  byService,
  isTerminal,
  Network,
  Service,
  SkepError,
  Task,
  type AnyKind,
  type Clock,
  type DesiredTaskState,
  type Kind,
  type NodeAnswer,
  type NodeQuestion,
  type SelectorTexts,
  type StoredObject,
} from '@skep/api';
import type { WhyOptions, WhyStep } from '@skep/controller';
import type { LoadedManifests, LoadedObject, ManifestOptions, SourceFile } from '@skep/manifest';
import {
  planAvailability,
  planForceUpdate,
  planHold,
  planRemove,
  planRollback,
  planScale,
  planUpdate,
  type AdmissionPlan,
  type AdmissionResult,
  type DeclaredObject,
  type Manager,
} from '@skep/orchestrator';
import type { Explanation, Policy } from '@skep/scheduler';
import type { CommitEvent, Store, View } from '@skep/store';
import type { Observable } from 'rxjs';
import { admitChanges } from './admission.js';
import type { Applied, ApplyOptions, ClusterBaseParts } from './cluster-options.js';
import { Declarations, type PruningOptions } from './declarations.js';
import {
  compareTasks,
  findAnyTask,
  findNode,
  findObject,
  findService,
  listObjects,
} from './find.js';
import { problemsOf, type Problem } from './problems.js';
import { explainer } from './shortfalls.js';
import { whyOf } from './why.js';

function isWanted(desired: DesiredTaskState): boolean {
  return desired !== 'shutdown' && desired !== 'remove';
}

/** What {@link Cluster} and {@link LiveCluster} have in common. */
export abstract class ClusterBase {
  readonly clock: Clock;
  readonly store: Store;
  readonly manager: Manager;
  /** All kinds that the store keeps. */
  readonly kinds: readonly AnyKind[];
  readonly #policy: Policy;
  readonly #declarations: Declarations;
  /** From the call of stop(): nothing may act. */
  #isStopped = false;
  /** At the end of stop(): nothing to look at. Commits of the stop itself can still be read. */
  #hasEnded = false;

  protected constructor(parts: ClusterBaseParts) {
    this.#policy = parts.policy;
    this.#declarations = new Declarations(parts);
    this.clock = parts.clock;
    this.store = parts.store;
    this.manager = parts.manager;
    this.kinds = parts.kinds;
  }

  /** Ends everything. Again is nothing. */
  abstract stop(): Promise<void>;

  /** The newest view of everything that is stored. */
  view(): View {
    if (this.#hasEnded) this.requireRunning();
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
   * {@link ClusterBase.declareLoaded}.
   */
  async apply(
    source: string | readonly SourceFile[],
    options: ApplyOptions = {},
  ): Promise<Applied> {
    this.requireRunning();
    return this.#declarations.apply(source, options);
  }

  /**
   * Declares objects that were read from files, together, all or none.
   * @throws what {@link ClusterBase.declare} throws, each complaint with its place in the files.
   */
  async declareLoaded(
    objects: readonly LoadedObject[],
    options: PruningOptions = {},
  ): Promise<readonly AdmissionResult[]> {
    this.requireRunning();
    return this.#declarations.declareLoaded(objects, options);
  }

  /** Reads files and judges them, and changes nothing. */
  load(files: readonly SourceFile[], options: ManifestOptions = {}): LoadedManifests {
    return this.#declarations.load(files, options);
  }

  /**
   * Declares objects that were made by a program.
   * @throws as {@link ClusterBase.apply}; conflict when another manager has set a field to
   * something else, unless `force`.
   */
  async declare(
    objects: readonly DeclaredObject[],
    options: PruningOptions = {},
  ): Promise<readonly AdmissionResult[]> {
    this.requireRunning();
    return this.#declarations.declare(objects, options);
  }

  /** Sets the number of a service's replicas. */
  async scale(service: string, replicas: number): Promise<void> {
    await this.admit((view) => planScale(view, service, replicas));
  }

  /**
   * Declares a service anew: what `change` makes of its spec, each time it is asked. What differs
   * is
   * the user's from then on.
   */
  async update(service: string, change: (spec: Service['spec']) => Service['spec']): Promise<void> {
    await this.admit((view) => planUpdate(view, service, change));
  }

  /** Updates of the service touch no task until {@link ClusterBase.resume}. */
  async hold(service: string): Promise<void> {
    await this.admit((view) => planHold(view, service, true));
  }

  /** Updates of the service go on. */
  async resume(service: string): Promise<void> {
    await this.admit((view) => planHold(view, service, false));
  }

  /** Replaces all tasks of a service though nothing changes. */
  async forceUpdate(service: string): Promise<void> {
    await this.admit((view) => planForceUpdate(view, service));
  }

  /** Goes back to a service's earlier declaration. */
  async rollback(service: string): Promise<void> {
    await this.admit((view) => planRollback(view, service, { now: this.clock.now() }));
  }

  /** Removes services. Other kinds: {@link ClusterBase.removeObject}. */
  async remove(...services: readonly string[]): Promise<void> {
    await this.admit((view) =>
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
    await this.admit((view) => planRemove(view, targets));
  }

  /** Removes everything that carries the label of a stack. */
  async removeStack(stack: string): Promise<void> {
    await this.admit((view) => planRemove(view, [{ stack }]));
  }

  /** The node loses its tasks and takes no new ones. */
  async drain(node: string): Promise<void> {
    await this.admit((view) => planAvailability(view, node, 'drain'));
  }

  /** The node keeps its tasks and takes no new ones. */
  async pause(node: string): Promise<void> {
    await this.admit((view) => planAvailability(view, node, 'pause'));
  }

  /** The node takes tasks again. */
  async activate(node: string): Promise<void> {
    await this.admit((view) => planAvailability(view, node, 'active'));
  }

  /**
   * Lets in what the front door plans, one of the `plan…` functions of `@skep/orchestrator`: on the
   * newest view, again where a loop was first. For changes that no other method makes.
   * @throws what the complaints say, all of them in `details.complaints`; aborted when others were
   * first a hundred times in a row.
   */
  async admit(plan: (view: View) => AdmissionPlan): Promise<readonly AdmissionResult[]> {
    this.requireRunning();
    return admitChanges(this.store, plan);
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

  /**
   * Asks a node (name or id) what its tasks printed, or what its tables are made from. Nothing is
   * kept for a reader that is slow; it is over when the reader leaves the loop. Read it once.
   * @throws not-found; unavailable when the node is not in contact; what `Manager.ask` says.
   */
  ask(node: string, question: NodeQuestion, signal?: AbortSignal): AsyncIterable<NodeAnswer> {
    this.requireRunning();
    return this.manager.ask(findNode(this.view(), node).meta.id, question, signal);
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

  /** Stops what runs; from the call on nothing may act, and at its end nothing is there to see. */
  protected async end(stop: () => Promise<void>): Promise<void> {
    this.#isStopped = true;
    await stop();
    this.#hasEnded = true;
  }

  /** @throws failed-precondition once {@link ClusterBase.stop} was called */
  protected requireRunning(): void {
    if (!this.#isStopped) return;
    throw new SkepError(
      'failed-precondition',
      'the cluster is stopped: look and act before stop()',
    );
  }

  #explainOptions(): { readonly policy: Policy; readonly now: number } {
    return { policy: this.#policy, now: this.clock.now() };
  }
}
