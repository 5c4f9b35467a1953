/**
 * Health of a task: what the results of its checks mean, as pure functions.
 *
 * **Source:** moby daemon/health.go.
 */
import type { HealthCheck } from '@skep/api';

/** What is known of a task's health. */
export interface Health {
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  /** Failed checks in a row that count. */
  readonly failures: number;
}

/** Health of a task that has just been started. */
export const STARTING: Health = Object.freeze({ status: 'starting', failures: 0 });

const INTERVAL_MS = 30_000;
const TIMEOUT_MS = 30_000;
const RETRIES = 3;

/** The settings of a check with the engine's defaults filled in; 0 is absent, as there. */
export function healthSettings(check: HealthCheck): {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
} {
  const intervalMs = check.intervalMs || INTERVAL_MS;
  return {
    intervalMs,
    timeoutMs: check.timeoutMs || TIMEOUT_MS,
    retries: check.retries || RETRIES,
    startPeriodMs: check.startPeriodMs ?? 0,
    startIntervalMs: check.startIntervalMs || intervalMs,
  };
}

/** Health after a check that ended `ageMs` after the start of the task. */
export function nextHealth(
  health: Health,
  check: HealthCheck,
  { hasPassed, ageMs }: { readonly hasPassed: boolean; readonly ageMs: number },
): Health {
  if (hasPassed) return { status: 'healthy', failures: 0 };
  const { retries, startPeriodMs } = healthSettings(check);
  if (health.status === 'starting' && ageMs < startPeriodMs) return health;
  const failures = health.failures + 1;
  return { status: failures >= retries ? 'unhealthy' : health.status, failures };
}

/** Time to the next check of a task that has this age. */
export function delayToCheck(health: Health, check: HealthCheck, ageMs: number): number {
  const { intervalMs, startIntervalMs, startPeriodMs } = healthSettings(check);
  return health.status === 'starting' && ageMs < startPeriodMs ? startIntervalMs : intervalMs;
}

/** The words that a check runs: a shell's for `CMD-SHELL`. */
export function healthWords(check: HealthCheck): readonly string[] {
  const [kind, ...words] = check.test;
  return kind === 'CMD-SHELL' ? ['/bin/sh', '-c', ...words] : words;
}
