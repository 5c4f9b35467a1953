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
  silentLogger,
  type Assignment,
  type AssignedTask,
  type Clock,
  type Logger,
  type NodeDescription,
  type NodeId,
  type NodeLink,
  type Random,
  type Revision,
  type Runnable,
  type TaskId,
  type TaskReport,
  type Timer,
} from '@skep/api';
import { AssignmentState, networkChangeOf } from './assignment-state.js';
import type { Dataplane, Resolver, TaskRuntime } from './contract.js';
import { NetworkApplier } from './network-applier.js';
import { SessionKeeper } from './node-session.js';
import { ReportQueue } from './report-queue.js';
import { TaskManager } from './task-manager.js';

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

/** The agent of one node. */
export class Agent implements Runnable {
  readonly #options: AgentOptions;
  readonly #logger: Logger;
  readonly #state = new AssignmentState();
  readonly #tasks = new Map<TaskId, TaskManager>();
  readonly #removing = new Map<TaskId, Promise<void>>();
  readonly #keeper: SessionKeeper;
  readonly #reports: ReportQueue;
  #applier: NetworkApplier | undefined;
  #appliedRevision: Revision = 0;
  /** New tasks that wait until the tables of their revision are in place. */
  #waiting: { readonly revision: Revision; readonly taskId: TaskId }[] = [];
  #description: NodeDescription | undefined;
  #describeTimer: Timer | undefined;
  #isFirstAssignment = true;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#reports = new ReportQueue({
      clock: options.clock,
      send: async (reports) => {
        await this.#keeper.session?.report(reports);
        return this.#keeper.session !== undefined;
      },
      onError: (error) => this.#keeper.reopen(error),
    });
    this.#keeper = new SessionKeeper({
      link: options.link,
      clock: options.clock,
      random: options.random,
      logger: this.#logger,
      hello: async () => {
        this.#description = await options.runtime.describe();
        return { nodeId: options.nodeId, address: options.address, description: this.#description };
      },
      onOpen: () => this.#opened(),
      onAssignment: (assignment) => this.#assigned(assignment),
    });
  }

  async start(): Promise<void> {
    const { dataplane, resolver, clock } = this.#options;
    this.#applier = new NetworkApplier({
      dataplane,
      resolver,
      clock,
      logger: this.#logger,
      state: () => this.#state.networkState(),
      onApplied: (revision) => this.#applied(revision),
    });
    this.#keeper.start();
    this.#scheduleDescribe();
    return Promise.resolve();
  }

  /** Ends the agent. What runs on the node goes on, and the next agent takes it over. */
  async stop(): Promise<void> {
    this.#describeTimer?.cancel();
    this.#applier?.stop();
    for (const task of this.#tasks.values()) task.close();
    this.#reports.stop();
    await this.#keeper.stop();
  }

  /** Revision of the tables that the node holds. */
  get appliedRevision(): Revision {
    return this.#appliedRevision;
  }

  #opened(): void {
    for (const manager of this.#tasks.values()) {
      if (manager.lastReport !== undefined) this.#reports.add(manager.lastReport);
    }
    this.#reports.flush();
    if (this.#appliedRevision > 0) this.#acknowledge();
  }

  #assigned(assignment: Assignment): void {
    try {
      const touched = this.#state.apply(assignment);
      this.#applyTasks(touched.task);
      this.#applier?.request(assignment.type === 'complete' ? undefined : networkChangeOf(touched));
    } catch (thrown) {
      if (!isSkepError(thrown, 'out-of-sequence')) throw thrown;
      this.#keeper.reopen(messageOf(thrown));
      return;
    }
    if (this.#isFirstAssignment) {
      this.#isFirstAssignment = false;
      void this.#removeUnassigned();
    }
  }

  /** Known tasks are updated at once; new ones wait for their tables. */
  #applyTasks(ids: readonly TaskId[]): void {
    for (const id of ids) {
      const task = this.#state.items.task.get(id);
      const manager = this.#tasks.get(id);
      if (task === undefined) {
        if (manager !== undefined) this.#remove(id, manager);
      } else if (manager !== undefined) {
        manager.update(task);
      } else {
        this.#waiting.push({ revision: this.#state.revision, taskId: id });
      }
    }
  }

  #applied(revision: Revision): void {
    this.#appliedRevision = Math.max(this.#appliedRevision, revision);
    this.#acknowledge();
    const ready = this.#waiting.filter((entry) => entry.revision <= revision);
    this.#waiting = this.#waiting.filter((entry) => entry.revision > revision);
    for (const { taskId } of ready) {
      const task = this.#state.items.task.get(taskId);
      if (task !== undefined && !this.#tasks.has(taskId)) this.#startTask(task);
    }
  }

  #startTask(task: AssignedTask): void {
    const { runtime, clock } = this.#options;
    const removing = this.#removing.get(task.id);
    if (removing !== undefined) {
      void removing.then(() => {
        const newest = this.#state.items.task.get(task.id);
        if (newest !== undefined && !this.#tasks.has(task.id)) this.#startTask(newest);
      });
      return;
    }
    const { secret, config } = this.#state.items;
    const context = { secrets: secret, configs: config, node: this.#state.node };
    const manager = new TaskManager({
      task,
      handle: runtime.task(task, context),
      clock,
      report: (report: TaskReport) => this.#reports.add(report),
    });
    this.#tasks.set(task.id, manager);
    manager.start();
  }

  #remove(id: TaskId, manager: TaskManager): void {
    this.#tasks.delete(id);
    this.#reports.forget(id);
    const removal = manager
      .remove()
      .catch((thrown: unknown) => {
        this.#logger.error('task was not removed', { task: id, error: messageOf(thrown) });
      })
      .finally(() => {
        this.#removing.delete(id);
      });
    this.#removing.set(id, removal);
  }

  /** After a crash of an earlier agent: what runs here but is not assigned has to go. */
  async #removeUnassigned(): Promise<void> {
    const { runtime } = this.#options;
    const { secret, config } = this.#state.items;
    for (const id of await runtime.known()) {
      if (this.#state.items.task.has(id) || this.#tasks.has(id)) continue;
      const context = { secrets: secret, configs: config, node: this.#state.node };
      await runtime.task(leftover(id), context).remove();
    }
  }

  #acknowledge(): void {
    const { session } = this.#keeper;
    if (session === undefined) return;
    session.acknowledge({ appliedRevision: this.#appliedRevision }).catch((thrown: unknown) => {
      if (this.#keeper.session === session) this.#keeper.reopen(messageOf(thrown));
    });
  }

  #scheduleDescribe(): void {
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
      if (this.#keeper.session === session) this.#keeper.reopen(messageOf(thrown));
    }
  }
}

/** A task of which nothing is known but that the runtime has it. */
function leftover(id: TaskId): AssignedTask {
  return {
    id,
    name: id,
    serviceName: '',
    serviceLabels: {},
    slot: 0,
    desiredState: 'remove',
    template: {},
    networks: [],
    ports: [],
    genericResources: [],
    volumes: [],
    isDrained: true,
    knownState: 'shutdown',
  };
}
