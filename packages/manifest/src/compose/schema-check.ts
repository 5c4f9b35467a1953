/**
 * Checks a document against the compose format, with a place and a hint for every fault.
 */
import { canonicalJson } from '@skep/api';
import type { ComplaintCollector, PathStep } from '../complaint.js';
import { parseDuration } from '../text/duration.js';
import { nearestName } from '../text/nearest-name.js';
import type {
  MappingNode,
  ScalarNode,
  SequenceNode,
  YamlDocument,
  YamlNode,
} from '../yaml/tree.js';
import { plainValue } from '../yaml/tree.js';
import { FORBIDDEN_FIELDS, UNKNOWN_FIELD_HINTS } from './field-hints.js';
import type { ComposeSchema, SchemaType } from './schema-language.js';

/** What a check needs to know. */
export interface SchemaContext {
  readonly document: YamlDocument;
  /** The minor of the 3.x version by which the file is read. */
  readonly minor: number;
  /** Whether fields of the Compose specification that `docker stack` refuses are accepted. */
  readonly allowsBeyondDocker: boolean;
  readonly complaints: ComplaintCollector;
}

/** Complains about everything in the document that the schema does not allow. */
export function checkSchema(schema: ComposeSchema, context: SchemaContext): void {
  check(context.document.root, schema, [], context);
}

function check(
  node: YamlNode,
  schema: ComposeSchema,
  steps: readonly PathStep[],
  context: SchemaContext,
): void {
  if (schema.isFree || (node.type === 'scalar' && node.isBroken)) return;
  if (schema.oneOf) {
    const branches = schema.oneOf.filter((branch) => isKnown(branch, context));
    const branch = branches.find((candidate) => acceptsType(node, typesOf(candidate)));
    if (branch) check(node, branch, steps, context);
    else complainType(node, branches.flatMap(typesOf), steps, context);
    return;
  }
  const types = typesOf(schema);
  if (types.length > 0 && !acceptsType(node, types)) {
    complainType(node, types, steps, context);
    return;
  }
  if (node.type === 'mapping') checkMapping(node, schema, steps, context);
  else if (node.type === 'sequence') checkSequence(node, schema, steps, context);
  else checkScalar(node, schema, steps, context);
}

function isKnown(schema: ComposeSchema, context: SchemaContext): boolean {
  if ((schema.since ?? 0) > context.minor) return false;
  return context.allowsBeyondDocker || schema.isBeyondDocker !== true;
}

function typesOf(schema: ComposeSchema): readonly SchemaType[] {
  if (schema.type === undefined) return [];
  return typeof schema.type === 'string' ? [schema.type] : schema.type;
}

function acceptsType(node: YamlNode, types: readonly SchemaType[]): boolean {
  const type = typeOf(node);
  return types.includes(type) || (type === 'integer' && types.includes('number'));
}

function typeOf(node: YamlNode): SchemaType {
  if (node.type === 'mapping') return 'object';
  if (node.type === 'sequence') return 'array';
  if (node.value === null) return 'null';
  if (typeof node.value === 'bigint') return 'integer';
  if (typeof node.value === 'number') return Number.isInteger(node.value) ? 'integer' : 'number';
  return typeof node.value === 'boolean' ? 'boolean' : 'string';
}

function checkMapping(
  node: MappingNode,
  schema: ComposeSchema,
  steps: readonly PathStep[],
  context: SchemaContext,
): void {
  for (const [key, entry] of node.entries) {
    const inner = schemaOfKey(key, schema, context);
    if (inner) check(entry.value, inner, [...steps, key], context);
    else complainKey(key, entry.keyAt, schema, steps, context);
  }
  for (const name of schema.required ?? []) {
    if (node.entries.has(name)) continue;
    context.complaints.error(
      'missing-field',
      context.document.placeOf(node, steps),
      `${name} is required`,
      `add ${name}`,
    );
  }
}

function schemaOfKey(
  key: string,
  schema: ComposeSchema,
  context: SchemaContext,
): ComposeSchema | undefined {
  const { properties = {}, patternProperties = {} } = schema;
  const listed = Object.hasOwn(properties, key) ? properties[key] : undefined;
  if (listed && isKnown(listed, context)) return listed;
  for (const [pattern, inner] of Object.entries(patternProperties)) {
    if (isKnown(inner, context) && new RegExp(pattern).test(key)) return inner;
  }
  return undefined;
}

function complainKey(
  key: string,
  keyAt: number,
  schema: ComposeSchema,
  steps: readonly PathStep[],
  context: SchemaContext,
): void {
  const place = context.document.placeAt(keyAt, [...steps, key]);
  if (schema.additionalProperties !== false) {
    context.complaints.warn('ignored-option', place, `${key} is not acted on here`);
    return;
  }
  // Forbidden fields have been complained about already.
  if (isServiceLevel(steps) && FORBIDDEN_FIELDS.has(key)) return;
  const where = steps.length === 0 ? 'at the top level' : 'here';
  const [pattern] = Object.keys(schema.patternProperties ?? {});
  const isNamed = schema.properties === undefined && pattern !== undefined;
  context.complaints.error(
    'unknown-field',
    place,
    isNamed ? `the name '${key}' is not allowed` : `the field ${key} is not allowed ${where}`,
    isNamed ? 'use letters, digits, . _ and -' : hintForKey(key, schema, steps, context),
  );
}

function hintForKey(
  key: string,
  schema: ComposeSchema,
  steps: readonly PathStep[],
  context: SchemaContext,
): string {
  const properties = schema.properties ?? {};
  const listed = Object.hasOwn(properties, key) ? properties[key] : undefined;
  if (listed !== undefined && (listed.since ?? 0) > context.minor) {
    return `it came with version 3.${listed.since}; raise version, or leave it out`;
  }
  if (listed?.isBeyondDocker) return 'the Compose specification knows it, docker stack does not';
  const advice = isServiceLevel(steps) ? UNKNOWN_FIELD_HINTS.get(key) : undefined;
  if (advice !== undefined) return advice;
  const names = Object.keys(properties).filter((name) => {
    const field = properties[name];
    return field !== undefined && isKnown(field, context);
  });
  const nearest = nearestName(key, names);
  if (nearest !== undefined) return `did you mean ${nearest}?`;
  const more = Object.keys(schema.patternProperties ?? {}).includes('^x-') ? ', or x-…' : '';
  return names.length <= 12 ? `allowed: ${names.sort().join(', ')}${more}` : `remove it${more}`;
}

function isServiceLevel(steps: readonly PathStep[]): boolean {
  return steps.length === 2 && steps[0] === 'services';
}

function checkSequence(
  node: SequenceNode,
  schema: ComposeSchema,
  steps: readonly PathStep[],
  context: SchemaContext,
): void {
  const { items } = schema;
  if (items) node.items.forEach((item, index) => check(item, items, [...steps, index], context));
  if (!schema.uniqueItems) return;
  const seen = new Map<string, number>();
  for (const [index, item] of node.items.entries()) {
    const text = canonicalJson(plainValue(item));
    const first = seen.get(text);
    if (first === undefined) seen.set(text, index);
    else {
      const place = context.document.placeOf(item, [...steps, index]);
      context.complaints.error(
        'duplicate-item',
        place,
        `the same as item ${first} of this list`,
        'remove one of the two',
      );
    }
  }
}

function checkScalar(
  node: ScalarNode,
  schema: ComposeSchema,
  steps: readonly PathStep[],
  context: SchemaContext,
): void {
  const { value } = node;
  const place = context.document.placeOf(node, steps);
  const { complaints } = context;
  if (typeof value === 'number' && !Number.isFinite(value)) {
    complaints.error('invalid-value', place, `${value} is not a number that can be used`);
  }
  if (schema.enum && !schema.enum.includes(String(value))) {
    const nearest = nearestName(String(value), schema.enum);
    const hint = nearest === undefined ? schema.enum.join(' or ') : `did you mean ${nearest}?`;
    complaints.error('invalid-value', place, `'${String(value)}' is not one of the values`, hint);
  }
  if (schema.format === 'duration' && parseDuration(String(value)) === undefined) {
    complaints.error(
      'invalid-duration',
      place,
      `'${String(value)}' is not a duration`,
      'write a number with a unit: 500ms, 10s, 1m30s',
    );
  }
  if (schema.minimum !== undefined && typeof value === 'number' && value < schema.minimum) {
    complaints.error('invalid-value', place, `${value} is less than ${schema.minimum}`);
  }
  if (node.isTime && typeof value === 'string') {
    complaints.warn(
      'ambiguous-scalar',
      place,
      `an unquoted date; it becomes the text '${value}'`,
      'put it in quotes to keep it as written',
    );
  }
}

const TYPE_NAMES: Readonly<Record<SchemaType, string>> = {
  string: 'a string',
  integer: 'an integer',
  number: 'a number',
  boolean: 'true or false',
  object: 'a mapping',
  array: 'a list',
  null: 'null',
};

function complainType(
  node: YamlNode,
  types: readonly SchemaType[],
  steps: readonly PathStep[],
  context: SchemaContext,
): void {
  const wanted = [...new Set(types)].map((type) => TYPE_NAMES[type]);
  const text =
    wanted.length === 1 ? wanted[0] : `${wanted.slice(0, -1).join(', ')} or ${wanted.at(-1)}`;
  const found = typeOf(node);
  const isQuotable = found === 'boolean' || found === 'integer' || found === 'number';
  const hint =
    isQuotable && types.includes('string')
      ? 'put it in quotes'
      : found === 'string' && (types.includes('integer') || types.includes('boolean'))
        ? 'write it without quotes'
        : undefined;
  context.complaints.error(
    'invalid-type',
    context.document.placeOf(node, steps),
    `must be ${text}, but is ${TYPE_NAMES[found]}`,
    hint,
  );
}
