/**
 * A trace as comma-separated values: one file with a line for each node, arrival and departure.
 */
import { SkepError, type Labels } from '@skep/api';
import { nodeOptionsOf, taskOptionsOf } from '../build/options-of.js';
import type { NodeOptions, TaskOptions } from '../build/options.js';
import type { Trace } from '../replay/trace.js';
import { csvLine, parseCsv, type Cell } from './csv.js';
import { traceOf, type TraceEntry } from './entries.js';
import { textFault, type TextFile } from './place-in-text.js';

/** The columns that there are. A file names those that it uses in its first line, in any order. */
export const TRACE_COLUMNS = Object.freeze([
  'event',
  'name',
  'count',
  'cpus',
  'memory',
  'gpus',
  'models',
  'labels',
  'service',
  'constraints',
  'spread',
  'maxPerNode',
] as const);

type ColumnName = (typeof TRACE_COLUMNS)[number];
type Row = ReadonlyMap<ColumnName, Cell>;

/** Columns that a line of the kind may not fill in. */
const FOREIGN: Readonly<Record<TraceEntry['type'], readonly ColumnName[]>> = {
  node: ['service', 'constraints', 'spread', 'maxPerNode'],
  arrive: ['labels'],
  leave: [
    'cpus',
    'memory',
    'gpus',
    'models',
    'labels',
    'service',
    'constraints',
    'spread',
    'maxPerNode',
  ],
};

/**
 * Reads a trace. The first line names the columns; a cell may be empty, and those at the end of a
 * line may be left out. In a cell with several values they are parted by spaces (`labels`,
 * `spread`), `|` (`models`) or `;` (`constraints`).
 *
 * @throws invalid-argument as `FILE:LINE:COLUMN: what is wrong (what would be right)`.
 */
export function parseTraceCsv(file: TextFile, name = file.path): Trace {
  const [head, ...lines] = parseCsv(file);
  if (head === undefined) throw textFault(file.path, { line: 1, column: 1 }, 'the file is empty');
  const columns = head.map((cell) => columnOf(file, cell));
  for (const [at, cell] of head.entries()) {
    if (columns.indexOf(columnOf(file, cell)) === at) continue;
    throw textFault(file.path, cell, `the column '${cell.text}' is there twice (keep one)`);
  }
  for (const needed of ['event', 'name'] as const) {
    if (columns.includes(needed)) continue;
    throw textFault(file.path, { line: 1, column: 1 }, `there is no column '${needed}' (add it)`);
  }
  const entries = lines.map((cells) => entryOf(file, rowOf(file, columns, cells)));
  return traceOf({ path: file.path, name }, entries);
}

function columnOf({ path }: TextFile, cell: Cell): ColumnName {
  const found = TRACE_COLUMNS.find((column) => column === cell.text);
  if (found !== undefined) return found;
  const known = TRACE_COLUMNS.join(', ');
  throw textFault(path, cell, `there is no column '${cell.text}' (known: ${known})`);
}

function rowOf({ path }: TextFile, columns: readonly ColumnName[], cells: readonly Cell[]): Row {
  const row = new Map<ColumnName, Cell>();
  for (const [at, cell] of cells.entries()) {
    const column = columns[at];
    if (column === undefined) {
      if (cell.text === '') continue;
      throw textFault(path, cell, `the first line has ${columns.length} columns (remove this one)`);
    }
    if (cell.text !== '' || column === 'event' || column === 'name') row.set(column, cell);
  }
  return row;
}

function entryOf(file: TextFile, row: Row): TraceEntry {
  const event = row.get('event') as Cell;
  const { line, column } = event;
  const type = event.text;
  if (type !== 'node' && type !== 'arrive' && type !== 'leave') {
    throw textFault(file.path, event, `'${type}' is no event (write node, arrive or leave)`);
  }
  for (const foreign of FOREIGN[type]) {
    const cell = row.get(foreign);
    if (cell === undefined) continue;
    throw textFault(file.path, cell, `${foreign} means nothing here (leave it empty)`);
  }
  const count = numberIn(file, row, 'count');
  const named = {
    line,
    column,
    name: row.get('name')?.text ?? '',
    ...(count === undefined ? {} : { count }),
  };
  if (type === 'leave') return { ...named, type };
  const cpus = numberIn(file, row, 'cpus');
  const memory = row.get('memory')?.text;
  const common = {
    ...(cpus === undefined ? {} : { cpus }),
    ...(memory === undefined ? {} : { memory: /^\d+$/.test(memory) ? Number(memory) : memory }),
  };
  if (type === 'node') return { ...named, type, options: { ...common, ...nodeCells(file, row) } };
  return { ...named, type, options: { ...common, ...taskCells(file, row) } };
}

function numberIn({ path }: TextFile, row: Row, column: ColumnName): number | undefined {
  const cell = row.get(column);
  if (cell === undefined) return undefined;
  const value = Number(cell.text);
  if (Number.isFinite(value)) return value;
  throw textFault(path, cell, `${column} is '${cell.text}' (write a number)`);
}

function nodeCells(file: TextFile, row: Row): NodeOptions {
  const gpus = numberIn(file, row, 'gpus');
  const model = row.get('models');
  const labels = row.get('labels');
  if (model !== undefined && gpus === undefined) {
    throw textFault(file.path, model, 'models without gpus (say how many GPUs there are)');
  }
  return {
    ...(gpus === undefined
      ? {}
      : { gpus: model === undefined ? gpus : { count: gpus, model: model.text } }),
    ...(labels === undefined ? {} : { labels: labelsIn(file, labels) }),
  };
}

function labelsIn({ path }: TextFile, cell: Cell): Labels {
  return Object.fromEntries(
    cell.text.split(/\s+/).map((pair) => {
      const at = pair.indexOf('=');
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      throw textFault(path, cell, `'${pair}' is no label (write zone=a)`);
    }),
  );
}

function taskCells(file: TextFile, row: Row): TaskOptions {
  const gpus = numberIn(file, row, 'gpus');
  const models = row.get('models');
  const maxPerNode = numberIn(file, row, 'maxPerNode');
  const service = row.get('service')?.text;
  const constraints = row.get('constraints')?.text.split(';');
  const spread = row.get('spread')?.text.split(/\s+/);
  if (models !== undefined && gpus === undefined) {
    throw textFault(file.path, models, 'models without gpus (say how many GPUs it needs)');
  }
  return {
    ...(service === undefined ? {} : { service }),
    ...(gpus === undefined ? {} : { gpus: gpuDemand(gpus, models?.text) }),
    ...(constraints === undefined ? {} : { constraints: constraints.map((text) => text.trim()) }),
    ...(spread === undefined ? {} : { spread }),
    ...(maxPerNode === undefined ? {} : { maxPerNode }),
  };
}

function gpuDemand(gpus: number, models: string | undefined): NonNullable<TaskOptions['gpus']> {
  if (models === undefined) return gpus;
  const list = models.split('|').map((model) => model.trim());
  if (gpus > 0 && gpus < 1) return { count: 1, milli: Math.round(gpus * 1000), models: list };
  return { count: gpus, models: list };
}

/**
 * Writes a trace, so that reading it gives the same nodes and events.
 * @throws invalid-argument for what no column can say; JSON can.
 */
export function renderTraceCsv({ nodes, events }: Trace): string {
  const rows = [
    ...nodes.map((one) => [
      'node',
      one.meta.name,
      ...nodeValues(one.meta.name, nodeOptionsOf(one)),
    ]),
    ...events.map((event) => {
      if (event.type === 'departure') return ['leave', event.taskId];
      const { id } = event.task.meta;
      return ['arrive', id, ...taskValues(id, taskOptionsOf(event.task))];
    }),
  ];
  return [TRACE_COLUMNS, ...rows].map((row) => `${trimmedLine(row)}\n`).join('');
}

function trimmedLine(values: readonly string[]): string {
  return csvLine(values).replace(/,+$/, '');
}

function nodeValues(name: string, options: NodeOptions): readonly string[] {
  const { cpus, memory, gpus, labels = {}, address: _address, ...others } = options;
  refuseOthers(`the node ${name}`, others);
  const { count, model, capacityMilli } = typeof gpus === 'object' ? gpus : { count: gpus };
  if (capacityMilli !== undefined) refuseOthers(`the node ${name}`, { capacityMilli });
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (pairs.some((pair) => /\s/.test(pair))) refuseOthers(`the node ${name}`, { labels });
  return ['', textOf(cpus), textOf(memory), textOf(count), model ?? '', pairs.join(' ')];
}

function taskValues(name: string, options: TaskOptions): readonly string[] {
  const { cpus, memory, gpus, service, constraints, spread, maxPerNode, ...rest } = options;
  // The slot is of no matter to a task that arrives alone.
  const { slot: _slot, on: _on, ...others } = rest;
  refuseOthers(`the task ${name}`, others);
  return [
    '',
    textOf(cpus),
    textOf(memory),
    ...gpuValues(name, gpus),
    '',
    service ?? '',
    [constraints ?? []].flat().join(';'),
    [spread ?? []].flat().join(' '),
    textOf(maxPerNode),
  ];
}

function gpuValues(name: string, gpus: TaskOptions['gpus']): readonly [string, string] {
  if (typeof gpus !== 'object') return [textOf(gpus), ''];
  const { count, milli = 1000, models = [] } = gpus;
  if (gpus.milli === undefined) return [String(count), models.join('|')];
  if (count > 1 || milli >= 1000) refuseOthers(`the task ${name}`, { gpus });
  return [String(milli / 1000), models.join('|')];
}

function refuseOthers(what: string, others: object): void {
  const [key] = Object.keys(others);
  if (key === undefined) return;
  throw new SkepError('invalid-argument', `${what} has '${key}', which no column says; write JSON`);
}

function textOf(value: string | number | undefined): string {
  return value === undefined ? '' : String(value);
}
