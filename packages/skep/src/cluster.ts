/**
 * A whole cluster in one object: declare, let time pass, look, break things.
 */
import {
  byService,
  compareText,
  isSkepError,
  isTerminal,
  Network,
  Node,
  Service,
  SkepError,
  Task,
  taskName,
  type AnyKind,
  type DesiredTaskState,
  type IdSource,
  type Kind,
  type StoredObject,
} from '@skep/api';
import type { VirtualClock } from '@skep/api/virtual';
import type {
  LookupResult,
  RequestResult,
  SimulatedHost,
  Simulator,
} from '@skep/adapter-simulator';
import {
  loadManifests,
  type LoadedManifests,
  type LoadedObject,
  type ManifestOptions,
  type SourceFile,
} from '@skep/manifest';
import {
  admissionError,
  planApply,
  planAvailability,
  planForceUpdate,
  planRemove,
  planRemoveNode,
  planRollback,
  planScale,
  type AdmissionPlan,
  type AdmissionResult,
  type DeclaredObject,
  type Manager,
} from '@skep/orchestrator';
import type { Explanation, Policy } from '@skep/scheduler';
import type { CommitEvent, Store, View } from '@skep/store';
import type { Observable } from 'rxjs';
import { admitChanges } from './admission.js';
import { compareTasks, findAnyTask, findNode, findService, findTask } from './find.js';
import { declarableKinds } from './declarable-kinds.js';
import { manifestError } from './manifest-error.js';
import { passTimeUntil } from './pass-time.js';
import { placedError } from './placed-error.js';
import { problemsOf, type Problem } from './problems.js';
import type { RunnableStack } from './runnable-stack.js';
import { settle, type Settlement } from './settle.js';
import { explainer } from './shortfalls.js';
import type { NodeOptions } from './options.js';
import { unnoticedHosts } from './unnoticed-hosts.js';

/** What a cluster is made of. */
export interface ClusterParts {
  readonly clock: VirtualClock;
  readonly ids: IdSource;
  readonly store: Store;
  readonly manager: Manager;
  readonly simulator: Simulator;
  readonly policy: Policy;
  readonly kinds: readonly AnyKind[];
  readonly running: RunnableStack;
}

/** How files are applied. */
export interface ApplyOptions extends Omit<ManifestOptions, 'kinds' | 'validate'> {
  /** Removes services of the `stack` that are not in the files any more. Default: false. */
  readonly prune?: boolean;
}

/** How a request is made. */
export interface ClusterRequestOptions {
  /** A task's name or id, or a service's name (its first running task). Default: from outside. */
  readonly from?: string;
  readonly protocol?: 'tcp' | 'udp' | 'sctp';
}

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

  constructor(parts: ClusterParts) {
    this.#parts = parts;
    this.clock = parts.clock;
    this.store = parts.store;
    this.manager = parts.manager;
    this.simulator = parts.simulator;
  }

  /** The newest view of everything that is stored. */
  view(): View {
    return this.store.view();
  }

  /** All commits from now on. */
  get commits$(): Observable<CommitEvent> {
    return this.store.watch();
  }

  /**
   * Declares what files say: the text of one, or several with their paths. All of it or nothing.
   * @throws invalid-argument with every complaint, as text and as `details.complaints`; and as
   * {@link Cluster.declareLoaded}.
   */
  async apply(
    source: string | readonly SourceFile[],
    options: ApplyOptions = {},
  ): Promise<readonly AdmissionResult[]> {
    const files = typeof source === 'string' ? [{ path: 'stack.yml', text: source }] : source;
    const { prune = false, ...manifest } = options;
    if (prune && options.stack === undefined) {
      throw new SkepError('invalid-argument', 'prune needs the name of a stack (option stack)');
    }
    const loaded = this.load(files, manifest);
    if (loaded.complaints.some(({ severity }) => severity === 'error')) {
      throw manifestError(loaded.complaints);
    }
    return this.declareLoaded(
      loaded.objects,
      prune && options.stack !== undefined ? { prune: options.stack } : {},
    );
  }

  /**
   * Declares objects that were read from files, together, all or none.
   * @throws what {@link Cluster.declare} throws, each complaint with its place in the files.
   */
  async declareLoaded(
    objects: readonly LoadedObject[],
    options: { readonly prune?: string } = {},
  ): Promise<readonly AdmissionResult[]> {
    try {
      return await this.declare(
        objects.map((object) => ({ ...object, kind: this.#kind(object.kind) })),
        options,
      );
    } catch (thrown) {
      throw isSkepError(thrown) ? placedError(thrown, objects) : thrown;
    }
  }

  /** Reads files and judges them, and changes nothing. */
  load(files: readonly SourceFile[], options: ManifestOptions = {}): LoadedManifests {
    return loadManifests(files, { kinds: declarableKinds(this.#parts.kinds), ...options });
  }

  /** Declares objects that were made by a program. @throws as {@link Cluster.apply} */
  declare(
    objects: readonly DeclaredObject[],
    options: { readonly prune?: string } = {},
  ): Promise<readonly AdmissionResult[]> {
    return this.#admit((view) => planApply(view, objects, { ids: this.#parts.ids, ...options }));
  }

  /** Sets the number of a service's replicas. */
  async scale(service: string, replicas: number): Promise<void> {
    await this.#admit((view) => planScale(view, service, replicas));
  }

  /** Declares a service anew: what `change` makes of its spec, each time it is asked. */
  async update(service: string, change: (spec: Service['spec']) => Service['spec']): Promise<void> {
    await this.#admit((view) => {
      const { meta, spec } = findService(view, service);
      const { name, labels, annotations } = meta;
      const told = annotations === undefined ? {} : { annotations };
      const declared = { kind: Service, name, labels, ...told, spec: change(spec) };
      return planApply(view, [declared], { ids: this.#parts.ids });
    });
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
    const { name, role = 'worker', availability = 'active', labels = {}, description } = options;
    if (this.get(Node, name) !== undefined) {
      throw new SkepError('already-exists', `there is a node ${name} already`);
    }
    const spec = { role, availability, ...(description === undefined ? {} : { description }) };
    const [result] = await this.declare([{ kind: Node, name, labels, spec }]);
    return this.simulator.addHost({
      id: result?.id ?? '',
      name,
      ...(description === undefined ? {} : { description }),
    });
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
    return this.simulator.host(node);
  }

  /** A container of this task (name, id, or service) ends by itself. */
  crash(task: string, exitCode = 1): void {
    const found = findTask(this.view(), task);
    this.#hostOf(found).crash(found.meta.id, exitCode);
  }

  /** Lets virtual time pass. */
  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  /**
   * Lets virtual time pass until nothing is left to do but periodic timers; at most `limitMs`,
   * an hour by default.
   */
  settle(options: { readonly limitMs?: number } = {}): Promise<Settlement> {
    const { controllers } = this.manager;
    return settle({
      clock: this.clock,
      isIdle: () => controllers.isIdle(),
      isUnnoticed: () => this.#unnoticed().length > 0,
      busyWith: () => [
        ...controllers
          .pending()
          .map(({ controller, key, state }) => `${controller} ${key}: ${state}`),
        ...this.#unnoticed(),
      ],
      ...options,
    });
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

  /** Tasks of a service that have not ended and are not asked to, by slot. */
  tasks(service: string): readonly Task[] {
    const view = this.view();
    const { meta } = findService(view, service);
    return view
      .list(Task, byService(meta.id))
      .filter(({ spec, status }) => !isTerminal(status.state) && isWanted(spec.desiredState))
      .sort(compareTasks);
  }

  /** An object by name or id; of several with this name, the one with the first id. */
  get<Spec, Status>(
    kind: Kind<Spec, Status>,
    reference: string,
  ): StoredObject<Spec, Status> | undefined {
    const view = this.view();
    const name = reference.toLowerCase();
    const named = (): readonly StoredObject<Spec, Status>[] =>
      view.list(kind).filter(({ meta }) => name !== '' && meta.name.toLowerCase() === name);
    return (
      view.get(kind, reference) ?? [...named()].sort((a, b) => compareText(a.meta.id, b.meta.id))[0]
    );
  }

  /**
   * Makes a request and follows it through the very tables that the nodes hold:
   * `node1:8080` from outside, `http://vote/` from a task.
   */
  request(target: string, options: ClusterRequestOptions = {}): RequestResult {
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

  /** Ends everything, in reverse order of the start; virtual time passes as far as that needs. */
  async stop(): Promise<void> {
    await passTimeUntil(this.clock, this.#parts.running.stop());
  }

  #unnoticed(): readonly string[] {
    return unnoticedHosts(this.view(), this.simulator.hosts);
  }

  #hostOf(task: Task): SimulatedHost {
    const { nodeId } = task.status;
    if (nodeId !== undefined) return this.simulator.host(nodeId);
    throw new SkepError('failed-precondition', `the task ${taskName(task)} is on no node`);
  }

  #explainOptions(): { readonly policy: Policy; readonly now: number } {
    return { policy: this.#parts.policy, now: this.clock.now() };
  }

  #kind(name: string): AnyKind {
    const kind = this.#parts.kinds.find((known) => known.name === name);
    if (kind === undefined) throw new Error(`the manifest package let an unknown kind in: ${name}`);
    return kind;
  }

  #admit(plan: (view: View) => AdmissionPlan): Promise<readonly AdmissionResult[]> {
    return admitChanges(this.store, plan);
  }
}
