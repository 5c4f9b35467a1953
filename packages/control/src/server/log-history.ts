/**
 * What tasks wrote so far, from all nodes, by time.
 */
import { QUESTION_TASKS_MAX, type LogSelection, type Task } from '@skep/api';
import type { LogMessage } from '../contract.js';
import {
  gapOf,
  gapOfFault,
  readNode,
  tasksByNode,
  type LogParts,
  type NodeTasks,
} from './log-question.js';

/**
 * Lines of the tasks by time, as far as the nodes' clocks agree; at the same time, by node. A node
 * that does not answer costs a gap, and no other node's lines. Holds one line a question.
 */
export async function* logHistory(
  parts: LogParts,
  tasks: Iterable<Task>,
  { selection, signal }: { readonly selection: LogSelection; readonly signal: AbortSignal },
): AsyncGenerator<LogMessage, void, undefined> {
  const questions = tasksByNode(parts.store, tasks).flatMap(inQuestions);
  const sources = questions.map((question) => linesOf(parts, question, selection, signal));
  try {
    const heads = await Promise.all(sources.map((source) => source.next()));
    for (;;) {
      const first = earliest(heads);
      if (first === undefined) return;
      const [index, message] = first;
      yield message;
      if (signal.aborted) return;
      heads[index] = await (sources[index]?.next() ?? { done: true, value: undefined });
    }
  } finally {
    await Promise.all(sources.map((source) => source.return()));
  }
}

/** At most so many tasks in one question as it may name. */
export function inQuestions(node: NodeTasks): readonly NodeTasks[] {
  const tasks = [...node.tasks];
  const parts: NodeTasks[] = [];
  for (let from = 0; from < tasks.length; from += QUESTION_TASKS_MAX) {
    parts.push({ ...node, tasks: new Map(tasks.slice(from, from + QUESTION_TASKS_MAX)) });
  }
  return parts;
}

async function* linesOf(
  parts: LogParts,
  node: NodeTasks,
  selection: LogSelection,
  signal: AbortSignal,
): AsyncGenerator<LogMessage, void, undefined> {
  try {
    for await (const piece of readNode(parts, node, selection, signal)) {
      yield 'line' in piece ? piece.line : gapOfFault(node, piece.fault);
    }
  } catch (thrown) {
    if (!signal.aborted) yield gapOf(node, node.tasks.keys(), thrown);
  }
}

/** A gap before any line, then the line with the lowest time, then the first source. */
function earliest(
  heads: readonly IteratorResult<LogMessage, void>[],
): readonly [number, LogMessage] | undefined {
  let best: readonly [number, LogMessage] | undefined;
  for (const [index, head] of heads.entries()) {
    if (head.done === true) continue;
    const message = head.value;
    if (message.type === 'gap') return [index, message];
    if (best?.[1].type === 'line' && best[1].time <= message.time) continue;
    best = [index, message];
  }
  return best;
}
