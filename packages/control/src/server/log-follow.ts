/**
 * What tasks write from now on, over tasks that come later and nodes that go and come back.
 */
import {
  isSkepError,
  isTerminal,
  Node,
  Service,
  SkepError,
  sleepUntil,
  Task,
  type LogSelection,
  type ServiceId,
  type StoredObject,
  type TaskId,
} from '@skep/api';
import type { ObjectEvent } from '@skep/store';
import type { LogMessage } from '../contract.js';
import { Channel } from './channel.js';
import { inQuestions } from './log-history.js';
import { LogProgress } from './log-progress.js';
import {
  gapOf,
  gapOfFault,
  hasBegun,
  readNode,
  tasksByNode,
  type LogParts,
  type NodeTasks,
} from './log-question.js';

/** Pause before a node is asked again; doubled each time, up to the longest. */
const PAUSE_MS = 1_000;
/** See {@link PAUSE_MS}. */
const PAUSE_MS_MAX = 8_000;
/** Times that a node may say of a task that runs there that it has none. */
const ABSENT_MAX = 5;
/** Codes after which asking again may help. */
const PASSING: ReadonlySet<string> = new Set([
  'unavailable',
  'resource-exhausted',
  'deadline-exceeded',
  'aborted',
]);

/** Whose lines are followed. */
export interface Followed {
  readonly serviceIds: ReadonlySet<ServiceId>;
  readonly taskIds: ReadonlySet<TaskId>;
}

/**
 * Lines as they come. It is over when the services and tasks are, or when `signal` fires. Holds one
 * line a question.
 */
export async function* followLogs(
  parts: LogParts,
  followed: Followed,
  { selection, signal }: { readonly selection: LogSelection; readonly signal: AbortSignal },
): AsyncGenerator<LogMessage, void, undefined> {
  const follower = new Follower(parts, followed, selection);
  const stop = (): void => follower.stop();
  if (signal.aborted) return;
  signal.addEventListener('abort', stop, { once: true });
  try {
    follower.start();
    yield* follower.messages;
    if (follower.failure !== undefined) throw follower.failure;
  } finally {
    signal.removeEventListener('abort', stop);
    follower.stop();
  }
}

class Follower {
  readonly messages = new Channel<LogMessage>();
  /** Why it ended, if not because all is over. */
  failure: Error | undefined;
  readonly #parts: LogParts;
  readonly #followed: Followed;
  readonly #selection: LogSelection;
  readonly #progress = new LogProgress();
  readonly #abort = new AbortController();
  /** Tasks that somebody was asked about. */
  readonly #known = new Set<TaskId>();
  #subscription: { unsubscribe(): void } | undefined;
  #open = 0;

  constructor(parts: LogParts, followed: Followed, selection: LogSelection) {
    this.#parts = parts;
    this.#followed = followed;
    this.#selection = { ...selection, follow: true };
  }

  start(): void {
    const { store } = this.#parts;
    this.#subscription = store.subscribe(
      {
        commit: ({ events }) => this.#look(events),
        ended: (reason) => {
          this.failure = reason;
          this.stop();
        },
      },
      { selector: { kinds: [Task.name, Service.name] } },
    );
    this.#ask(store.view().list(Task), this.#selection);
  }

  stop(): void {
    this.#subscription?.unsubscribe();
    this.#abort.abort();
    this.messages.end();
  }

  #look(events: readonly ObjectEvent[]): void {
    const tasks: Task[] = [];
    for (const { type, object } of events) {
      if (object.kind !== Task.name) continue;
      if (type !== 'deleted') tasks.push(object as Task);
      else if (this.#known.delete(object.meta.id)) this.#progress.forget(object.meta.id);
    }
    // All that a new task writes is new: how many lines were wanted at first does not matter.
    const { tail: _, ...selection } = this.#selection;
    this.#ask(tasks, selection);
  }

  /** Asks about those of the tasks that have begun, and that nobody was asked about. */
  #ask(tasks: readonly Task[], selection: LogSelection): void {
    const begun = tasks.filter((task) => {
      return this.#isMeant(task) && hasBegun(task) && !this.#known.has(task.meta.id);
    });
    for (const { meta } of begun) this.#known.add(meta.id);
    for (const node of tasksByNode(this.#parts.store, begun).flatMap(inQuestions)) {
      this.#open += 1;
      void this.#follow(node, selection).finally(() => {
        this.#open -= 1;
        this.#endIfOver();
      });
    }
    this.#endIfOver();
  }

  /** Reads a node until its tasks are over, again and again while that may help. */
  async #follow(asked: NodeTasks, selection: LogSelection): Promise<void> {
    const { clock } = this.#parts;
    const absences = new Map<TaskId, number>();
    let node = asked;
    let pauseMs = PAUSE_MS;
    let isTold = false;
    while (node.tasks.size > 0 && !this.#abort.signal.aborted) {
      const absent = new Set<TaskId>();
      let hasAnswered = false;
      try {
        for await (const piece of this.#read(node, selection)) {
          hasAnswered = true;
          if ('message' in piece) await this.messages.put(piece.message);
          else absent.add(piece.absent);
        }
        node = await this.#left(node, absent, absences);
      } catch (thrown) {
        const canPass = isSkepError(thrown) && PASSING.has(thrown.code);
        if (hasAnswered) isTold = false;
        if (!isTold) await this.messages.put(gapOf(node, node.tasks.keys(), thrown));
        isTold = true;
        if (!canPass || this.#isNodeGone(node)) return;
      }
      if (node.tasks.size === 0 || this.#abort.signal.aborted) return;
      if (hasAnswered) pauseMs = PAUSE_MS;
      const label = 'asking a node for logs again';
      await this.#unlessStopped(
        sleepUntil(clock, clock.now() + pauseMs, { isPeriodic: true, label }),
      );
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX);
    }
  }

  async *#read(
    node: NodeTasks,
    selection: LogSelection,
  ): AsyncGenerator<{ readonly message: LogMessage } | { readonly absent: TaskId }, void> {
    const wanted = this.#progress.selection(node.tasks.keys(), selection);
    const isUnseen = this.#progress.unseen();
    for await (const piece of readNode(this.#parts, node, wanted, this.#abort.signal)) {
      if ('fault' in piece) {
        const { taskId, code } = piece.fault;
        if (code === 'not-found' && this.#isAlive(taskId)) yield { absent: taskId };
        else yield { message: gapOfFault(node, piece.fault) };
      } else if (isUnseen(piece.line.taskId, piece.line)) {
        this.#progress.told(piece.line.taskId, piece.line);
        yield { message: piece.line };
      }
    }
  }

  /** The tasks that the node had not got yet; those of which it said so too often are given up. */
  async #left(
    node: NodeTasks,
    absent: ReadonlySet<TaskId>,
    absences: Map<TaskId, number>,
  ): Promise<NodeTasks> {
    const tasks = new Map<TaskId, Task>();
    const lost: TaskId[] = [];
    for (const taskId of absent) {
      const count = (absences.get(taskId) ?? 0) + 1;
      absences.set(taskId, count);
      const task = node.tasks.get(taskId);
      if (task !== undefined && count < ABSENT_MAX) tasks.set(taskId, task);
      else lost.push(taskId);
    }
    if (lost.length > 0) {
      const message = `the node '${node.nodeName}' says that it has no such tasks`;
      await this.messages.put(gapOf(node, lost, new SkepError('not-found', message)));
    }
    return { ...node, tasks };
  }

  #isMeant({ meta, spec }: Task): boolean {
    const { serviceIds, taskIds } = this.#followed;
    const { serviceId } = spec;
    return taskIds.has(meta.id) || (serviceId !== undefined && serviceIds.has(serviceId));
  }

  #isAlive(taskId: TaskId): boolean {
    const task = this.#parts.store.view().get(Task, taskId);
    return task !== undefined && !isTerminal(task.status.state);
  }

  #isNodeGone({ nodeId }: NodeTasks): boolean {
    return this.#parts.store.view().get(Node, nodeId) === undefined;
  }

  /** Nothing is being read, and nothing can come any more. */
  #endIfOver(): void {
    if (this.#open > 0) return;
    const { serviceIds, taskIds } = this.#followed;
    const view = this.#parts.store.view();
    if ([...serviceIds].some((id) => view.get(Service, id) !== undefined)) return;
    if ([...taskIds].some((id) => this.#isAlive(id))) return;
    const isMeant = (task: StoredObject): boolean => this.#isMeant(task as Task);
    if (view.list(Task).some((task) => isMeant(task) && !isTerminal(task.status.state))) return;
    this.stop();
  }

  #unlessStopped(promise: Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const stopped = (): void => resolve();
      signal.addEventListener('abort', stopped, { once: true });
      void promise.then(() => {
        signal.removeEventListener('abort', stopped);
        resolve();
      });
    });
  }
}
