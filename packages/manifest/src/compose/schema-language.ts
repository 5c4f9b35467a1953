/**
 * The part of JSON Schema in which the compose format is written down, with two notes of our own:
 * since which 3.x a field exists, and whether only the Compose specification knows it.
 */

/** Types of values, by their names in JSON Schema. */
export type SchemaType = 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array' | 'null';

/** A schema. Absent fields do not restrict. */
export interface ComposeSchema {
  readonly type?: SchemaType | readonly SchemaType[];
  readonly properties?: Readonly<Record<string, ComposeSchema>>;
  /** Keys of this form: `^x-` for extension fields, or the names of services and so on. */
  readonly patternProperties?: Readonly<Record<string, ComposeSchema>>;
  /** Default true, as in JSON Schema: keys that are not listed are accepted (and warned about). */
  readonly additionalProperties?: boolean;
  readonly required?: readonly string[];
  readonly items?: ComposeSchema;
  readonly uniqueItems?: boolean;
  /** Branches of different types: the value's type chooses one. */
  readonly oneOf?: readonly ComposeSchema[];
  readonly enum?: readonly string[];
  readonly format?: 'duration';
  readonly minimum?: number;
  readonly description?: string;
  /** Minor of the 3.x version that brought the field. */
  readonly since?: number;
  /** Known to the Compose specification, refused by `docker stack`. */
  readonly isBeyondDocker?: boolean;
  /** Every key and value is fine here, and nobody looks at it. */
  readonly isFree?: boolean;
}

/** A schema for one type. */
export function typed(...type: readonly SchemaType[]): ComposeSchema {
  const [only] = type;
  return type.length === 1 && only !== undefined ? { type: only } : { type };
}

/** The field exists since 3.`minor`. */
export function since(minor: number, schema: ComposeSchema): ComposeSchema {
  return { ...schema, since: minor };
}

/** The field is the Compose specification's, not `docker stack`'s. */
export function beyondDocker(schema: ComposeSchema): ComposeSchema {
  return { ...schema, isBeyondDocker: true };
}

/** A mapping with these keys and no others. */
export function closed(
  properties: Readonly<Record<string, ComposeSchema>>,
  more: Partial<ComposeSchema> = {},
): ComposeSchema {
  return { type: 'object', properties, additionalProperties: false, ...more };
}

/** A mapping that must be given these keys' types, and may have others that are ignored. */
export function open(properties: Readonly<Record<string, ComposeSchema>>): ComposeSchema {
  return { type: 'object', properties };
}

/** A choice by type. */
export function either(...branches: readonly ComposeSchema[]): ComposeSchema {
  return { oneOf: branches };
}

/** A list of values of one schema. */
export function listOf(items: ComposeSchema, isUnique = false): ComposeSchema {
  return isUnique ? { type: 'array', items, uniqueItems: true } : { type: 'array', items };
}

/** A mapping from any key to values of one schema. */
export function mapOf(values: ComposeSchema): ComposeSchema {
  return { type: 'object', patternProperties: { '^.+$': values } };
}

/** A text. */
export const TEXT: ComposeSchema = typed('string');
/** A whole number. */
export const INTEGER: ComposeSchema = typed('integer');
/** A number. */
export const NUMBER: ComposeSchema = typed('number');
/** True or false. */
export const BOOLEAN: ComposeSchema = typed('boolean');
/** A duration such as `1m30s`. */
export const DURATION: ComposeSchema = { type: 'string', format: 'duration' };
/** A list of different texts. */
export const TEXTS: ComposeSchema = listOf(TEXT, true);
/** A text, or a list of different texts. */
export const TEXT_OR_TEXTS: ComposeSchema = either(TEXT, TEXTS);
/** A command: a line for the shell's rules of quoting, or its words. */
export const COMMAND: ComposeSchema = either(TEXT, listOf(TEXT));
/** `KEY: value`, or a list of `KEY=value`. */
export const LIST_OR_MAP: ComposeSchema = either(
  {
    type: 'object',
    patternProperties: { '.+': typed('string', 'number', 'null') },
    additionalProperties: false,
  },
  TEXTS,
);
/** Options of a driver. */
export const DRIVER_OPTIONS: ComposeSchema = mapOf(typed('string', 'number'));
/** Extension fields: keys that begin with `x-`. */
export const EXTENSIONS: Readonly<Record<string, ComposeSchema>> = {
  '^x-': { since: 7, isFree: true },
};
