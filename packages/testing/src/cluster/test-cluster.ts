/**
 * A cluster for tests: store, manager, simulated hosts and virtual time, by plain constructors.
 */
import {
  byService,
  Cluster,
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
} from '@skep/orchestrator';
import { memoryStore, type Store, type View } from '@skep/store';
import { ManagerProcess } from './manager-process.js';
import { settleOn, type Settlement } from './settle.js';
import { StoreGate, type CommitListener } from './store-gate.js';

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
  readonly #process: ManagerProcess;
  readonly #ids: IdSource;
  readonly #crashed = new Set<TaskId>();

  private constructor(options: TestClusterOptions) {
    const { seed = 1, cluster, behaviour, listOrder = 'natural', committed } = options;
    const random = seededRandom(seed);
    this.clock = new VirtualClock();
    const { clock } = this;
    const checks = { ownership: true, freeze: true };
    const inner = memoryStore({ clock, kinds: KINDS, checks, listOrder });
    this.store = new StoreGate(inner, committed);
    this.#ids = idSource(random.fork('ids'));
    this.#process = new ManagerProcess({
      store: inner,
      clock,
      random: random.fork('manager'),
      ...(cluster === undefined ? {} : { cluster }),
      ...(committed === undefined ? {} : { committed }),
    });
    this.simulator = new Simulator({
      clock,
      random: random.fork('simulator'),
      link: this.#process.link,
      ...(behaviour === undefined ? {} : { behaviour }),
    });
  }

  /** Starts a cluster; its nodes are READY. */
  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    await cluster.#process.start();
    await cluster.simulator.start();
    for (const node of testNodes(options.nodes ?? 2)) await cluster.addNode(node);
    await cluster.settle();
    return cluster;
  }

  /** The newest view. */
  view(): View {
    return this.store.view();
  }

  /** The manager that runs now. */
  get manager(): Manager {
    return this.#process.manager;
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
    const controllers = (): Manager['controllers'] => this.manager.controllers;
    return settleOn({ clock: this.clock, controllers, limitMs: options.limitMs });
  }

  /** Whether a manager runs: one does unless it was made to crash. */
  get hasManager(): boolean {
    return this.#process.isRunning;
  }

  /** The manager dies with what it had not written; see {@link TestCluster.startManager}. */
  crashManager(): void {
    this.#process.crash();
  }

  /** Another manager takes over. */
  async startManager(): Promise<void> {
    await this.#process.start();
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    const ends = [this.simulator.stop(), this.#process.stop()];
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
