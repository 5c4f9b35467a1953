/**
 * What the front door says when it does not let something in.
 *
 * **Source:** SwarmKit manager/controlapi returns the first fault; here all of them are collected,
 * each with its field and with what would be right.
 */
import { SkepError, type SkepErrorCode } from '@skep/api';

/** One reason why a change is refused. */
export interface AdmissionComplaint {
  readonly code: SkepErrorCode;
  readonly kind: string;
  readonly name: string;
  /** Path in the object, such as `spec.task.container.image`; '' for the object as a whole. */
  readonly field: string;
  readonly message: string;
  /** What would be right. */
  readonly hint: string;
}

/** What a rule says; kind and name of the object are known to the collector. */
export interface Objection {
  /** Default: invalid-argument. */
  readonly code?: SkepErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** Collects the objections to one object, in the order in which the rules find them. */
export class Objections {
  readonly kind: string;
  readonly name: string;
  readonly #found: AdmissionComplaint[] = [];

  constructor(object: { readonly kind: string; readonly name: string }) {
    this.kind = object.kind;
    this.name = object.name;
  }

  add(field: string, { code = 'invalid-argument', message, hint }: Objection): void {
    const { kind, name } = this;
    this.#found.push({ code, kind, name, field, message, hint });
  }

  /** Objects unless `isRight`. Returns `isRight`, for rules that build on each other. */
  require(isRight: boolean, field: string, objection: Objection): boolean {
    if (!isRight) this.add(field, objection);
    return isRight;
  }

  /** All objections so far. */
  list(): readonly AdmissionComplaint[] {
    return [...this.#found];
  }
}

/** One line for people: `Service vote: spec.mode.replicas: … (…)`. */
export function describeComplaint(complaint: AdmissionComplaint): string {
  const { kind, name, field, message, hint } = complaint;
  const where = field === '' ? '' : `${field}: `;
  return `${kind} ${name}: ${where}${message} (${hint})`;
}

/** The complaints as one error, for callers that throw; `details.complaints` holds them as data. */
export function admissionError(complaints: readonly AdmissionComplaint[]): SkepError {
  const code = complaints[0]?.code ?? 'invalid-argument';
  const message = complaints.map(describeComplaint).join('\n');
  return new SkepError(code, message, { details: { complaints } });
}
