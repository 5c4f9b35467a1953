/**
 * Update, rollback and restart settings.
 *
 * **Source:** SwarmKit manager/controlapi/service.go (validateUpdate, validateRestartPolicy). There
 * the rollback settings are not looked at (defect 12).
 */
import type { RestartPolicy, UpdateConfig } from '@skep/api';
import type { Objections } from './complaint.js';
import { requireCount, requireNotNegative } from './number-rules.js';

const ACTIONS: readonly string[] = ['pause', 'continue', 'rollback'];
const ORDERS: readonly string[] = ['stop-first', 'start-first'];
const CONDITIONS: readonly string[] = ['none', 'on-failure', 'any'];

/** Judges the settings under `field`, `spec.update` or `spec.rollback`. */
export function judgeUpdateConfig(
  to: Objections,
  field: string,
  config: UpdateConfig | undefined,
): void {
  if (config === undefined) return;
  const { parallelism, delayMs, monitorMs, maxFailureRatio, progressDeadlineMs } = config;
  requireCount(to, {
    field: `${field}.parallelism`,
    value: parallelism,
    noun: 'the number of slots at a time',
  });
  requireNotNegative(to, { field: `${field}.delayMs`, value: delayMs, noun: 'the delay' });
  requireNotNegative(to, { field: `${field}.monitorMs`, value: monitorMs, noun: 'the watch' });
  const isDeadlineRight =
    progressDeadlineMs === undefined ||
    (Number.isFinite(progressDeadlineMs) && progressDeadlineMs > 0);
  to.require(isDeadlineRight, `${field}.progressDeadlineMs`, {
    message: `the deadline is ${progressDeadlineMs}`,
    hint: 'write more than 0, or leave it out for none',
  });
  const isRatio = maxFailureRatio === undefined || (maxFailureRatio >= 0 && maxFailureRatio <= 1);
  to.require(isRatio, `${field}.maxFailureRatio`, {
    message: `the failure ratio is ${maxFailureRatio}`,
    hint: 'write a number from 0 to 1',
  });
  to.require(config.isHeld !== true || field === 'spec.update', `${field}.isHeld`, {
    message: 'a rollback is not held',
    hint: 'write it under spec.update',
  });
  judgeChoice(to, { field: `${field}.failureAction`, value: config.failureAction, of: ACTIONS });
  judgeChoice(to, { field: `${field}.order`, value: config.order, of: ORDERS });
}

/** Judges `spec.task.restartPolicy`. */
export function judgeRestartPolicy(to: Objections, policy: RestartPolicy | undefined): void {
  if (policy === undefined) return;
  const field = 'spec.task.restartPolicy';
  const { condition, delayMs, windowMs, maxAttempts } = policy;
  judgeChoice(to, { field: `${field}.condition`, value: condition, of: CONDITIONS });
  requireNotNegative(to, { field: `${field}.delayMs`, value: delayMs, noun: 'the delay' });
  requireNotNegative(to, { field: `${field}.windowMs`, value: windowMs, noun: 'the window' });
  requireCount(to, {
    field: `${field}.maxAttempts`,
    value: maxAttempts,
    noun: 'the number of attempts',
  });
}

/** One of a few words, or nothing. */
export function judgeChoice(
  to: Objections,
  choice: {
    readonly field: string;
    readonly value: string | undefined;
    readonly of: readonly string[];
  },
): void {
  if (choice.value === undefined || choice.of.includes(choice.value)) return;
  to.add(choice.field, {
    message: `'${choice.value}' is not known here`,
    hint: `write ${choice.of.join(', ')}`,
  });
}
