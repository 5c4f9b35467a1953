/**
 * What a manager counts about its cluster, under the names that Docker's and Kubernetes' dashboards
 * ask for. Everything follows from the commits, so no loop does anything for it.
 *
 * **Source:** SwarmKit manager/metrics/collector.go, manager/dispatcher/dispatcher.go and
 * manager/manager.go (`swarm_*`); Kubernetes pkg/scheduler/metrics (`scheduler_*`) for names.
 */
import {
  ACTORS,
  Config,
  isSkepError,
  messageOf,
  Network,
  Node,
  Secret,
  Service,
  Task,
} from '@skep/api';
import {
  TASK_STATES,
  type Clock,
  type Kind,
  type Logger,
  type Runnable,
  type Timer,
} from '@skep/api';
import type { Counter, Gauge, Histogram, Metrics, NodeState, StoredObject } from '@skep/api';
import type { CommitEvent, ObjectEvent, Store } from '@skep/store';
import { StateCounts } from './state-counts.js';

/** What {@link ClusterMetrics} needs. */
export interface ClusterMetricsParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const NODE_STATES: readonly NodeState[] = ['unknown', 'down', 'ready', 'disconnected'];
const COUNTED_KINDS = [Service, Network, Secret, Config] as readonly Kind[];
const QUEUES = ['active', 'unschedulable'] as const;
/** Wait before a watch that ended is begun again. */
const RESTART_MS = 1000;

const SCHEDULED = Object.freeze({ result: 'scheduled' });
const UNSCHEDULABLE = Object.freeze({ result: 'unschedulable' });

/**
 * Counts nodes and tasks by state, services, networks, secrets and configs; the tries of the
 * scheduler; the time that tasks take from NEW to RUNNING. Runs where the loops run: on the leader.
 * Cost: O(changes) for each commit, O(objects) at the start.
 */
export class ClusterMetrics implements Runnable {
  readonly #parts: ClusterMetricsParts;
  readonly #nodes: StateCounts;
  readonly #tasks: StateCounts;
  readonly #waiting: StateCounts;
  readonly #kinds: ReadonlyMap<string, Gauge>;
  readonly #leader: Gauge;
  readonly #attempts: Counter;
  readonly #delay: Histogram;
  #watch: { unsubscribe(): void } | undefined;
  #restart: Timer | undefined;

  constructor(parts: ClusterMetricsParts) {
    const { metrics } = parts;
    this.#parts = parts;
    const gauge = (name: string, help: string, labelNames: readonly string[] = []): Gauge =>
      metrics.gauge({ name, help, labelNames });
    const nodes = gauge('swarm_manager_nodes', 'Nodes by state.', ['state']);
    const tasks = gauge('swarm_manager_tasks_total', 'Tasks by observed state.', ['state']);
    const waiting = gauge(
      'scheduler_pending_pods',
      'Tasks that wait for a node: not tried yet (active), or fitting nowhere (unschedulable).',
      ['queue'],
    );
    this.#nodes = new StateCounts(nodes, 'state', NODE_STATES);
    this.#tasks = new StateCounts(tasks, 'state', TASK_STATES);
    this.#waiting = new StateCounts(waiting, 'queue', QUEUES);
    this.#kinds = new Map(
      COUNTED_KINDS.map(({ name }) => {
        const kind = `${name.toLowerCase()}s`;
        return [name, gauge(`swarm_manager_${kind}_total`, `How many ${kind} there are.`)];
      }),
    );
    this.#leader = gauge('swarm_manager_leader', 'Whether this manager leads: 1, or 0.');
    this.#attempts = metrics.counter({
      name: 'scheduler_schedule_attempts_total',
      help: 'What the scheduler found for tasks: a node (scheduled), or none (unschedulable).',
      labelNames: ['result'],
    });
    this.#delay = metrics.histogram({
      name: 'swarm_dispatcher_scheduling_delay_seconds',
      help: 'How long tasks took from NEW to RUNNING.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    });
    this.#attempts.add(0, SCHEDULED);
    this.#attempts.add(0, UNSCHEDULABLE);
    this.#leader.set(0);
  }

  /** Counts what is there and follows what comes. A second call does nothing. */
  start(): Promise<void> {
    if (this.#watch === undefined) {
      this.#leader.set(1);
      this.#open();
    }
    return Promise.resolve();
  }

  /** Ends it; the gauges keep their last values, but for the leader's. */
  stop(): Promise<void> {
    this.#watch?.unsubscribe();
    this.#watch = undefined;
    this.#restart?.cancel();
    this.#restart = undefined;
    this.#leader.set(0);
    return Promise.resolve();
  }

  /** Subscribes and counts in one turn: nothing lies between. */
  #open(): void {
    const { store, clock, logger } = this.#parts;
    this.#watch = store.subscribe({
      commit: (commit) => this.#follow(commit),
      ended: (reason) => {
        // A store that is closed has nothing more to count.
        if (isSkepError(reason, 'unavailable')) return;
        logger.warn('metrics lost their watch', { error: messageOf(reason) });
        this.#restart = clock.schedule(clock.now() + RESTART_MS, () => this.#open(), {
          isPeriodic: true,
          label: 'metrics',
        });
      },
    });
    this.#count();
  }

  #count(): void {
    const view = this.#parts.store.view();
    for (const counts of [this.#nodes, this.#tasks, this.#waiting]) counts.clear();
    const kinds = new Set(this.#parts.store.kinds.map(({ name }) => name));
    const list = <O>(kind: Kind): readonly O[] =>
      kinds.has(kind.name) ? (view.list(kind) as readonly O[]) : [];
    for (const node of list<Node>(Node as Kind)) this.#nodes.move(undefined, node.status.state);
    for (const task of list<Task>(Task as Kind)) this.#moveTask(undefined, task);
    for (const kind of COUNTED_KINDS) this.#kinds.get(kind.name)?.set(list(kind).length);
    for (const counts of [this.#nodes, this.#tasks, this.#waiting]) counts.tell();
  }

  #follow({ events, actor }: CommitEvent): void {
    for (const event of events) {
      const { object } = event;
      if (object.kind === Task.name) this.#followTask(event, actor);
      else if (object.kind === Node.name) this.#followNode(event);
      else if (event.type !== 'updated') this.#countKind(object);
    }
    for (const counts of [this.#nodes, this.#tasks, this.#waiting]) counts.tell();
  }

  #followNode({ type, object, previous }: ObjectEvent): void {
    const before = type === 'deleted' ? object : previous;
    const after = type === 'deleted' ? undefined : object;
    this.#nodes.move((before as Node | undefined)?.status.state, (after as Node)?.status.state);
  }

  #followTask({ type, object, previous }: ObjectEvent, actor: string): void {
    const before = (type === 'deleted' ? (previous ?? object) : previous) as Task | undefined;
    const after = (type === 'deleted' ? undefined : object) as Task | undefined;
    this.#moveTask(before, after);
    if (after === undefined || before === undefined) return;
    const { state, nodeId, pending } = after.status;
    if (actor === ACTORS.scheduler) {
      if (nodeId !== undefined && before.status.nodeId === undefined) {
        this.#attempts.add(1, SCHEDULED);
      } else if (pending !== undefined && pending !== before.status.pending) {
        this.#attempts.add(1, UNSCHEDULABLE);
      }
    }
    if (state === 'running' && before.status.state !== 'running') {
      this.#delay.observe((after.meta.updatedAt - after.meta.createdAt) / 1000);
    }
  }

  #moveTask(before: Task | undefined, after: Task | undefined): void {
    this.#tasks.move(before?.status.state, after?.status.state);
    this.#waiting.move(queueOf(before), queueOf(after));
  }

  #countKind({ kind }: StoredObject): void {
    const gauge = this.#kinds.get(kind);
    const known = COUNTED_KINDS.find(({ name }) => name === kind);
    if (gauge !== undefined && known !== undefined)
      gauge.set(this.#parts.store.view().count(known));
  }
}

/** Where the scheduler has a task that waits for a node; undefined for all others. */
function queueOf(task: Task | undefined): (typeof QUEUES)[number] | undefined {
  if (task?.status.state !== 'pending' || task.status.nodeId !== undefined) return undefined;
  return task.status.pending === undefined ? 'active' : 'unschedulable';
}
