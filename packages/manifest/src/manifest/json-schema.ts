/**
 * JSON Schema of what can be written, for editors and other tools.
 */
import type { AnyKind } from '@skep/api';
import { z } from 'zod';
import { COMPOSE } from '../compose/schema.js';
import type { ComposeSchema, SchemaType } from '../compose/schema-language.js';
import { MANIFEST_KINDS } from '../kinds/built-in.js';
import { API_VERSION } from './envelope.js';

/** A JSON Schema, as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/**
 * The schema of one form: `manifest` for our own, one alternative for each kind; `compose` for
 * compose files of every version 3.x. In compose files, values that are not texts may also be texts
 * with a variable.
 */
export function toJsonSchema(
  form: 'manifest' | 'compose',
  options: { readonly kinds?: readonly AnyKind[] } = {},
): JsonSchema {
  return form === 'compose'
    ? { $schema: DIALECT, title: 'Compose file', ...composeNode(COMPOSE) }
    : manifestSchema(options.kinds ?? MANIFEST_KINDS);
}

function manifestSchema(kinds: readonly AnyKind[]): JsonSchema {
  const labels = { type: 'object', additionalProperties: { type: 'string' } };
  return {
    $schema: DIALECT,
    title: 'skep manifest',
    oneOf: kinds.map((kind) => ({
      title: kind.name,
      type: 'object',
      properties: {
        apiVersion: { const: API_VERSION },
        kind: { const: kind.name },
        metadata: {
          type: 'object',
          properties: { name: { type: 'string', minLength: 1 }, labels, annotations: labels },
          required: ['name'],
          additionalProperties: false,
        },
        spec: specSchema(kind),
      },
      required: ['apiVersion', 'kind', 'metadata'],
      additionalProperties: false,
    })),
  };
}

/**
 * The schema of a kind's spec; anything goes where its validator cannot be shown as JSON Schema.
 */
function specSchema(kind: AnyKind): JsonSchema {
  if (kind.schema?.['~standard'].vendor !== 'zod') return {};
  const schema = z.toJSONSchema(kind.schema as unknown as z.ZodType, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  });
  const { $schema, ...rest } = schema as Record<string, unknown>;
  return $schema === undefined ? schema : rest;
}

// JSON Schema's own "duration" is that of ISO 8601.
const DURATION_PATTERN = '^[-+]?(0|([0-9]*(\\.[0-9]*)?(ns|us|µs|μs|ms|s|m|h))+)$';
const VARIABLE: JsonSchema = { type: 'string', pattern: '\\$' };

function composeNode(schema: ComposeSchema): JsonSchema {
  if (schema.isFree) return {};
  const description = schema.isBeyondDocker
    ? { description: 'From the Compose specification; docker stack refuses it.' }
    : {};
  if (schema.oneOf) return { ...description, anyOf: schema.oneOf.map(composeNode) };
  const node: Record<string, unknown> = { ...description };
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length > 0) node['type'] = types.length === 1 ? types[0] : types;
  if (schema.enum) node['enum'] = schema.enum;
  if (schema.minimum !== undefined) node['minimum'] = schema.minimum;
  if (schema.format === 'duration') node['pattern'] = `${DURATION_PATTERN}|\\$`;
  if (schema.uniqueItems) node['uniqueItems'] = true;
  if (schema.items) node['items'] = composeNode(schema.items);
  if (schema.required) node['required'] = schema.required;
  if (schema.properties) node['properties'] = mapNodes(schema.properties);
  if (schema.patternProperties) node['patternProperties'] = mapNodes(schema.patternProperties);
  if (schema.additionalProperties === false) node['additionalProperties'] = false;
  return takesVariables(types) ? { anyOf: [node, VARIABLE] } : node;
}

function mapNodes(schemas: Readonly<Record<string, ComposeSchema>>): JsonSchema {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, composeNode(schema)]),
  );
}

/** Whether a text with a variable may stand in place of the value. */
function takesVariables(types: readonly SchemaType[]): boolean {
  const isPlain = types.some((type) => ['integer', 'number', 'boolean'].includes(type));
  return isPlain && !types.includes('string');
}
