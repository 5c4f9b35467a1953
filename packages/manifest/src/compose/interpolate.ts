/**
 * Fills in the variables of a whole document, and turns the texts that were changed into the type
 * their field wants.
 *
 * **Source:** docker/cli `cli/compose/interpolation` and `cli/compose/loader/interpolate.go`.
 */
import type { ComplaintCollector, PathStep } from '../complaint.js';
import type { MappingEntry, ScalarNode, YamlDocument, YamlNode } from '../yaml/tree.js';
import { hasVariables, substitute, type VariableLookup } from './template.js';

type Cast = 'integer' | 'number' | 'boolean';

/**
 * Fields whose text becomes another type once a variable was filled in. `*` is any key or index.
 */
const CASTS: readonly (readonly [path: string, cast: Cast])[] = [
  ['services.*.configs.*.mode', 'integer'],
  ['services.*.secrets.*.mode', 'integer'],
  ['services.*.healthcheck.retries', 'integer'],
  ['services.*.healthcheck.disable', 'boolean'],
  ['services.*.deploy.replicas', 'integer'],
  ['services.*.deploy.update_config.parallelism', 'integer'],
  ['services.*.deploy.update_config.max_failure_ratio', 'number'],
  ['services.*.deploy.rollback_config.parallelism', 'integer'],
  ['services.*.deploy.rollback_config.max_failure_ratio', 'number'],
  ['services.*.deploy.restart_policy.max_attempts', 'integer'],
  ['services.*.deploy.placement.max_replicas_per_node', 'integer'],
  ['services.*.ports.*.target', 'integer'],
  ['services.*.ports.*.published', 'integer'],
  ['services.*.ulimits.*', 'integer'],
  ['services.*.ulimits.*.hard', 'integer'],
  ['services.*.ulimits.*.soft', 'integer'],
  ['services.*.privileged', 'boolean'],
  ['services.*.read_only', 'boolean'],
  ['services.*.stdin_open', 'boolean'],
  ['services.*.tty', 'boolean'],
  ['services.*.volumes.*.read_only', 'boolean'],
  ['services.*.volumes.*.volume.nocopy', 'boolean'],
  ['networks.*.external', 'boolean'],
  ['networks.*.internal', 'boolean'],
  ['networks.*.attachable', 'boolean'],
  ['volumes.*.external', 'boolean'],
  ['secrets.*.external', 'boolean'],
  ['configs.*.external', 'boolean'],
];

const CAST_STEPS = CASTS.map(([path, cast]) => ({ steps: path.split('.'), cast }));

/** What interpolation needs. */
export interface InterpolationContext {
  readonly document: YamlDocument;
  readonly lookup: VariableLookup;
  readonly allowsAlternative: boolean;
  readonly complaints: ComplaintCollector;
}

/** The document with variables filled in. Values with a fault are marked broken. */
export function interpolate(context: InterpolationContext): YamlDocument {
  const known = new Set<string>();
  const { document } = context;
  return document.withRoot(fill(document.root, [], context, known));
}

function fill(
  node: YamlNode,
  steps: readonly PathStep[],
  context: InterpolationContext,
  known: Set<string>,
): YamlNode {
  if (node.type === 'scalar') return fillScalar(node, steps, context, known);
  if (node.type === 'sequence') {
    const items = node.items.map((item, index) => fill(item, [...steps, index], context, known));
    return items.every((item, index) => item === node.items[index]) ? node : { ...node, items };
  }
  const entries = new Map<string, MappingEntry>();
  let isChanged = false;
  for (const [key, entry] of node.entries) {
    const value = fill(entry.value, [...steps, key], context, known);
    isChanged ||= value !== entry.value;
    entries.set(key, value === entry.value ? entry : { keyAt: entry.keyAt, value });
  }
  return isChanged ? { ...node, entries } : node;
}

function fillScalar(
  node: ScalarNode,
  steps: readonly PathStep[],
  context: InterpolationContext,
  known: Set<string>,
): ScalarNode {
  const { value } = node;
  if (typeof value !== 'string' || node.isTime || !hasVariables(value)) return node;
  const { complaints, document } = context;
  const result = substitute(value, context.lookup, context);
  const place = document.placeOf(node, steps);
  for (const note of result.notes) {
    // One word about each variable that is not set is enough.
    if (note.code === 'unset-variable') {
      if (known.has(note.message)) continue;
      known.add(note.message);
    }
    complaints.warn(note.code, place, note.message, note.hint);
  }
  if (result.fault) {
    complaints.error(result.fault.code, place, result.fault.message, result.fault.hint);
    return { ...node, isBroken: true };
  }
  if (result.text === value) return node;
  const cast = castFor(steps);
  if (cast === undefined) return { ...node, value: result.text };
  const casted = castText(result.text, cast);
  if (casted !== undefined) return { ...node, value: casted, isFloat: cast === 'number' };
  complaints.error(
    'invalid-cast',
    place,
    `'${value}' became '${result.text}', which is no ${cast}`,
    `set the variable to ${CAST_HINTS[cast]}, or give it a default`,
  );
  return { ...node, isBroken: true };
}

const CAST_HINTS: Readonly<Record<Cast, string>> = {
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

function castFor(steps: readonly PathStep[]): Cast | undefined {
  return CAST_STEPS.find(
    ({ steps: pattern }) =>
      pattern.length === steps.length &&
      pattern.every((part, index) => part === '*' || part === steps[index]),
  )?.cast;
}

function castText(text: string, cast: Cast): number | boolean | undefined {
  if (cast === 'boolean') {
    const word = text.toLowerCase();
    if (['y', 'yes', 'true', 'on'].includes(word)) return true;
    return ['n', 'no', 'false', 'off'].includes(word) ? false : undefined;
  }
  if (cast === 'integer') {
    const number = /^[-+]?\d+$/.test(text) ? Number(text) : undefined;
    return Number.isSafeInteger(number) ? number : undefined;
  }
  return /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text) ? Number(text) : undefined;
}
