/**
 * Why an object could not be given what it asks for, and how its status says so.
 */
import type { Condition, Timestamp } from '@skep/api';
import { conditionOf, conditionSet } from '@skep/controller';

/** Machine-readable causes. In conditions they are written in CamelCase. */
export type FailureCode =
  | 'addresses-exhausted'
  | 'address-in-use'
  | 'invalid-address'
  | 'network-not-found'
  | 'network-not-allocated'
  | 'network-not-attachable'
  | 'service-not-allocated'
  | 'port-conflict'
  | 'ports-exhausted'
  | 'invalid-endpoint'
  | 'subnet-overlap'
  | 'no-more-subnets'
  | 'invalid-subnet'
  | 'invalid-pool'
  | 'vxlan-id-conflict'
  | 'vxlan-ids-exhausted'
  | 'invalid-vxlan-id'
  | 'in-use';

/** A cause and its explanation: what, where, which other object. Stable as long as it holds. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
}

/** A result that is either there or explained. */
export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

/** A result that is there. */
export function success<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

/** A result that is not. */
export function failure(code: FailureCode, message: string): Outcome<never> {
  return { ok: false, failure: { code, message } };
}

/** Type of the condition that says whether an object has all that it asks for. */
export const ALLOCATED = 'Allocated';

/** Conditions that say why the object has not what it asks for. */
export function failedConditions(input: {
  readonly conditions: readonly Condition[] | undefined;
  readonly failure: Failure;
  readonly generation: number;
  readonly now: Timestamp;
  /** Default: {@link ALLOCATED}. */
  readonly type?: string;
}): readonly Condition[] {
  const { conditions, generation, now } = input;
  const { code, message } = input.failure;
  return conditionSet(
    conditions,
    {
      type: input.type ?? ALLOCATED,
      status: 'false',
      reason: reasonOf(code),
      message,
      observedGeneration: generation,
    },
    now,
  );
}

/** Conditions that say that the object has all that it asks for. `note`: what it was not given. */
export function allocatedConditions(input: {
  readonly conditions: readonly Condition[] | undefined;
  readonly generation: number;
  readonly now: Timestamp;
  readonly note?: string;
}): readonly Condition[] {
  return conditionSet(
    input.conditions,
    {
      type: ALLOCATED,
      status: 'true',
      reason: ALLOCATED,
      message: input.note ?? '',
      observedGeneration: input.generation,
    },
    input.now,
  );
}

/** The explanation in an object's conditions, if it could not be given what it asks for. */
export function failureText(conditions: readonly Condition[] | undefined): string | undefined {
  const condition = conditionOf(conditions, ALLOCATED);
  return condition?.status === 'false' ? condition.message : undefined;
}

/** A code as the reason of a condition or an event. */
export function reasonOf(code: FailureCode): string {
  return code.replace(/(^|-)([a-z])/g, (_match, _dash, letter: string) => letter.toUpperCase());
}
