/**
 * Complaints: everything that is wrong, doubtful or left out, with the place in the file.
 */
import { compareBy, compareText } from '@skep/api';

/** The closed list of codes; each names a kind of fault, whatever the words of the message. */
export const COMPLAINT_CODES = [
  // The file as text and as YAML.
  'file-too-large',
  'not-utf8',
  'empty-file',
  'yaml-syntax',
  'tab-indentation',
  'duplicate-key',
  'unknown-anchor',
  'alias-bomb',
  'too-deep',
  'non-string-key',
  'invalid-merge',
  'not-a-mapping',
  'extra-documents',
  'ambiguous-scalar',
  // Variables.
  'invalid-interpolation',
  'missing-variable',
  'unset-variable',
  'unexpanded-variable',
  'invalid-cast',
  // The shape of the file.
  'unsupported-version',
  'version-mismatch',
  'forbidden-option',
  'unknown-field',
  'missing-field',
  'invalid-type',
  'invalid-value',
  'duplicate-item',
  'unknown-kind',
  'duplicate-object',
  // Values with a grammar of their own.
  'invalid-port',
  'invalid-volume',
  'invalid-size',
  'invalid-duration',
  'invalid-cpu',
  'invalid-command',
  'invalid-env-file',
  'missing-file',
  'external-conflict',
  // What the Docker client judges when it deploys.
  'missing-image',
  'invalid-image',
  'undefined-network',
  'undefined-volume',
  'undefined-secret',
  'undefined-config',
  'unknown-mode',
  'replicas-with-global',
  'invalid-restart-policy',
  'invalid-healthcheck',
  'invalid-mount',
  'invalid-credential-spec',
  'duplicate-target',
  // What the manager judges.
  'invalid-name',
  'invalid-constraint',
  'invalid-subnet',
  'invalid-address',
  'memory-too-small',
  'cpu-too-small',
  'duplicate-port',
  'ingress-with-dnsrr',
  'reserved-network',
  'content-too-large',
  'content-empty',
  // Warnings.
  'unsupported-option',
  'deprecated-option',
  'ignored-option',
  'inactive-profile',
  'deprecated-external-name',
  'ignored-address',
  'too-many-complaints',
] as const;

/** A member of {@link COMPLAINT_CODES}. */
export type ComplaintCode = (typeof COMPLAINT_CODES)[number];

/** A place in a file: both numbers count from 1; `field` as in `services.web.ports[0]`. */
export interface Place {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly field: string;
}

/** One thing that is wrong (`error`) or that a reader should know (`warning`). */
export interface Complaint extends Place {
  readonly severity: 'error' | 'warning';
  readonly code: ComplaintCode;
  readonly message: string;
  /** What would be right. */
  readonly hint?: string;
}

/** A step of the way to a field: a key of a mapping or an index of a list. */
export type PathStep = string | number;

/** At most this many complaints are kept; a last one then says that there were more. */
export const COMPLAINTS_MAX = 1_000;

/**
 * Collects complaints in the order in which they are found. Not for use across calls: make one,
 * fill it, take `list()`.
 */
export class ComplaintCollector {
  readonly #found: Complaint[] = [];
  readonly #seen = new Set<string>();
  #errors = 0;

  /** Adds one. The same code at the same place with the same message is kept once. */
  add(
    severity: Complaint['severity'],
    code: ComplaintCode,
    place: Place,
    message: string,
    hint?: string,
  ): void {
    if (severity === 'error') this.#errors += 1;
    if (this.#found.length > COMPLAINTS_MAX) return;
    const { path, line, column, field } = place;
    const key = [code, path, line, column, field, message].join('\n');
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#found.push(
      this.#found.length === COMPLAINTS_MAX
        ? complaintOf(severity, 'too-many-complaints', place, 'more complaints are left out')
        : complaintOf(severity, code, place, message, hint),
    );
  }

  /** Adds an error. */
  error(code: ComplaintCode, place: Place, message: string, hint?: string): void {
    this.add('error', code, place, message, hint);
  }

  /** Adds a warning. */
  warn(code: ComplaintCode, place: Place, message: string, hint?: string): void {
    this.add('warning', code, place, message, hint);
  }

  /** How many errors were added so far, repeated ones included. */
  get errorCount(): number {
    return this.#errors;
  }

  /** All of them, in the order of finding. */
  list(): readonly Complaint[] {
    return [...this.#found];
  }
}

function complaintOf(
  severity: Complaint['severity'],
  code: ComplaintCode,
  place: Place,
  message: string,
  hint?: string,
): Complaint {
  const { path, line, column, field } = place;
  return {
    severity,
    code,
    message,
    path,
    line,
    column,
    field,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** Whether none of them is an error. */
export function isAcceptable(complaints: readonly Complaint[]): boolean {
  return complaints.every((complaint) => complaint.severity !== 'error');
}

/** One line for people: `stack.yml:3:5: error: services.web.ports[0]: … (hint) [invalid-port]`. */
export function formatComplaint(complaint: Complaint): string {
  const { path, line, column, severity, field, message, hint, code } = complaint;
  const where = field === '' ? '' : `${field}: `;
  const advice = hint === undefined ? '' : ` (${hint})`;
  return `${path}:${line}:${column}: ${severity}: ${where}${message}${advice} [${code}]`;
}

/** Orders complaints by file, place, code and message: a total order. */
export const compareComplaints: (a: Complaint, b: Complaint) => number = compareBy(
  (a, b) => compareText(a.path, b.path),
  (a, b) => a.line - b.line,
  (a, b) => a.column - b.column,
  (a, b) => compareText(a.code, b.code),
  (a, b) => compareText(a.message, b.message),
);

const PLAIN_KEY = /^[A-Za-z0-9_-]+$/;

/** The path as people write it: `services.web.labels["a.b"][0]`. */
export function formatField(steps: readonly PathStep[]): string {
  let text = '';
  for (const step of steps) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!PLAIN_KEY.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}
