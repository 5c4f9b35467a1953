/**
 * The manager: all loops of the control plane, wired by plain constructors. One alone on its store,
 * or one of several that elect a leader.
 *
 * **Source:** SwarmKit manager/manager.go (becomeLeader) for the order of the start; one registry
 * stops every loop (defect 1).
 */
import {
  SkepError,
  silentLogger,
  silentMetrics,
  type Clock,
  type ClusterSpec,
  type Logger,
  type Metrics,
  type NodeAnswer,
  type NodeId,
  type NodeLink,
  type NodeQuestion,
  type Random,
  type Runnable,
} from '@skep/api';
import {
  ControllerGroup,
  runSharded,
  type ControllerDefinition,
  type ControllerSeams,
  type FenceLost,
  type LeaderElector,
  type LeaderFollower,
  type LeadershipEnd,
  type ReconcileTrace,
} from '@skep/controller';
import type { Policy } from '@skep/scheduler';
import { meteredStore, type Expectation, type Store } from '@skep/store';
import { allocatorController } from './allocator/index.js';
import { Dispatcher } from './dispatcher/index.js';
import { endpointsController } from './endpoints/index.js';
import { constraintEnforcer } from './enforcers/constraint-enforcer.js';
import { volumeEnforcer } from './enforcers/volume-enforcer.js';
import { bootstrap } from './manager-bootstrap.js';
import { isShared, sharedControllers } from './manager-sharing.js';
import type { ManagerSharding, SharedControllers } from './manager-sharing.js';
import {
  electorOf,
  leaderAsk,
  leaderLink,
  unlessAborted,
  type ManagerElection,
} from './manager-election.js';
import { ClusterMetrics } from './metrics/cluster-metrics.js';
import { taskReaper } from './reaper/reaper-controller.js';
import { schedulerController } from './scheduling/index.js';
import { orchestratorController } from './service/orchestrator-controller.js';

/** What a manager is made of. */
export interface ManagerParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Remembers why objects changed. Default: nothing does, which costs nothing. */
  readonly trace?: ReconcileTrace;
  /** Settings of the cluster, written when the store is empty. */
  readonly cluster?: ClusterSpec;
  /** Default: Swarm's. */
  readonly policy?: Policy;
  /** Further controllers. One with the name of a built-in one takes its place. */
  readonly controllers?: readonly ControllerDefinition[];
  /**
   * For one of several managers on the same store: the loops run while it leads, and each of their
   * commits carries the fence of its term. The store has to keep the kind `Lease`.
   * Default: it is alone and leads.
   */
  readonly election?: ManagerElection | LeaderElector;
  /**
   * Own controllers that allow it (`sharding` in their definitions) run in every manager, each with
   * its share of the keys, instead of in the leader alone. The built-in loops are never shared:
   * what
   * they give out, each task of every service may need. Only with `election`, whose identity and
   * times count here, too. Default: everything runs in the leader.
   */
  readonly sharding?: ManagerSharding;
  /** Fence of a leader that is elected elsewhere: added to every commit. Not with `election`. */
  readonly fence?: () => readonly Expectation[];
  /** Told when a commit is refused because of that fence. */
  readonly onFenceLost?: FenceLost;
}

/** A control plane. */
export interface Manager extends Runnable {
  /** The loops. They run between `start` and `stop`; with an election, while it leads. */
  readonly controllers: ControllerGroup;
  /** What it was given to remember why objects change. */
  readonly trace: ReconcileTrace | undefined;
  /**
   * Where nodes come in. A manager that does not lead refuses them (`unavailable`);
   * `details.leader`
   * names the one that does, when that is known.
   */
  readonly link: NodeLink;
  /**
   * Asks a node: what tasks printed, which tables it holds. The question is put when the first
   * answer is read, and the node goes on as answers are read, so nothing is kept for a slow reader;
   * it stops when the reader leaves the loop, or `signal` fires (`aborted`). Read it once.
   * @throws (when read) not-found for an unknown node; unavailable when it has no session, loses
   * it meanwhile, or this manager does not lead (`details.leader`); invalid-argument for a question
   * that no node could answer; unimplemented for a node that answers none; resource-exhausted when
   * it answers 64 already; what the node says.
   */
  readonly ask: (
    nodeId: NodeId,
    question: NodeQuestion,
    signal?: AbortSignal,
  ) => AsyncIterableIterator<NodeAnswer>;
  /** Takes part in the election; undefined for a manager that is alone. */
  readonly elector: LeaderElector | undefined;
  /** Its share of the keys, and the controllers at work on it; undefined without sharding. */
  readonly shared: SharedControllers | undefined;
  /**
   * Alone: resolves when all loops run. With an election: when it has begun to try; the loops start
   * when it leads. `signal` stops it.
   */
  start(signal?: AbortSignal): Promise<void>;
  /** Stops the loops, says good-bye to the nodes, then releases the lease, if it leads. */
  stop(): Promise<void>;
}

/** The built-in loops. */
export function builtInControllers(parts: {
  readonly policy?: Policy;
}): readonly ControllerDefinition[] {
  return [
    allocatorController(),
    schedulerController(parts.policy === undefined ? {} : { policy: parts.policy }),
    orchestratorController(),
    endpointsController(),
    constraintEnforcer(),
    volumeEnforcer(),
    taskReaper(),
  ];
}

/**
 * Wires a manager. Nothing runs before `start`.
 * @throws invalid-argument for `election` and `fence` together, for `sharding` without the settings
 * of an election, and what an elector refuses.
 */
export function createManager(parts: ManagerParts): Manager {
  const { clock, random, election, metrics, trace } = parts;
  const isCounting = metrics !== undefined && metrics !== silentMetrics;
  const store = isCounting ? meteredStore(parts.store, { clock, metrics }) : parts.store;
  if (election === undefined && parts.sharding !== undefined) {
    throw new SkepError('invalid-argument', "a manager takes 'sharding' only with 'election'");
  }
  if (election !== undefined && parts.fence !== undefined) {
    throw new SkepError('invalid-argument', "a manager takes 'election' or 'fence', not both");
  }
  const seams = {
    store,
    clock,
    random,
    logger: parts.logger ?? silentLogger,
    metrics: metrics ?? silentMetrics,
    ...(trace === undefined ? {} : { trace }),
  };
  if (election === undefined) {
    const { fence, onFenceLost } = parts;
    const loops = new ManagerLoops(parts, {
      ...seams,
      ...(fence === undefined ? {} : { fence }),
      ...(onFenceLost === undefined ? {} : { onFenceLost }),
    });
    return {
      controllers: loops.controllers,
      trace,
      link: loops.dispatcher,
      ask: (nodeId, question, signal) => loops.dispatcher.ask(nodeId, question, signal),
      elector: undefined,
      shared: undefined,
      start: (signal) => loops.start(signal),
      stop: () => loops.stop(),
    };
  }
  const elector = electorOf(election, seams);
  const { fence, onFenceLost } = elector;
  const loops = new ManagerLoops(parts, { ...seams, fence, onFenceLost });
  elector.follow(loops);
  const { controllers = [], sharding } = parts;
  const shared = sharding && sharedControllers({ sharding, election, controllers, seams });
  const sharing = shared && runSharded(shared.member, shared.controllers);
  const stop = async (): Promise<void> => {
    await Promise.all([sharing?.stop(), elector.stop()]);
  };
  return {
    controllers: loops.controllers,
    trace,
    link: leaderLink(loops.dispatcher, elector),
    ask: leaderAsk(loops.dispatcher, elector),
    elector,
    shared,
    start: async (signal) => {
      await sharing?.start();
      await elector.start();
      signal?.addEventListener('abort', () => void stop(), { once: true });
      if (signal?.aborted === true) await stop();
    },
    stop,
  };
}

/** Everything of a manager that only one of several may run. */
class ManagerLoops implements LeaderFollower, Runnable {
  readonly controllers: ControllerGroup;
  readonly dispatcher: Dispatcher;
  readonly #parts: ManagerParts;
  readonly #seams: ControllerSeams;
  readonly #metrics: ClusterMetrics | undefined;

  constructor(parts: ManagerParts, seams: ControllerSeams) {
    this.#parts = parts;
    this.#seams = seams;
    this.controllers = new ControllerGroup(seams);
    this.dispatcher = new Dispatcher(seams);
    this.#metrics = clusterMetrics(seams);
    const own = parts.controllers ?? [];
    const replaced = new Set(own.map(({ name }) => name));
    for (const definition of builtInControllers(parts)) {
      if (!replaced.has(definition.name)) this.controllers.add(definition);
    }
    const isOfLeader = (definition: ControllerDefinition): boolean =>
      parts.sharding === undefined || !isShared(definition);
    for (const definition of own.filter(isOfLeader)) this.controllers.add(definition);
  }

  /** Leadership began. A store that does not answer must not hold up its end. */
  started(signal: AbortSignal): Promise<void> {
    return unlessAborted(this.#start(signal), signal);
  }

  /** Leadership is over. Nodes are let go of first: another manager waits for them. */
  async stopped({ isLeaseHeld }: LeadershipEnd): Promise<void> {
    if (!isLeaseHeld) this.dispatcher.abandon('not the leader any more');
    await this.stop();
  }

  async start(signal?: AbortSignal): Promise<void> {
    await this.#start(signal);
    signal?.addEventListener('abort', () => void this.stop(), { once: true });
    if (signal?.aborted === true) await this.stop();
  }

  async stop(): Promise<void> {
    await this.controllers.stop();
    await this.dispatcher.stop();
    await this.#metrics?.stop();
  }

  async #start(signal: AbortSignal | undefined): Promise<void> {
    const { store, fence, onFenceLost = () => undefined } = this.#seams;
    const { cluster } = this.#parts;
    const isOver = (): boolean => signal?.aborted === true;
    await bootstrap({ store, cluster, fence: fence?.() ?? [], onFenceLost });
    if (isOver()) return;
    await this.#metrics?.start();
    await this.dispatcher.start();
    if (isOver()) return;
    await this.controllers.start(signal);
  }
}

/** Nothing for metrics that count nothing. */
function clusterMetrics(seams: ControllerSeams): ClusterMetrics | undefined {
  const { store, clock, logger = silentLogger, metrics = silentMetrics } = seams;
  if (metrics === silentMetrics) return undefined;
  return new ClusterMetrics({ store, clock, logger, metrics });
}
