/**
 * The agent: what makes a machine a node. It keeps a session with a manager, brings the node's
 * tables and tasks to what is assigned, and reports what it observes. It goes on without any
 * manager: what runs keeps running.
 *
 * **Source:** SwarmKit agent/agent.go and agent/worker.go.
 */
import {
  isEqual,
  isSkepError,
  messageOf,
  SkepError,
  silentLogger,
  TASK_STATE_RANK,
  type Assignment,
  type AssignedTask,
  type Clock,
  type Logger,
  type NodeAnswer,
  type NodeDescription,
  type NodeId,
  type NodeLink,
  type NodeNotice,
  type NodeQuestion,
  type NodeSession,
  type Random,
  type Revision,
  type Runnable,
  type TaskId,
  type TaskReport,
  type Timer,
} from '@skep/api';
import { AssignmentState, networkChangeOf } from './assignment-state.js';
import type { Dataplane, Resolver, TaskContext, TaskHandle, TaskRuntime } from './contract.js';
import { leftoverTask } from './leftover-task.js';
import { NetworkApplier } from './network-applier.js';
import { SessionKeeper } from './node-session.js';
import { NoticeQueue } from './notice-queue.js';
import { leftoversRemoved, tasksAdopted } from './observations.js';
import { ReportQueue } from './report-queue.js';
import { taskLines } from './task-lines.js';
import { TaskManager } from './task-manager.js';
import { TaskRemover } from './task-remover.js';

/** The node looks at itself this often; a change is reported. */
const DESCRIBE_PERIOD_MS = 20_000;

/** What an agent stands on. */
export interface AgentOptions {
  readonly nodeId: NodeId;
  /** Address of the node in the underlay. */
  readonly address: string;
  readonly link: NodeLink;
  readonly runtime: TaskRuntime;
  readonly dataplane: Dataplane;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
}

/** Leftovers are looked for again after this time when the runtime could not name them. */
const LOOK_AGAIN_MS = 1_000;

/** The agent of one node. It lives once: after `stop`, another one takes over. */
export class Agent implements Runnable {
  readonly #options: AgentOptions;
  readonly #logger: Logger;
  readonly #state = new AssignmentState();
  readonly #tasks = new Map<TaskId, TaskManager>();
  readonly #remover: TaskRemover;
  readonly #keeper: SessionKeeper;
  readonly #reports: ReportQueue;
  readonly #notices: NoticeQueue;
  #applier: NetworkApplier | undefined;
  #appliedRevision: Revision = 0;
  /** New tasks that wait until the tables of the revision they came with are in place. */
  readonly #waiting = new Map<TaskId, Revision>();
  #description: NodeDescription | undefined;
  #describeTimer: Timer | undefined;
  #lookTimer: Timer | undefined;
  /** Whether this session has said what is assigned; before, it knows of no revision. */
  #isTold = false;
  /** Whether it has found out what runs here since it started. */
  #hasLooked = false;
  #isStopped = false;

  constructor(options: AgentOptions) {
    const { clock, link, random, runtime, logger = silentLogger } = options;
    this.#options = options;
    this.#logger = logger;
    this.#remover = new TaskRemover({
      clock,
      logger,
      onGone: (taskId) => {
        if (!this.#waiting.has(taskId)) this.#startIfAssigned(taskId);
      },
    });
    this.#reports = new ReportQueue({ clock, send: (reports) => this.#report(reports) });
    this.#notices = new NoticeQueue({ clock, send: (notices) => this.#tell(notices) });
    this.#keeper = new SessionKeeper({
      link,
      clock,
      random,
      logger,
      hello: async () => {
        this.#isTold = false;
        this.#description = await runtime.describe();
        return { nodeId: options.nodeId, address: options.address, description: this.#description };
      },
      onOpen: () => this.#opened(),
      onAssignment: (assignment) => this.#assigned(assignment),
      onAsk: (question, signal) => this.#answer(question, signal),
    });
  }

  /** @throws failed-precondition when it was started before. */
  async start(): Promise<void> {
    if (this.#applier !== undefined) {
      throw new SkepError('failed-precondition', 'an agent is started once: make another');
    }
    const { dataplane, resolver, clock } = this.#options;
    this.#applier = new NetworkApplier({
      dataplane,
      resolver,
      clock,
      logger: this.#logger,
      state: () => this.#state.networkState(),
      onApplied: (revision) => this.#applied(revision),
      onNotice: (notice) => this.#notices.add(notice),
    });
    this.#keeper.start();
    this.#scheduleDescribe();
    return Promise.resolve();
  }

  /**
   * Ends the agent. What runs on the node goes on, and the next agent takes it over. Resolves when
   * the tables are not worked on any more and the session is closed; removals under way go on.
   */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#describeTimer?.cancel();
    this.#lookTimer?.cancel();
    this.#remover.stop();
    for (const task of this.#tasks.values()) task.close();
    this.#reports.stop();
    this.#notices.stop();
    await Promise.all([this.#applier?.stop(), this.#keeper.stop()]);
  }

  /** Revision of the tables that the node holds. */
  get appliedRevision(): Revision {
    return this.#appliedRevision;
  }

  #opened(): void {
    this.#reports.resend([...this.#tasks.values()].flatMap((task) => task.lastReport ?? []));
    this.#acknowledge();
    this.#notices.resend();
  }

  #assigned(assignment: Assignment): void {
    try {
      const touched = this.#state.apply(assignment);
      this.#isTold = true;
      this.#applyTasks(touched.task);
      this.#applier?.request(assignment.type === 'complete' ? undefined : networkChangeOf(touched));
    } catch (thrown) {
      if (!isSkepError(thrown, 'out-of-sequence')) throw thrown;
      this.#keeper.reopen(messageOf(thrown));
      return;
    }
    if (assignment.type === 'complete') void this.#removeUnassigned();
  }

  /** Known tasks are updated at once; new ones wait for their tables if they need them. */
  #applyTasks(ids: readonly TaskId[]): void {
    for (const id of ids) {
      const task = this.#state.items.task.get(id);
      const manager = this.#tasks.get(id);
      if (task === undefined) {
        this.#waiting.delete(id);
        this.#remove(id, manager);
      } else if (manager !== undefined) {
        manager.update(task);
      } else if (!needsTables(task)) {
        this.#waiting.delete(id);
        this.#startIfAssigned(id);
      } else if (!this.#waiting.has(id)) {
        this.#waiting.set(id, this.#state.revision);
      }
    }
  }

  #applied(revision: Revision): void {
    this.#appliedRevision = Math.max(this.#appliedRevision, revision);
    this.#acknowledge();
    for (const [taskId, since] of [...this.#waiting]) {
      if (since > revision) continue;
      this.#waiting.delete(taskId);
      this.#startIfAssigned(taskId);
    }
  }

  /** Starts a task that is assigned and not driven yet, unless an earlier life of it still ends. */
  #startIfAssigned(taskId: TaskId): void {
    const task = this.#state.items.task.get(taskId);
    if (task === undefined || this.#tasks.has(taskId) || this.#remover.isRemoving(taskId)) return;
    const manager = new TaskManager({
      task,
      handle: this.#handle(task),
      clock: this.#options.clock,
      report: (report: TaskReport) => this.#reports.add(report),
    });
    this.#tasks.set(taskId, manager);
    manager.start();
  }

  /** The task's handle; one that refuses everything when the runtime does not take the task. */
  #handle(task: AssignedTask): TaskHandle {
    const { secret, config } = this.#state.items;
    const context: TaskContext = { secrets: secret, configs: config, node: this.#state.node };
    try {
      return this.#options.runtime.task(task, context);
    } catch (thrown) {
      return refusingHandle(thrown);
    }
  }

  /** A task that was never driven here may still have been by an earlier agent. */
  #remove(id: TaskId, manager: TaskManager | undefined): void {
    this.#tasks.delete(id);
    this.#reports.forget(id);
    this.#remover.remove(id, () => (manager ?? this.#handle(leftoverTask(id))).remove());
  }

  /** What an earlier agent left behind: it runs here, but is not assigned, and has to go. */
  async #removeUnassigned(): Promise<void> {
    this.#lookTimer?.cancel();
    const { runtime, clock } = this.#options;
    try {
      const known = await runtime.known();
      this.#noteAdopted(known);
      const left = known.filter((id) => !this.#state.items.task.has(id) && !this.#tasks.has(id));
      const found = left.filter((id) => !this.#remover.isRemoving(id));
      if (found.length > 0) this.#notices.add(leftoversRemoved(found));
      for (const id of left) {
        this.#remover.remove(id, () => this.#handle(leftoverTask(id)).remove());
      }
    } catch (thrown) {
      this.#logger.error('the tasks of this node are not known', { error: messageOf(thrown) });
      if (this.#isStopped) return;
      const again = (): void => void this.#removeUnassigned();
      this.#lookTimer = clock.schedule(clock.now() + LOOK_AGAIN_MS, again, {
        label: 'look for tasks left behind',
      });
    }
  }

  /** Once: what an earlier agent started, and this one goes on with. */
  #noteAdopted(known: readonly TaskId[]): void {
    if (this.#hasLooked) return;
    this.#hasLooked = true;
    const names = known.flatMap((id) => {
      const task = this.#state.items.task.get(id);
      return task === undefined || !wasBegun(task) ? [] : [task.name];
    });
    if (names.length > 0) this.#notices.add(tasksAdopted(names));
  }

  async #tell(notices: readonly NodeNotice[]): Promise<boolean> {
    const { session } = this.#keeper;
    if (session === undefined) return false;
    // A manager that takes none has taken them.
    await session.tell?.(notices);
    return true;
  }

  async #report(reports: readonly TaskReport[]): Promise<boolean> {
    const { session } = this.#keeper;
    if (session === undefined) return false;
    try {
      await session.report(reports);
      return true;
    } catch (thrown) {
      this.#lose(session, thrown);
      return false;
    }
  }

  #acknowledge(): void {
    const { session } = this.#keeper;
    // A revision that was applied for an earlier session means nothing to one that sent none.
    if (session === undefined || !this.#isTold || this.#appliedRevision === 0) return;
    session
      .acknowledge({ appliedRevision: this.#appliedRevision })
      .catch((thrown: unknown) => this.#lose(session, thrown));
  }

  /** Answers a question. What it cannot answer, the iteration throws. */
  async *#answer(
    question: NodeQuestion,
    signal: AbortSignal,
  ): AsyncGenerator<NodeAnswer, undefined> {
    if (question.type === 'tables') {
      const appliedRevision = this.#appliedRevision;
      yield { type: 'tables', appliedRevision, assignment: this.#state.withoutFiles() };
      return;
    }
    const { runtime } = this.#options;
    if (runtime.logs === undefined) {
      throw new SkepError('unimplemented', 'this node keeps no logs of its tasks');
    }
    yield* taskLines({ logs: runtime.logs.bind(runtime) }, question, signal);
  }

  #scheduleDescribe(): void {
    if (this.#isStopped) return;
    const { clock } = this.#options;
    this.#describeTimer = clock.schedule(
      clock.now() + DESCRIBE_PERIOD_MS,
      () => void this.#describe().finally(() => this.#scheduleDescribe()),
      { isPeriodic: true, label: 'node description' },
    );
  }

  async #describe(): Promise<void> {
    const { session } = this.#keeper;
    if (session === undefined) return;
    try {
      const description = await this.#options.runtime.describe();
      if (isEqual(description, this.#description) || this.#keeper.session !== session) return;
      this.#description = description;
      await session.describe(description);
    } catch (thrown) {
      this.#lose(session, thrown);
    }
  }

  /** A call failed: its session is no good, unless there is another by now. */
  #lose(session: NodeSession, thrown: unknown): void {
    if (this.#keeper.session === session) this.#keeper.reopen(messageOf(thrown));
  }
}

/**
 * Whether a task may only be driven once its tables are in place: those that are to be started. One
 * that runs already, or has to end, is looked after at once, even while no table can be applied.
 */
function needsTables({ knownState, desiredState }: AssignedTask): boolean {
  const isStarted = TASK_STATE_RANK[knownState] >= TASK_STATE_RANK.running;
  return !isStarted && TASK_STATE_RANK[desiredState] < TASK_STATE_RANK.shutdown;
}

/** Whether an agent has begun with the task, as far as the manager knows, and it has not ended. */
function wasBegun({ knownState }: AssignedTask): boolean {
  const rank = TASK_STATE_RANK[knownState];
  return rank > TASK_STATE_RANK.assigned && rank <= TASK_STATE_RANK.running;
}

function refusingHandle(reason: unknown): TaskHandle {
  const refuse = (): Promise<never> => Promise.reject(reason);
  const nothing = (): Promise<void> => Promise.resolve();
  return { prepare: refuse, start: refuse, wait: refuse, shutdown: nothing, remove: nothing };
}
