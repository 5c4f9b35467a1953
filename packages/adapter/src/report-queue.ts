/**
 * Reports on their way to the manager: only the newest of each task, sent in batches, kept until
 * they have arrived.
 *
 * **Source:** SwarmKit agent/reporter.go.
 */
import type { Clock, TaskId, TaskReport } from '@skep/api';

/** Most reports in one call. */
const BATCH_MAX = 1024;

/** What a report queue needs. */
export interface ReportQueueOptions {
  readonly clock: Clock;
  /**
   * Sends; false when they did not arrive, for which a rejection counts, too. They are kept then,
   * and wait for {@link ReportQueue.add} or {@link ReportQueue.resend}.
   */
  readonly send: (reports: readonly TaskReport[]) => Promise<boolean>;
}

/** Reports that have not arrived yet. Bounded by the number of tasks on the node. */
export class ReportQueue {
  readonly #options: ReportQueueOptions;
  readonly #pending = new Map<TaskId, TaskReport>();
  /** Rises with every session: what was under way on an earlier one does not count any more. */
  #epoch = 0;
  #isSending = false;
  #isScheduled = false;
  #isStopped = false;

  constructor(options: ReportQueueOptions) {
    this.#options = options;
  }

  /** Takes a report; it replaces an older one of the same task that has not been sent. */
  add(report: TaskReport): void {
    this.#put(report);
    this.#sendSoon();
  }

  /**
   * There is a new session: sends these reports, and all that have not arrived, without waiting for
   * a call on the old one that may never be answered.
   */
  resend(reports: Iterable<TaskReport>): void {
    this.#epoch += 1;
    this.#isSending = false;
    for (const report of reports) this.#put(report);
    this.#sendSoon();
  }

  /** Nobody waits for news of this task any more. */
  forget(taskId: TaskId): void {
    this.#pending.delete(taskId);
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#isStopped = true;
  }

  #put(report: TaskReport): void {
    this.#pending.delete(report.taskId);
    this.#pending.set(report.taskId, report);
  }

  /** Everything that is reported in this turn goes together. */
  #sendSoon(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    this.#options.clock.defer(() => {
      this.#isScheduled = false;
      void this.#sendAll();
    });
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending || this.#isStopped) return;
    this.#isSending = true;
    const epoch = this.#epoch;
    while (this.#pending.size > 0) {
      const batch = [...this.#pending.values()].slice(0, BATCH_MAX);
      const hasArrived = await this.#options.send(batch).catch(() => false);
      if (epoch !== this.#epoch || this.#isStopped) return;
      if (!hasArrived) break;
      for (const report of batch) {
        if (this.#pending.get(report.taskId) === report) this.#pending.delete(report.taskId);
      }
    }
    this.#isSending = false;
  }
}
