/**
 * Checks of controller definitions.
 */
import { SkepError } from '@skep/api';
import type {
  AsyncController,
  BatchController,
  ControllerDefinition,
  PlanController,
} from './contract.js';

/** Most passes at the same time that a definition may ask for. */
export const CONCURRENCY_MAX = 1000;

/**
 * Checks a definition and returns it as it is; with it, the compiler infers the form.
 * @throws invalid-argument, with everything that is wrong: no name; not exactly one of `plan`,
 * `planBatch`, `reconcile`; neither `for` nor `watches`; `owns` without `for`; a setting that
 * belongs to another form or is out of its range; a field that there is not, or of another type.
 */
export function defineController<D extends ControllerDefinition>(definition: D): D {
  const faults = definitionFaults(definition);
  if (faults.length === 0) return definition;
  const name: unknown = isRecord(definition) ? definition['name'] : undefined;
  const who = typeof name === 'string' && name !== '' ? `'${name}'` : 'without a name';
  throw new SkepError('invalid-argument', `controller ${who}: ${faults.join('; ')}`, {
    details: { controller: typeof name === 'string' ? name : '', faults },
  });
}

/** Whether the controller decides about one key at a time, purely. */
export function isPlanController(definition: ControllerDefinition): definition is PlanController {
  return 'plan' in definition && definition.plan !== undefined;
}

/** Whether the controller decides about all dirty keys at once, purely. */
export function isBatchController(definition: ControllerDefinition): definition is BatchController {
  return 'planBatch' in definition && definition.planBatch !== undefined;
}

/** Whether the controller does I/O. */
export function isAsyncController(definition: ControllerDefinition): definition is AsyncController {
  return 'reconcile' in definition && definition.reconcile !== undefined;
}

function definitionFaults(definition: ControllerDefinition): readonly string[] {
  const given: unknown = definition;
  if (!isRecord(given)) return ['a definition is an object with name, for and plan'];
  return [
    ...formFaults(definition),
    ...sourceFaults(given),
    ...settingFaults(definition),
    ...Object.keys(given)
      .filter((field) => !FIELDS.includes(field))
      .map((field) => `there is no field '${field}' (there are: ${FIELDS.join(', ')})`),
  ];
}

const FIELDS: readonly string[] = Object.freeze([
  ...['name', 'actor', 'rule', 'for', 'predicate', 'owns', 'watches', 'state', 'caches'],
  ...['priority', 'sharding', 'plan', 'planBatch', 'batchMax', 'reconcile', 'concurrency'],
  'reconcileTimeoutMs',
]);
/** Those that are functions, if they are there. */
const FUNCTIONS: readonly string[] = Object.freeze([
  ...['plan', 'planBatch', 'reconcile', 'predicate', 'priority'],
]);

function formFaults(definition: ControllerDefinition): readonly string[] {
  const fields: Readonly<Record<string, unknown>> = { ...definition };
  const { name } = fields;
  const faults: string[] = [];
  if (typeof name !== 'string' || name.trim() === '') faults.push('it needs a name');
  const forms = [
    isPlanController(definition),
    isBatchController(definition),
    isAsyncController(definition),
  ].filter(Boolean).length;
  if (forms !== 1) faults.push('it needs exactly one of plan, planBatch and reconcile');
  for (const field of FUNCTIONS) {
    const isRight = fields[field] === undefined || typeof fields[field] === 'function';
    if (!isRight) faults.push(`'${field}' must be a function`);
  }
  return faults;
}

/** What wakes it. */
function sourceFaults(given: Readonly<Record<string, unknown>>): readonly string[] {
  const { for: parent, predicate, owns = [], watches = [] } = given;
  if (!isListOf(owns, isKind)) return ["'owns' must be a list of kinds"];
  if (!isListOf(watches, isWatch)) return ["'watches' must be a list of { kind, keys }"];
  if (parent !== undefined) return isKind(parent) ? [] : ["'for' must be a kind"];
  return [
    ...(watches.length > 0 ? [] : ["it needs 'for' or 'watches', or nothing ever wakes it"]),
    ...(owns.length === 0 ? [] : ["'owns' needs 'for', the kind of the owners"]),
    ...(predicate === undefined ? [] : ["'predicate' needs 'for', the kind that it filters"]),
  ];
}

/** Settings of single forms, as somebody may give them to any. */
interface Settings {
  readonly concurrency?: number;
  readonly batchMax?: number;
  readonly reconcileTimeoutMs?: number;
}

function settingFaults(definition: ControllerDefinition): readonly string[] {
  const { concurrency, batchMax, reconcileTimeoutMs }: Settings = definition;
  const faults: string[] = [];
  if (concurrency !== undefined) {
    if (!isAsyncController(definition)) faults.push("'concurrency' is only for reconcile");
    if (!isCount(concurrency) || concurrency > CONCURRENCY_MAX) {
      faults.push(`'concurrency' must be a whole number from 1 to ${CONCURRENCY_MAX}`);
    }
  }
  if (reconcileTimeoutMs !== undefined) {
    if (!isAsyncController(definition)) faults.push("'reconcileTimeoutMs' is only for reconcile");
    if (!(reconcileTimeoutMs > 0 && Number.isFinite(reconcileTimeoutMs))) {
      faults.push("'reconcileTimeoutMs' must be a time above 0");
    }
  }
  if (batchMax !== undefined) {
    if (!isBatchController(definition)) faults.push("'batchMax' is only for planBatch");
    if (!isCount(batchMax)) faults.push("'batchMax' must be a whole number from 1");
  }
  const { sharding } = definition;
  if (sharding === undefined) return faults;
  if (isBatchController(definition)) {
    faults.push("'sharding' is not for planBatch, whose keys share what they use up");
  }
  if (sharding !== 'by-key' && typeof sharding !== 'function') {
    faults.push("'sharding' must be 'by-key', or what of a key decides");
  }
  return faults;
}

function isWatch(watch: unknown): boolean {
  return isRecord(watch) && isKind(watch['kind']) && typeof watch['keys'] === 'function';
}

function isKind(kind: unknown): boolean {
  return isRecord(kind) && typeof kind['name'] === 'string' && isRecord(kind['indexes']);
}

function isListOf(value: unknown, isOne: (item: unknown) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && value.every(isOne);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
