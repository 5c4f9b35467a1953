/**
 * Asking one node for what its tasks wrote.
 */
import type { Task } from '@skep/api';
import {
  isAtLeast,
  isSkepError,
  messageOf,
  Node,
  SkepError,
  taskName,
  type Clock,
  type LogAnswer,
  type LogFault,
  type LogSelection,
  type NodeId,
  type TaskId,
} from '@skep/api';
import type { Manager } from '@skep/orchestrator';
import type { Store } from '@skep/store';
import type { LogGap, TaskLine } from '../contract.js';

/** What logs are read with. */
export interface LogParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly ask: Manager['ask'];
  /** A node that says nothing for so long, though it is asked, has not answered. */
  readonly silenceMs: number;
}

/** Tasks of one node. */
export interface NodeTasks {
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly tasks: ReadonlyMap<TaskId, Task>;
}

/** What a node says, one after the other. */
export type LogPiece = { readonly line: TaskLine } | { readonly fault: LogFault };

/**
 * The tasks by the nodes that they are on, or were; in the order of the nodes' names. A task that
 * never came to a node wrote nothing.
 */
export function tasksByNode(store: Store, tasks: Iterable<Task>): readonly NodeTasks[] {
  const groups = new Map<NodeId, Map<TaskId, Task>>();
  for (const task of tasks) {
    const nodeId = task.status.nodeId ?? task.spec.nodeId;
    if (nodeId === undefined) continue;
    const group = groups.get(nodeId);
    if (group === undefined) groups.set(nodeId, new Map([[task.meta.id, task]]));
    else group.set(task.meta.id, task);
  }
  const view = store.view();
  return [...groups]
    .map(([nodeId, group]) => {
      return { nodeId, nodeName: view.get(Node, nodeId)?.meta.name ?? nodeId, tasks: group };
    })
    .sort((a, b) => (a.nodeName < b.nodeName ? -1 : a.nodeName > b.nodeName ? 1 : 0));
}

/** Whether a task may have written something: one that was rejected never ran. */
export function hasBegun({ status }: Task): boolean {
  return status.state !== 'rejected' && isAtLeast(status.state, 'starting');
}

/**
 * Puts the question and reads the answers.
 * @throws what the node or the manager says; deadline-exceeded for a node that is silent, unless it
 * follows: then silence is an answer.
 */
export async function* readNode(
  { ask, clock, silenceMs }: LogParts,
  node: NodeTasks,
  selection: LogSelection,
  signal: AbortSignal,
): AsyncGenerator<LogPiece, void, undefined> {
  const silent = new AbortController();
  const taskIds = [...node.tasks.keys()];
  const question = { type: 'logs', taskIds, ...selection } as const;
  const answers = ask(node.nodeId, question, AbortSignal.any([signal, silent.signal]));
  try {
    for (;;) {
      const timer =
        selection.follow === true
          ? undefined
          : clock.schedule(clock.now() + silenceMs, () => silent.abort(), {
              isPeriodic: true,
              label: 'a node that does not answer',
            });
      const result = await answers.next().finally(() => timer?.cancel());
      if (result.done === true) return;
      const piece = pieceOf(result.value, node);
      if (piece !== undefined) yield piece;
    }
  } catch (thrown) {
    if (!silent.signal.aborted) throw thrown;
    const message = `the node '${node.nodeName}' says nothing for ${silenceMs} ms`;
    throw new SkepError('deadline-exceeded', message);
  } finally {
    await answers.return?.();
  }
}

/** Lines that are missing because of an error. */
export function gapOf(
  { nodeId, nodeName }: NodeTasks,
  taskIds: Iterable<TaskId>,
  thrown: unknown,
): LogGap {
  const code = isSkepError(thrown) ? thrown.code : 'internal';
  return { type: 'gap', nodeId, nodeName, taskIds: [...taskIds], code, message: messageOf(thrown) };
}

/** Lines that are missing because a task's cannot be read. */
export function gapOfFault({ nodeId, nodeName }: NodeTasks, fault: LogFault): LogGap {
  const { taskId, code, message } = fault;
  return { type: 'gap', nodeId, nodeName, taskIds: [taskId], code, message };
}

function pieceOf(
  answer: LogAnswer | LogFault | { readonly type: 'tables' },
  { nodeId, nodeName, tasks }: NodeTasks,
): LogPiece | undefined {
  if (answer.type === 'tables') return undefined;
  const task = tasks.get(answer.taskId);
  // A node that speaks of other tasks is not listened to.
  if (task === undefined) return undefined;
  if (answer.type === 'fault') return { fault: answer };
  const { serviceId } = task.spec;
  const of = serviceId === undefined ? {} : { serviceId };
  return { line: { ...answer, taskName: taskName(task), ...of, nodeId, nodeName } };
}
