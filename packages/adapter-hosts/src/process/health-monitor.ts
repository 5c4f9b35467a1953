/**
 * Checks the health of one task again and again.
 */
import type { HealthCheck } from '@skep/api';
import { delayToCheck, nextHealth, STARTING, type Health } from './health.js';

/** What a monitor needs. */
export interface HealthMonitorOptions {
  readonly check: HealthCheck;
  /** When the task was started, ms since the epoch. */
  readonly startedAt: number;
  /** The task was healthy before: what fails now counts at once. */
  readonly wasHealthy: boolean;
  /** Runs the check once; never rejects. */
  readonly probe: () => Promise<boolean>;
}

/** Health of one task, from its start to its end. */
export class HealthMonitor {
  readonly #options: HealthMonitorOptions;
  #health: Health;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  readonly #decided: Record<'healthy' | 'unhealthy', () => void>;
  /** Resolves when a check has passed for the first time. */
  readonly healthy: Promise<void>;
  /** Resolves when too many checks in a row have failed. */
  readonly unhealthy: Promise<void>;

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
    this.#health = options.wasHealthy ? { status: 'healthy', failures: 0 } : STARTING;
    const decided = { healthy: (): void => undefined, unhealthy: (): void => undefined };
    this.healthy = new Promise((resolve) => {
      decided.healthy = resolve;
    });
    this.unhealthy = new Promise((resolve) => {
      decided.unhealthy = resolve;
    });
    this.#decided = decided;
    this.#schedule();
  }

  /** What is known now. */
  get health(): Health {
    return this.#health;
  }

  /** Ends the checks; what has not been decided never is. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#isStopped) return;
    const { check } = this.#options;
    const delayMs = delayToCheck(this.#health, check, this.#ageMs());
    this.#timer = setTimeout(() => void this.#run(), delayMs);
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    const hasPassed = await this.#options.probe();
    if (this.#isStopped) return;
    const ageMs = this.#ageMs();
    this.#health = nextHealth(this.#health, this.#options.check, { hasPassed, ageMs });
    if (this.#health.status === 'healthy') this.#decided.healthy();
    if (this.#health.status === 'unhealthy') {
      this.#decided.unhealthy();
      return;
    }
    this.#schedule();
  }

  #ageMs(): number {
    return Date.now() - this.#options.startedAt;
  }
}
