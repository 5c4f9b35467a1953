/**
 * Whether what plans and reconciles give back has the form of an answer. Compilers see to that;
 * who writes JavaScript, or casts, is told what is wrong and what would be right.
 */
import { SkepError } from '@skep/api';
import type { BatchPlan, EventDraft, Plan, ReconcileResult } from './contract.js';
import type { PlannedChange } from './planned-change.js';

/** @throws invalid-argument for what is no {@link Plan}. Cost: O(changes + events). */
export function checkPlan(plan: Plan): void {
  const { changes, expect, requeueAt, events } = answerOf(plan, 'plan');
  checkChanges(changes, 'the changes of a plan');
  if (expect !== undefined) requireList(expect, "'expect' of a plan");
  if (requeueAt !== undefined) checkTime(requeueAt);
  if (events !== undefined) checkEvents(events);
}

/** @throws invalid-argument for what is no {@link BatchPlan}. Cost: O(changes + events). */
export function checkBatchPlan(plan: BatchPlan): void {
  const { groups, requeueAt, events } = answerOf(plan, 'planBatch');
  requireList(groups, "'groups' of a batch plan");
  for (const group of groups) {
    requireForm(isRecord(group), 'a group of a batch plan', '{ keys, changes }', group);
    requireList(group.keys, "'keys' of a group");
    checkChanges(group.changes, 'the changes of a group');
    if (group.expect !== undefined) requireList(group.expect, "'expect' of a group");
  }
  if (requeueAt !== undefined) {
    const isMap = isFunction((requeueAt as Partial<typeof requeueAt> | null)?.values);
    requireForm(isMap, "'requeueAt' of a batch plan", 'a Map of times by key', requeueAt);
    for (const at of requeueAt.values()) checkTime(at);
  }
  if (events !== undefined) checkEvents(events);
}

/** @throws invalid-argument for what is neither nothing nor a {@link ReconcileResult}. */
export function checkResult(result: ReconcileResult | undefined): void {
  if (result === undefined) return;
  const { requeueAt } = answerOf(result, 'reconcile');
  if (requeueAt !== undefined) checkTime(requeueAt);
}

/** @throws invalid-argument for what is no list of changes. Cost: O(changes). */
export function checkChanges(changes: readonly PlannedChange[], what: string): void {
  requireList(changes, what);
  for (const change of changes) {
    if (!isChange(change)) requireForm(false, `one of ${what}`, CHANGE_WORDS, change);
  }
}

const CHANGE_WORDS = 'what create(object), update(object) or remove(object) gives';

/** What an answer may be taken apart from; promises and the names of elsewhere are told apart. */
function answerOf<Answer>(answer: Answer, form: 'plan' | 'planBatch' | 'reconcile'): Answer {
  const right = RIGHT[form];
  requireForm(isRecord(answer), `what ${form} gives back`, right, answer);
  if (isFunction(answer['then'])) {
    const message = `${form} gave back a promise; it has to be pure: use reconcile for I/O`;
    throw new SkepError('invalid-argument', message);
  }
  if ('requeueAfter' in answer) {
    const message = "there is no 'requeueAfter': give 'requeueAt', a time, as now + 5_000";
    throw new SkepError('invalid-argument', message);
  }
  return answer;
}

const RIGHT = Object.freeze({
  plan: '{ changes: […] }, or noChanges',
  planBatch: '{ groups: [{ keys, changes }] }',
  reconcile: 'nothing, or { requeueAt }',
});

function checkTime(at: number): void {
  if (Number.isFinite(at)) return;
  const message = `requeueAt is not a time: ${textOf(at)}; give milliseconds, as now + 5_000`;
  throw new SkepError('invalid-argument', message);
}

function checkEvents(events: readonly EventDraft[]): void {
  requireList(events, "'events' of a plan");
  for (const event of events) {
    const isDraft = isRecord(event) && isObject(event['regarding']) && hasWords(event);
    requireForm(isDraft, 'an event', '{ regarding: an object, type, reason, message }', event);
  }
}

function hasWords(event: Readonly<Record<string, unknown>>): boolean {
  return ['type', 'reason', 'message'].every((field) => typeof event[field] === 'string');
}

function isChange(change: unknown): boolean {
  if (!isRecord(change)) return false;
  if (change['type'] === 'create' || change['type'] === 'update') return isObject(change['object']);
  return change['type'] === 'delete' && isText(change['kind']) && isText(change['id']);
}

function isObject(value: unknown): boolean {
  return isRecord(value) && isText(value['kind']) && isRecord(value['meta']);
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function requireList(value: unknown, what: string): void {
  requireForm(Array.isArray(value), what, 'a list', value);
}

function requireForm(
  isRight: boolean,
  what: string,
  right: string,
  value: unknown,
): asserts isRight {
  if (isRight) return;
  throw new SkepError('invalid-argument', `${what}: expected ${right}, got ${textOf(value)}`);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return 'a list';
  if (!isRecord(value)) return String(value);
  if (isObject(value)) return `an object of kind ${String(value['kind'])}`;
  const fields = Object.keys(value).slice(0, 5);
  return fields.length === 0 ? 'an empty object' : `an object with ${fields.join(', ')}`;
}
