/**
 * Lists as tables: a line of column names, then a line for each thing. Every complaint has the
 * place of the cell, and what would be right.
 */
import type { SkepError } from '@skep/api';
import { parseCsv, type Cell } from '../trace/csv.js';
import { textFault, type TextFile, type TextPlace } from '../trace/place-in-text.js';

/** One line of a table: its cells by the names of the columns. */
export class TableRow {
  readonly #path: string;
  readonly #start: TextPlace;
  readonly #cells: ReadonlyMap<string, Cell>;

  /** Cells by column; those left out at the end of the line are missing. */
  constructor(path: string, start: TextPlace, cells: ReadonlyMap<string, Cell>) {
    this.#path = path;
    this.#start = start;
    this.#cells = cells;
  }

  /** The value; empty when the table or the line has none. */
  text(column: string): string {
    return this.#cells.get(column)?.text.trim() ?? '';
  }

  /** @throws invalid-argument for an empty value. */
  name(column: string): string {
    const text = this.text(column);
    if (text === '') throw this.fault(column, `${column} is empty (write a name)`);
    return text;
  }

  /** @throws invalid-argument for what is no number from 0. */
  amount(column: string): number {
    const text = this.text(column);
    const value = Number(text);
    if (text !== '' && Number.isFinite(value) && value >= 0) return value;
    throw this.fault(column, `${column} is '${text}' (write a number from 0)`);
  }

  /** @throws invalid-argument for what is no whole number from 0. */
  whole(column: string): number {
    const value = this.amount(column);
    if (Number.isSafeInteger(value)) return value;
    throw this.fault(column, `${column} is ${value} (write a whole number)`);
  }

  /** A complaint about the value, or about the line if it has none. */
  fault(column: string, what: string): SkepError {
    return textFault(this.#path, this.#cells.get(column) ?? this.#start, what);
  }
}

/**
 * Reads a table. Columns may stand in any order; those that nobody asks for are not looked at, and
 * cells at the end of a line may be left out.
 * @throws invalid-argument as `FILE:LINE:COLUMN: what is wrong (what would be right)`.
 */
export function parseTable(
  file: TextFile,
  needs: { readonly columns: readonly string[]; readonly thing: string },
): readonly TableRow[] {
  const { path } = file;
  const start = { line: 1, column: 1 };
  const [head, ...lines] = parseCsv(file);
  if (head === undefined) throw textFault(path, start, 'the file is empty');
  const columns = head.map(({ text }) => text.trim());
  for (const [at, cell] of head.entries()) {
    if (columns.indexOf(columns[at] ?? '') === at) continue;
    throw textFault(path, cell, `the column '${cell.text}' is there twice (keep one)`);
  }
  for (const needed of needs.columns) {
    if (columns.includes(needed)) continue;
    const all = needs.columns.join(', ');
    throw textFault(path, start, `there is no column '${needed}' (it needs ${all})`);
  }
  if (lines.length === 0) throw textFault(path, start, `there is no ${needs.thing} (add a line)`);
  return lines.map((cells) => rowOf(path, columns, cells));
}

function rowOf(path: string, columns: readonly string[], cells: readonly Cell[]): TableRow {
  const row = new Map<string, Cell>();
  for (const [at, cell] of cells.entries()) {
    const column = columns[at];
    if (column !== undefined) row.set(column, cell);
    else if (cell.text !== '') {
      throw textFault(path, cell, `the first line has ${columns.length} columns (remove this one)`);
    }
  }
  return new TableRow(path, cells[0] ?? { line: 1, column: 1 }, row);
}
