/**
 * A trace as JSON: nodes and events with the options of the builders.
 *
 * `{ "name": "…", "nodes": [{ "name": "n", "count": 3, "cpus": 8 }],
 *   "events": [{ "arrive": "web", "count": 2, "cpus": 1 }, { "leave": "web.1" }] }`
 */
import { nodeOptionsOf, taskOptionsOf } from '../build/options-of.js';
import { checkOptions } from '../build/options.js';
import type { Trace } from '../replay/trace.js';
import { traceOf, type TraceEntry } from './entries.js';
import { parseLocatedJson, plainOf, type Located, type LocatedField } from './located-json.js';
import { OPTION_SHAPES } from './option-shapes.js';
import { textFault, type TextFile } from './place-in-text.js';

type Fields = ReadonlyMap<string, LocatedField>;

/**
 * Reads a trace. What a node or a task may say is what `node()` and `task()` of the builders take.
 * @throws invalid-argument as `FILE:LINE:COLUMN: what is wrong (what would be right)`.
 */
export function parseTraceJson(file: TextFile): Trace {
  const root = parseLocatedJson(file);
  const fields = fieldsOf(file, root, 'a trace');
  refuseUnknown(file, fields, ['name', 'nodes', 'events']);
  const name = fields.get('name');
  const entries = [
    ...itemsOf(file, root, 'nodes').map((item) => nodeEntry(file, item)),
    ...itemsOf(file, root, 'events').map((item) => eventEntry(file, item)),
  ];
  return traceOf(
    { path: file.path, name: name === undefined ? file.path : textIn(file, name, 'name') },
    entries,
  );
}

function nodeEntry(file: TextFile, item: Located): TraceEntry {
  const fields = fieldsOf(file, item, 'a node');
  const name = fields.get('name');
  if (name === undefined) throw textFault(file.path, item, 'a node without a name (add "name")');
  const options = optionsIn(file, fields, 'node', ['name', 'count']);
  return {
    ...placeOf(item),
    type: 'node',
    name: textIn(file, name, 'name'),
    ...countIn(file, fields),
    options: options,
  };
}

function eventEntry(file: TextFile, item: Located): TraceEntry {
  const fields = fieldsOf(file, item, 'an event');
  const [arrive, leave] = ['arrive', 'leave'].map((key) => fields.get(key));
  if ((arrive === undefined) === (leave === undefined)) {
    throw textFault(file.path, item, 'an event is { "arrive": NAME, … } or { "leave": NAME }');
  }
  const place = placeOf(item);
  if (leave !== undefined) {
    refuseUnknown(file, fields, ['leave', 'count']);
    const name = textIn(file, leave, 'leave');
    return { ...place, type: 'leave', name, ...countIn(file, fields) };
  }
  return {
    ...place,
    type: 'arrive',
    name: textIn(file, arrive as LocatedField, 'arrive'),
    ...countIn(file, fields),
    options: optionsIn(file, fields, 'task', ['arrive', 'count']),
  };
}

/** The fields that are options of the builder. */
function optionsIn(
  file: TextFile,
  fields: Fields,
  kind: 'node' | 'task',
  others: readonly string[],
): object {
  const options: Record<string, unknown> = {};
  for (const [key, { key: place, value }] of fields) {
    if (others.includes(key)) continue;
    const plain = plainOf(value);
    try {
      checkOptions(kind, { [key]: plain }, kind);
    } catch (thrown) {
      throw textFault(file.path, place, (thrown as Error).message);
    }
    const shapes: Readonly<Record<string, { words: string; holds(value: unknown): boolean }>> =
      OPTION_SHAPES[kind];
    const shape = shapes[key];
    if (shape?.holds(plain) === false) {
      throw textFault(file.path, value, `${key} must be ${shape.words}`);
    }
    options[key] = plain;
  }
  return options;
}

function fieldsOf({ path }: TextFile, value: Located, what: string): Fields {
  if (value.type === 'object') return value.fields;
  throw textFault(path, value, `expected ${what}: an object in braces`);
}

function itemsOf(file: TextFile, root: Located, key: string): readonly Located[] {
  const field = fieldsOf(file, root, 'a trace').get(key);
  if (field === undefined) throw textFault(file.path, root, `there is no "${key}" (add it)`);
  if (field.value.type === 'list') return field.value.items;
  throw textFault(file.path, field.value, `${key} must be a list`);
}

function textIn({ path }: TextFile, { value }: LocatedField, key: string): string {
  if (value.type === 'scalar' && typeof value.value === 'string') return value.value;
  throw textFault(path, value, `${key} must be a text`);
}

function countIn({ path }: TextFile, fields: Fields): { readonly count?: number } {
  const value = fields.get('count')?.value;
  if (value === undefined) return {};
  if (value.type === 'scalar' && typeof value.value === 'number') return { count: value.value };
  throw textFault(path, value, 'count must be a number');
}

function refuseUnknown({ path }: TextFile, fields: Fields, known: readonly string[]): void {
  for (const [key, field] of fields) {
    if (known.includes(key)) continue;
    throw textFault(path, field.key, `there is no '${key}' here (known: ${known.join(', ')})`);
  }
}

function placeOf({ line, column }: Located): { readonly line: number; readonly column: number } {
  return { line, column };
}

/** Writes a trace, a line for each node and event; reading it gives the same. */
export function renderTraceJson({ name, nodes, events }: Trace): string {
  const nodeLines = nodes.map((one) =>
    JSON.stringify({ name: one.meta.name, ...nodeOptionsOf(one) }),
  );
  const eventLines = events.map((event) =>
    JSON.stringify(
      event.type === 'departure'
        ? { leave: event.taskId }
        : { arrive: event.task.meta.id, ...taskOptionsOf(event.task) },
    ),
  );
  const list = (lines: readonly string[]): string =>
    lines.length === 0 ? '[]' : `[\n    ${lines.join(',\n    ')}\n  ]`;
  return (
    `{\n  "name": ${JSON.stringify(name)},\n  "nodes": ${list(nodeLines)},\n` +
    `  "events": ${list(eventLines)}\n}\n`
  );
}
