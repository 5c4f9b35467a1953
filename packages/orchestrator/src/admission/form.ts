/**
 * The form of specs of kinds that bring a schema: custom kinds, mostly.
 */
import { SkepError, type AnyKind, type StandardResult } from '@skep/api';
import type { Objection } from './complaint.js';

/** A spec in its form, or what is wrong with it and where. */
export type FormResult =
  | { readonly spec: unknown }
  | { readonly faults: readonly (Objection & { readonly field: string })[] };

/**
 * Checks a spec with the schema of its kind, which may fill in defaults; a kind without one takes
 * everything. The schema has to accept what it gives back: it judges stored specs again.
 * @throws invalid-argument when the schema validates asynchronously.
 */
export function checkForm(kind: AnyKind, spec: unknown): FormResult {
  if (kind.schema === undefined) return { spec };
  const result = kind.schema['~standard'].validate(spec);
  if (result instanceof Promise) {
    throw new SkepError('invalid-argument', `the schema of the kind ${kind.name} is asynchronous`, {
      details: { kind: kind.name },
    });
  }
  if (result.issues === undefined) return { spec: result.value };
  const hint = `write what the schema of the kind ${kind.name} takes`;
  return {
    faults: result.issues.map(({ message, path }) => ({ field: fieldText(path), message, hint })),
  };
}

type Path = NonNullable<NonNullable<StandardResult<unknown>['issues']>[number]['path']>;

function fieldText(path: Path = []): string {
  return path
    .map((step) => (typeof step === 'object' ? step.key : step))
    .reduce<string>(
      (text, step) => (typeof step === 'number' ? `${text}[${step}]` : `${text}.${String(step)}`),
      'spec',
    );
}
