/**
 * Removes what is left of tasks, again and again until it is gone.
 */
import { messageOf, type Clock, type Logger, type TaskId, type Timer } from '@skep/api';

const RETRY_MS = 1_000;
const RETRY_MAX_MS = 60_000;

/** What a task remover needs. */
export interface TaskRemoverOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when nothing is left of a task; not after {@link TaskRemover.stop}. */
  readonly onGone: (taskId: TaskId) => void;
}

interface Removal {
  /** One attempt; rejects when something is left. */
  readonly attempt: () => Promise<void>;
  waitMs: number;
  retry?: Timer;
}

/**
 * Removals under way, by task. A failed one is tried again after a second, then after twice as long
 * each time, at most a minute: what may still run must not be forgotten.
 */
export class TaskRemover {
  readonly #options: TaskRemoverOptions;
  readonly #removals = new Map<TaskId, Removal>();
  #isStopped = false;

  constructor(options: TaskRemoverOptions) {
    this.#options = options;
  }

  /** Whether something may be left of a task that is to be gone. */
  isRemoving(taskId: TaskId): boolean {
    return this.#removals.has(taskId);
  }

  /** Begins a removal, unless one is under way. */
  remove(taskId: TaskId, attempt: () => Promise<void>): void {
    if (this.#isStopped || this.#removals.has(taskId)) return;
    const removal: Removal = { attempt, waitMs: RETRY_MS };
    this.#removals.set(taskId, removal);
    void this.#try(taskId, removal);
  }

  /** Tries nothing again. An attempt under way goes on. */
  stop(): void {
    this.#isStopped = true;
    for (const { retry } of this.#removals.values()) retry?.cancel();
  }

  async #try(taskId: TaskId, removal: Removal): Promise<void> {
    try {
      await removal.attempt();
    } catch (thrown) {
      this.#options.logger.error('task was not removed', {
        task: taskId,
        error: messageOf(thrown),
      });
      this.#tryLater(taskId, removal);
      return;
    }
    this.#removals.delete(taskId);
    if (!this.#isStopped) this.#options.onGone(taskId);
  }

  #tryLater(taskId: TaskId, removal: Removal): void {
    if (this.#isStopped) return;
    const { clock } = this.#options;
    const at = clock.now() + removal.waitMs;
    removal.waitMs = Math.min(removal.waitMs * 2, RETRY_MAX_MS);
    removal.retry = clock.schedule(at, () => void this.#try(taskId, removal), {
      label: `removal of task ${taskId}`,
    });
  }
}
