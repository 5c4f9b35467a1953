/**
 * Selecting objects by their labels and fields: `app=web,tier!=db` and `spec.nodeId=n1`.
 *
 * **Source:** Kubernetes apimachinery pkg/labels/selector.go and pkg/fields/selector.go for the
 * meaning of every operator. Different: any path into meta, spec and status is a field, not those
 * few that each kind lists.
 */
import type { Labels, StoredObject } from './meta.js';

/** What one label has to be. */
export interface LabelRequirement {
  readonly key: string;
  /**
   * `in` one of the values; `not-in`: another value, or no such label; `exists`, `absent`: whether
   * it is there; `greater`, `less`: a whole number above or below the value.
   */
  readonly operator: 'in' | 'not-in' | 'exists' | 'absent' | 'greater' | 'less';
  /** None for `exists` and `absent`, one for `greater` and `less`, at least one otherwise. */
  readonly values: readonly string[];
}

/** What one field has to be, as text. */
export interface FieldRequirement {
  /** Steps from the object: `spec`, `nodeId`. The first is `kind`, `meta`, `spec` or `status`. */
  readonly path: readonly string[];
  readonly operator: 'equals' | 'differs';
  readonly value: string;
}

/** A parsed selector: an object is chosen when it meets all requirements. */
export interface ObjectSelector {
  readonly labels: readonly LabelRequirement[];
  readonly fields: readonly FieldRequirement[];
}

/** A selector as people write it. What is left out, or empty, chooses everything. */
export interface SelectorTexts {
  /** `a=b, c!=d, e in (x,y), f notin (z), g, !h, i>3`. */
  readonly labels?: string;
  /** `metadata.name=web, spec.nodeId!=n1`. */
  readonly fields?: string;
}

/** Whether the object meets all requirements. Cost: O(requirements). */
export function matchesSelector(selector: ObjectSelector, object: StoredObject): boolean {
  return (
    selector.labels.every((requirement) => matchesLabel(requirement, object.meta.labels)) &&
    selector.fields.every((requirement) => matchesField(requirement, object))
  );
}

const INTEGER = /^[+-]?\d+$/;

/** Whether labels meet a requirement. */
export function matchesLabel({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
      return value !== undefined && values.includes(value);
    case 'not-in':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'greater':
    case 'less': {
      if (value === undefined || !INTEGER.test(value)) return false;
      // Exact however long the numbers are.
      const [actual, bound] = [BigInt(value.replace('+', '')), BigInt(values[0] ?? '0')];
      return operator === 'greater' ? actual > bound : actual < bound;
    }
  }
}

/**
 * Whether a field of the object meets a requirement. A field that is not set is the empty text;
 * numbers and booleans are as JSON writes them; a list or an object equals no text.
 */
export function matchesField(requirement: FieldRequirement, object: StoredObject): boolean {
  const { path, operator, value } = requirement;
  const isEqual = fieldText(object, path) === value;
  return operator === 'equals' ? isEqual : !isEqual;
}

function fieldText(object: StoredObject, path: readonly string[]): string | undefined {
  let found: unknown = object;
  for (const step of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return '';
    found = (found as Readonly<Record<string, unknown>>)[step];
  }
  if (found === undefined || found === null) return '';
  return typeof found === 'object' ? undefined : String(found);
}
