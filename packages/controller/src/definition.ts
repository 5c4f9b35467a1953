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
 * belongs to another form or is out of its range.
 */
export function defineController<D extends ControllerDefinition>(definition: D): D {
  const faults = definitionFaults(definition);
  if (faults.length > 0) {
    const name = definition.name === '' ? 'without a name' : `'${definition.name}'`;
    throw new SkepError('invalid-argument', `controller ${name}: ${faults.join('; ')}`, {
      details: { controller: definition.name, faults },
    });
  }
  return definition;
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

function definitionFaults(definition: ControllerDefinition): string[] {
  const faults: string[] = [];
  const forms = [
    isPlanController(definition),
    isBatchController(definition),
    isAsyncController(definition),
  ].filter(Boolean).length;
  if (definition.name.trim() === '') faults.push('it needs a name');
  if (forms !== 1) faults.push('it needs exactly one of plan, planBatch and reconcile');
  if (definition.for === undefined && (definition.watches ?? []).length === 0) {
    faults.push("it needs 'for' or 'watches', or nothing ever wakes it");
  }
  if (definition.for === undefined && (definition.owns ?? []).length > 0) {
    faults.push("'owns' needs 'for', the kind of the owners");
  }
  if (definition.for === undefined && definition.predicate !== undefined) {
    faults.push("'predicate' needs 'for', the kind that it filters");
  }
  const { concurrency } = definition;
  if (concurrency !== undefined) {
    if (!isAsyncController(definition)) faults.push("'concurrency' is only for reconcile");
    if (!isCount(concurrency) || concurrency > CONCURRENCY_MAX) {
      faults.push(`'concurrency' must be a whole number from 1 to ${CONCURRENCY_MAX}`);
    }
  }
  if ('reconcileTimeoutMs' in definition && definition.reconcileTimeoutMs !== undefined) {
    if (!isAsyncController(definition)) faults.push("'reconcileTimeoutMs' is only for reconcile");
    if (!(definition.reconcileTimeoutMs > 0 && Number.isFinite(definition.reconcileTimeoutMs))) {
      faults.push("'reconcileTimeoutMs' must be a time above 0");
    }
  }
  if (isBatchController(definition) && definition.sharding !== undefined) {
    faults.push("'sharding' is not for planBatch, whose keys share what they use up");
  }
  if (isBatchController(definition) && definition.batchMax !== undefined) {
    if (!isCount(definition.batchMax)) faults.push("'batchMax' must be a whole number from 1");
  }
  return faults;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
