/**
 * Which fields of an object a commit changed.
 */
import { isEqual, type StoredObject } from '@skep/api';

/** One field that a commit changed. */
export interface FieldChange {
  /** From the object: `spec.mode.replicas`, `status.addresses[0]`, `meta.labels["a.b"]`. */
  readonly path: string;
  /** Absent when the field was not there, and for secret data. */
  readonly from?: unknown;
  /** Absent when the field is not there any more, and for secret data. */
  readonly to?: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

const WORD = /^[A-Za-z_][\w-]*$/;
/** Stamped with every write: no news. */
const STAMPS = new Set(['version', 'updatedAt', 'generation']);
/** Kinds whose spec nobody should read in a trace. */
const SECRET_KINDS = new Set(['Secret']);

/** The fields that differ, in the order in which they are written. Cost: O(what differs). */
export function fieldChanges(before: StoredObject, after: StoredObject): readonly FieldChange[] {
  const found: FieldChange[] = [];
  const isSecret = SECRET_KINDS.has(after.kind);
  for (const part of ['spec', 'status', 'meta'] as const) {
    const isHidden = isSecret && part === 'spec';
    compare(before[part], after[part], part, (path, from, to) => {
      found.push({
        path,
        ...(isHidden || from === undefined ? {} : { from }),
        ...(isHidden || to === undefined ? {} : { to }),
      });
    });
  }
  return found.filter(({ path }) => !STAMPS.has(path.slice('meta.'.length)) || !isMeta(path));
}

/** Whether a field, or something inside of it, differs. */
export function isFieldChanged(before: StoredObject, after: StoredObject, path: string): boolean {
  return fieldChanges(before, after).some(
    (change) =>
      change.path === path ||
      (change.path.startsWith(path) && '.['.includes(change.path.charAt(path.length))) ||
      (path.startsWith(change.path) && '.['.includes(path.charAt(change.path.length))),
  );
}

function compare(
  before: unknown,
  after: unknown,
  path: string,
  differs: (path: string, from: unknown, to: unknown) => void,
): void {
  if (before === after || isEqual(before, after)) return;
  if (isFields(before) && isFields(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(before[name], after[name], `${path}${step(name)}`, differs);
    }
  } else if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (const [at, item] of before.entries()) {
      compare(item, after[at], `${path}[${at}]`, differs);
    }
  } else {
    differs(path, before, after);
  }
}

function step(name: string): string {
  return WORD.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMeta(path: string): boolean {
  return path.startsWith('meta.');
}
