/**
 * Issues of a Standard Schema validator as faults, with hints where the validator is one of zod's.
 */
import type { StandardSchema } from '@skep/api';
import { z } from 'zod';
import type { ComplaintCode, PathStep } from '../complaint.js';
import { nearestName } from '../text/nearest-name.js';
import { fault, type SpecFault } from './faults.js';

/** The part of an issue that every validator gives, and what zod adds. */
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: unknown;
  readonly keys?: unknown;
  readonly values?: unknown;
  readonly options?: unknown;
  readonly errors?: unknown;
  readonly expected?: unknown;
  readonly origin?: unknown;
  readonly minimum?: unknown;
  readonly maximum?: unknown;
}

/** Faults for the issues of one validation. `value` is what was validated. */
export function issueFaults(
  issues: readonly Issue[],
  schema: StandardSchema,
  value: unknown,
): readonly SpecFault[] {
  return issues.flatMap((issue) => faultsOf(issue, [], schema, value));
}

function faultsOf(
  issue: Issue,
  above: readonly PathStep[],
  schema: StandardSchema,
  value: unknown,
): readonly SpecFault[] {
  const steps = [...above, ...(issue.path ?? []).map(stepOf)];
  if (issue.code === 'unrecognized_keys' && Array.isArray(issue.keys)) {
    const known = knownFields(schema, steps);
    return issue.keys.map((key) => unknownField(String(key), steps, known));
  }
  if (issue.code === 'invalid_union' && Array.isArray(issue.errors) && issue.errors.length > 0) {
    // The branch with the fewest issues is the one that was most likely meant.
    const branches = issue.errors as readonly (readonly Issue[])[];
    const best = branches.reduce((a, b) => (b.length < a.length ? b : a));
    return best.flatMap((inner) => faultsOf(inner, steps, schema, value));
  }
  const isMissing = issue.code === 'invalid_type' && valueAt(value, steps) === undefined;
  if (isMissing) {
    const name = String(steps.at(-1) ?? 'spec');
    return [fault('missing-field', steps, `${name} is required`, `add ${name}`)];
  }
  return [fault(codeOf(issue), steps, messageFor(issue), choiceHint(issue, steps, value))];
}

/** Zod's issues in the words that are used everywhere else; others as they are. */
function messageFor(issue: Issue): string {
  const { code, expected, minimum, maximum } = issue;
  if (code === 'invalid_type') return `must be ${TYPE_NAMES[String(expected)] ?? String(expected)}`;
  if (code === 'too_small') {
    return issue.origin === 'number' || issue.origin === 'int'
      ? `must be at least ${String(minimum)}`
      : 'must not be empty';
  }
  if (code === 'too_big') return `must be at most ${String(maximum)}`;
  if (code === 'invalid_value' || issue.options !== undefined) return 'is not one of the values';
  return lowered(issue.message);
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
};

function stepOf(step: PropertyKey | { readonly key: PropertyKey }): PathStep {
  const key = typeof step === 'object' ? step.key : step;
  return typeof key === 'number' ? key : String(key);
}

function codeOf(issue: Issue): ComplaintCode {
  return issue.code === 'invalid_type' ? 'invalid-type' : 'invalid-value';
}

function lowered(message: string): string {
  const text = message.replace(/^Invalid input: /, '');
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function choiceHint(issue: Issue, steps: readonly PathStep[], value: unknown): string | undefined {
  const choices = [issue.values, issue.options].find((list) => Array.isArray(list));
  if (!Array.isArray(choices)) return undefined;
  const names = choices.map(String);
  const nearest = nearestName(String(valueAt(value, steps)), names);
  return nearest === undefined ? `one of ${names.join(', ')}` : `did you mean ${nearest}?`;
}

function unknownField(
  key: string,
  steps: readonly PathStep[],
  known: readonly string[],
): SpecFault {
  const nearest = nearestName(key, known);
  const hint =
    nearest !== undefined
      ? `did you mean ${nearest}?`
      : known.length > 0
        ? `allowed: ${known.join(', ')}`
        : 'remove it';
  return fault('unknown-field', [...steps, key], `the field ${key} is not allowed here`, hint);
}

function valueAt(value: unknown, steps: readonly PathStep[]): unknown {
  return steps.reduce<unknown>(
    (inner, step) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Record<PathStep, unknown>)[step]
        : undefined,
    value,
  );
}

interface JsonSchemaNode {
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>;
  readonly items?: JsonSchemaNode;
  readonly anyOf?: readonly JsonSchemaNode[];
  readonly oneOf?: readonly JsonSchemaNode[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchemaNode>>;
}

/** Names of the fields that a mapping may have; [] when the validator does not tell. */
function knownFields(schema: StandardSchema, steps: readonly PathStep[]): readonly string[] {
  if (schema['~standard'].vendor !== 'zod') return [];
  try {
    const root = z.toJSONSchema(schema as unknown as z.ZodType, {
      unrepresentable: 'any',
    }) as JsonSchemaNode;
    const found = steps.reduce<readonly JsonSchemaNode[]>(
      (nodes, step) => nodes.flatMap((node) => childrenOf(resolve(node, root), step)),
      [root],
    );
    const names = found.flatMap((node) =>
      alternatives(resolve(node, root)).flatMap((branch) => Object.keys(branch.properties ?? {})),
    );
    return [...new Set(names)].sort();
  } catch {
    // A schema that cannot be shown as JSON Schema just gives no hint.
    return [];
  }
}

function resolve(node: JsonSchemaNode, root: JsonSchemaNode): JsonSchemaNode {
  const name = node.$ref?.split('/').at(-1);
  return name === undefined ? node : (root.$defs?.[name] ?? node);
}

function alternatives(node: JsonSchemaNode): readonly JsonSchemaNode[] {
  return [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])];
}

function childrenOf(node: JsonSchemaNode, step: PathStep): readonly JsonSchemaNode[] {
  return alternatives(node).flatMap((branch) => {
    const child = typeof step === 'number' ? branch.items : branch.properties?.[step];
    return child ? [child] : [];
  });
}
