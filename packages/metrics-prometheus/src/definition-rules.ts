/**
 * Which names, labels and buckets a metric may have, and what is said about those it may not.
 *
 * **Source:** the data model and the naming rules of the Prometheus documentation.
 */
import { SkepError, type MetricDefinition } from '@skep/api';

/** Kinds of metrics, as the exposition format calls them. */
export type MetricType = 'counter' | 'gauge' | 'histogram';

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Most labels of one metric: every one of them multiplies the series. */
export const LABELS_MAX = 10;

/** Most buckets of one histogram. */
export const BUCKETS_MAX = 200;

/**
 * Checks what a metric is called and what tells its series apart.
 * @throws invalid-argument, with everything that is wrong and what would be right.
 */
export function checkDefinition(type: MetricType, definition: MetricDefinition): void {
  const faults = [
    ...nameFaults(definition.name),
    ...labelFaults(type, definition.labelNames ?? []),
    ...(type === 'histogram' ? bucketFaults(definition.buckets ?? []) : []),
  ];
  if (definition.help.trim() === '') faults.push('it needs a help text');
  if (type !== 'histogram' && definition.buckets !== undefined) {
    faults.push(`buckets are for histograms, it is a ${type}`);
  }
  if (faults.length === 0) return;
  throw new SkepError('invalid-argument', `metric '${definition.name}': ${faults.join('; ')}`, {
    details: { metric: definition.name, faults },
  });
}

function nameFaults(name: string): string[] {
  if (METRIC_NAME.test(name)) return [];
  return ['a name is of letters, digits, underscores and colons, and begins with no digit'];
}

function labelFaults(type: MetricType, names: readonly string[]): string[] {
  const faults: string[] = [];
  for (const name of names) {
    if (!LABEL_NAME.test(name)) {
      faults.push(`label '${name}' is not of letters, digits and underscores`);
    } else if (name.startsWith('__')) {
      faults.push(`label '${name}' begins with '__', which is for Prometheus itself`);
    } else if (type === 'histogram' && name === 'le') {
      faults.push("label 'le' is for the bounds of the buckets");
    }
  }
  if (new Set(names).size < names.length) faults.push('it has a label twice');
  if (names.length > LABELS_MAX)
    faults.push(`it has ${names.length} labels; most is ${LABELS_MAX}`);
  return faults;
}

function bucketFaults(buckets: readonly number[]): string[] {
  const isRising = buckets.every((bound, at) => {
    const before = buckets[at - 1];
    return Number.isFinite(bound) && (before === undefined || before < bound);
  });
  const faults: string[] = [];
  if (!isRising) faults.push('bounds of buckets are finite and rise; the last, +Inf, is implied');
  if (buckets.length > BUCKETS_MAX) {
    faults.push(`it has ${buckets.length} buckets; most is ${BUCKETS_MAX}`);
  }
  return faults;
}
