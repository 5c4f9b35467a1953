/**
 * How far the lines of a task were told, so that a second question goes on there.
 */
import type { LogLine, LogSelection, TaskId, Timestamp } from '@skep/api';

interface Place {
  readonly time: Timestamp;
  /** Lines told with this time: some nodes keep times to the second only. */
  readonly count: number;
}

/** Remembers for each task the time of the last line, and how many lines had it. */
export class LogProgress {
  readonly #places = new Map<TaskId, Place>();

  /** Notes that a line was told. */
  told(taskId: TaskId, { time }: Pick<LogLine, 'time'>): void {
    const place = this.#places.get(taskId);
    const count = place !== undefined && place.time === time ? place.count + 1 : 1;
    this.#places.set(taskId, { time, count });
  }

  /** Forgets a task that is over. */
  forget(taskId: TaskId): void {
    this.#places.delete(taskId);
  }

  /**
   * What to ask for the tasks now. Of those that have told something, all that is not older; `tail`
   * only as long as none of them has.
   */
  selection(taskIds: Iterable<TaskId>, first: LogSelection): LogSelection {
    const times: Timestamp[] = [];
    let isNew = false;
    for (const taskId of taskIds) {
      const place = this.#places.get(taskId);
      if (place === undefined) isNew = true;
      else times.push(place.time);
    }
    if (times.length === 0) return first;
    const { tail: _, ...rest } = first;
    const oldest = times.reduce((a, b) => Math.min(a, b));
    // A task that told nothing may have older lines; those that were told are left out again.
    return isNew ? rest : { ...rest, since: Math.max(oldest, first.since ?? oldest) };
  }

  /** A filter for the answers to the next question: drops what was told before. */
  unseen(): (taskId: TaskId, line: Pick<LogLine, 'time'>) => boolean {
    const before = new Map(this.#places);
    const seen = new Map<TaskId, number>();
    return (taskId, { time }) => {
      const place = before.get(taskId);
      if (place === undefined || time > place.time) return true;
      if (time < place.time) return false;
      const count = (seen.get(taskId) ?? 0) + 1;
      seen.set(taskId, count);
      return count > place.count;
    };
  }
}
