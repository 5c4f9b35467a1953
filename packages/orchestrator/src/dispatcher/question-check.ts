/**
 * What a question to a node may look like.
 */
import { QUESTION_TASKS_MAX, SkepError, type NodeQuestion } from '@skep/api';

const STREAMS: readonly string[] = ['stdout', 'stderr'];

/** @throws invalid-argument when no node could answer the question. Cost: O(tasks named). */
export function checkQuestion(question: NodeQuestion): void {
  if (question.type === 'tables') return;
  if (question.type !== 'logs') {
    const { type } = question as { readonly type: unknown };
    throw invalid(`a node is asked for 'logs' or 'tables', not for '${String(type)}'`);
  }
  const { taskIds, tail, since, streams = [] } = question;
  if (taskIds.length === 0 || taskIds.length > QUESTION_TASKS_MAX) {
    const text = `1 to ${QUESTION_TASKS_MAX} tasks, not of ${taskIds.length}`;
    throw invalid(`a question asks for the logs of ${text}`);
  }
  if (tail !== undefined && (!Number.isSafeInteger(tail) || tail < 0)) {
    throw invalid(`tail has to be a number of lines, 0 or more, not ${String(tail)}`);
  }
  if (since !== undefined && !Number.isFinite(since)) {
    throw invalid(`since has to be a time in ms since the epoch, not ${String(since)}`);
  }
  const strange = streams.find((stream) => !STREAMS.includes(stream));
  if (strange !== undefined) {
    throw invalid(`a task has the streams ${STREAMS.join(' and ')}, not '${String(strange)}'`);
  }
}

function invalid(message: string): SkepError {
  return new SkepError('invalid-argument', message);
}
