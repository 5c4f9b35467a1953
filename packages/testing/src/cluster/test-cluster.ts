/**
 * A cluster for tests: store, manager, simulated hosts and virtual time, by plain constructors.
 */
import {
  byService,
  Cluster,
  clusterSettings,
  compareBy,
  compareText,
  Config,
  EndpointSlice,
  Event,
  idSource,
  isTerminal,
  Lease,
  Network,
  Node,
  Secret,
  Service,
  SkepError,
  Task,
  Volume,
  type AnyKind,
  type ClusterSpec,
  type IdSource,
  type Labels,
  type NodeAvailability,
  type NodeRole,
  type Random,
  type TaskId,
} from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import { Simulator, type BehaviourOf } from '@skep/adapter-simulator';
import type { ControllerGroup } from '@skep/controller';
import {
  admissionError,
  planApply,
  planAvailability,
  planForceUpdate,
  planRemove,
  planRemoveNode,
  planScale,
  type AdmissionPlan,
  type AdmissionResult,
  type DeclaredObject,
  type Manager,
  type ManagerElection,
  type ManagerParts,
} from '@skep/orchestrator';
import type { Store, View } from '@skep/store';
import { controlPlane, type ControlPlane } from './control-plane.js';
import type { ManagerReplica } from './manager-replica.js';
import { settleOn, type Settlement } from './settle.js';
import type { CommitListener } from './store-gate.js';

/** A simulated node. */
export interface TestNode {
  readonly name: string;
  /** Default: worker. */
  readonly role?: NodeRole;
  /** Default: active. */
  readonly availability?: NodeAvailability;
  readonly labels?: Labels;
}

/** What a cluster for tests is made of. */
export interface TestClusterOptions {
  /** How many nodes (`node1`, a manager, then workers), or which. Default: 2. */
  readonly nodes?: number | readonly TestNode[];
  /** Seed of everything random. Default: 1. */
  readonly seed?: number | string;
  readonly cluster?: ClusterSpec;
  /** What containers do. Default: they run until they are stopped. */
  readonly behaviour?: BehaviourOf;
  /** A random order of lists finds code that relies on an order. Default: natural. */
  readonly listOrder?: 'natural' | Random;
  /** Called with the view of each commit, before anybody else hears of it. */
  readonly committed?: CommitListener;
  /**
   * How many managers share the store. Default: 1, which is alone and leads. With more, each has a
   * store of its own on one log, hears of the commits of others within 20 ms, and is elected or
   * not.
   */
  readonly managers?: number;
  /** Times of the election among several managers. Default: those of `LeaderElector`. */
  readonly election?: Omit<ManagerElection, 'identity'>;
  /** Where the managers count, log and remember. Default: nowhere. */
  readonly watching?: Pick<ManagerParts, 'metrics' | 'logger' | 'trace'>;
}

const KINDS: readonly AnyKind[] = Object.freeze([
  Cluster,
  Node,
  Network,
  Service,
  Task,
  EndpointSlice,
  Secret,
  Config,
  Volume,
  Lease,
  Event,
]);

const compareTasks = compareBy<Task>(
  (a, b) => a.spec.slot - b.spec.slot,
  (a, b) => compareText(a.spec.nodeId ?? '', b.spec.nodeId ?? ''),
  (a, b) => compareText(a.meta.id, b.meta.id),
);

/** A running cluster. Every declaration is judged as a user's is; time only passes when told. */
export class TestCluster {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly simulator: Simulator;
  readonly #plane: ControlPlane;
  readonly #ids: IdSource;
  readonly #crashed = new Set<TaskId>();

  private constructor(
    parts: { readonly clock: VirtualClock; readonly random: Random; readonly plane: ControlPlane },
    { behaviour, cluster: settings }: TestClusterOptions,
  ) {
    const { clock, random, plane } = parts;
    this.clock = clock;
    this.store = plane.store;
    this.#plane = plane;
    this.#ids = idSource(random.fork('ids'));
    this.simulator = new Simulator({
      clock,
      random: random.fork('simulator'),
      link: plane.link,
      renderer: clusterSettings(settings).dataplane,
      ...(behaviour === undefined ? {} : { behaviour }),
    });
  }

  /** Starts a cluster; its nodes are READY. */
  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const { seed = 1, cluster: settings, listOrder = 'natural', committed } = options;
    const random = seededRandom(seed);
    const clock = new VirtualClock();
    const plane = await controlPlane({
      clock,
      random,
      kinds: KINDS,
      listOrder,
      managers: options.managers ?? 1,
      election: options.election ?? {},
      manager: { ...options.watching, ...(settings === undefined ? {} : { cluster: settings }) },
      committed,
    });
    const cluster = new TestCluster({ clock, random, plane }, options);
    await plane.start();
    // Nodes come once there is somebody to come to.
    if (plane.replicas.length > 0) await cluster.settle();
    await cluster.simulator.start();
    for (const node of testNodes(options.nodes ?? 2)) await cluster.addNode(node);
    await cluster.settle();
    return cluster;
  }

  /** The newest view. */
  view(): View {
    return this.store.view();
  }

  /** The manager that runs now; of several, the one that leads. @throws unavailable */
  get manager(): Manager {
    const manager = this.#plane.leading();
    if (manager === undefined) throw new SkepError('unavailable', 'no manager leads');
    return manager;
  }

  /** All managers, where there are several: to pause, stop, and kill. None where there is one. */
  get managers(): readonly ManagerReplica[] {
    return this.#plane.replicas;
  }

  /** Of several managers the one that leads, as far as it can know. */
  get leader(): ManagerReplica | undefined {
    return this.managers.find(({ isLeader }) => isLeader);
  }

  /** Declares objects, all or nothing. @throws invalid-argument and others, with all complaints. */
  apply(...objects: readonly DeclaredObject[]): Promise<readonly AdmissionResult[]> {
    return this.#admit((view) => planApply(view, objects, { ids: this.#ids }));
  }

  /** Sets the number of replicas. */
  async scale(service: string, replicas: number): Promise<void> {
    await this.#admit((view) => planScale(view, service, replicas));
  }

  /** Replaces all tasks of a service though nothing changes. */
  async forceUpdate(service: string): Promise<void> {
    await this.#admit((view) => planForceUpdate(view, service));
  }

  /** Removes an object. */
  async remove(kind: AnyKind, name: string): Promise<void> {
    await this.#admit((view) => planRemove(view, [{ kind, reference: name }]));
  }

  /** Whether a node takes tasks (active), keeps those it has (pause), or loses them (drain). */
  async setAvailability(node: string, availability: NodeAvailability): Promise<void> {
    await this.#admit((view) => planAvailability(view, node, availability));
  }

  /** Adds a node. It becomes READY when time passes. */
  async addNode({
    name,
    role = 'worker',
    availability = 'active',
    labels = {},
  }: TestNode): Promise<void> {
    const [result] = await this.apply({ kind: Node, name, labels, spec: { role, availability } });
    await this.simulator.addHost({ id: result?.id ?? '', name });
  }

  /** Takes a node away for good, whatever runs there. */
  async removeNode(name: string): Promise<void> {
    const { id } = this.simulator.host(name);
    const now = this.clock.now();
    await this.#admit((view) => planRemoveNode(view, id, { now, isForced: true }));
    await this.simulator.removeHost(id);
  }

  /** Tasks of a service that have not ended, by slot. */
  tasks(service: string): readonly Task[] {
    const view = this.view();
    const found = view.getByName(Service, service);
    if (found === undefined) return [];
    return view
      .list(Task, byService(found.meta.id))
      .filter(({ status }) => !isTerminal(status.state))
      .sort(compareTasks);
  }

  /** Tasks whose containers were made to end by themselves. */
  get crashed(): ReadonlySet<TaskId> {
    return this.#crashed;
  }

  /** A container ends by itself. @throws not-found when none of the task runs. */
  crash(taskId: TaskId, exitCode = 1): void {
    const { simulator } = this;
    const host = simulator.hosts.find(({ runtime }) => runtime.container(taskId) !== undefined);
    if (host === undefined) throw new SkepError('not-found', `no container of task ${taskId}`);
    host.crash(taskId, exitCode);
    this.#crashed.add(taskId);
  }

  /** Lets virtual time pass. */
  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  /** Lets virtual time pass until only periodic timers are left; at most an hour. */
  settle(options: { readonly limitMs?: number } = {}): Promise<Settlement> {
    const controllers = (): ControllerGroup | undefined => this.#plane.leading()?.controllers;
    return settleOn({ clock: this.clock, controllers, limitMs: options.limitMs });
  }

  /** Whether a manager runs: one does unless it was made to crash. */
  get hasManager(): boolean {
    return this.#plane.isRunning;
  }

  /**
   * The manager, of several the one that leads, dies with what it had not written; see
   * {@link TestCluster.startManager}.
   */
  crashManager(): void {
    this.#plane.crash();
  }

  /** Another manager takes over; of several, those start that do not run. */
  async startManager(): Promise<void> {
    await this.#plane.start();
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    const ends = [this.simulator.stop(), this.#plane.stop()];
    await this.clock.advance(STOP_MS);
    await Promise.all(ends);
    await this.store.close();
  }

  async #admit(plan: (view: View) => AdmissionPlan): Promise<readonly AdmissionResult[]> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const { complaints, changes, results } = plan(this.view());
      if (complaints.length > 0) throw admissionError(complaints);
      const { conflict } = await this.store.batch({ actor: 'user', changes });
      if (conflict === undefined) return results;
    }
    throw new SkepError('aborted', 'the loops of the cluster were always first');
  }
}

/** Attempts at a commit that loops get ahead of. */
const ATTEMPTS_MAX = 100;
/** Virtual time in which everything ends: calls that are under way take a moment. */
const STOP_MS = 60_000;

/** Starts a cluster; its nodes are READY. End it with `stop`. */
export function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  return TestCluster.start(options);
}

/** The nodes that are meant by a number: a manager, then workers. */
export function testNodes(nodes: number | readonly TestNode[]): readonly TestNode[] {
  if (typeof nodes !== 'number') return nodes;
  return Array.from({ length: nodes }, (_, index) => ({
    name: `node${index + 1}`,
    role: index === 0 ? 'manager' : 'worker',
  }));
}
