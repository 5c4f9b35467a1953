/**
 * Reports on their way to the manager: only the newest of each task, sent in batches, kept until
 * they have arrived.
 *
 * **Source:** SwarmKit agent/reporter.go.
 */
import { messageOf, type Clock, type TaskId, type TaskReport } from '@skep/api';

/** Most reports in one call. */
const BATCH_MAX = 1024;

/** What a report queue needs. */
export interface ReportQueueOptions {
  readonly clock: Clock;
  /** Sends; false when there is no session. What was not sent is kept. */
  readonly send: (reports: readonly TaskReport[]) => Promise<boolean>;
  readonly onError: (error: string) => void;
}

/** Reports that have not arrived yet. Bounded by the number of tasks on the node. */
export class ReportQueue {
  readonly #options: ReportQueueOptions;
  readonly #pending = new Map<TaskId, TaskReport>();
  #isFlushing = false;
  #isScheduled = false;
  #isStopped = false;

  constructor(options: ReportQueueOptions) {
    this.#options = options;
  }

  /** Takes a report; it replaces an older one of the same task that has not been sent. */
  add(report: TaskReport): void {
    this.#pending.delete(report.taskId);
    this.#pending.set(report.taskId, report);
    this.flush();
  }

  /** Nobody waits for news of this task any more. */
  forget(taskId: TaskId): void {
    this.#pending.delete(taskId);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Sends what is there, soon: everything that is reported in this turn goes together. */
  flush(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    this.#options.clock.defer(() => {
      this.#isScheduled = false;
      void this.#send();
    });
  }

  async #send(): Promise<void> {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    try {
      while (this.#pending.size > 0 && !this.#isStopped) {
        const batch = [...this.#pending.values()].slice(0, BATCH_MAX);
        if (!(await this.#options.send(batch))) break;
        for (const report of batch) {
          if (this.#pending.get(report.taskId) === report) this.#pending.delete(report.taskId);
        }
      }
    } catch (thrown) {
      this.#options.onError(messageOf(thrown));
    }
    this.#isFlushing = false;
  }
}
