/**
 * Comma separated values with a header line (RFC 4180), with errors that name the line.
 */
import { SkepError } from '@skep/api';

/** One line of a table: its fields by the names of the header. */
export interface CsvRow {
  /** Line in the text, from 1. */
  readonly line: number;
  /** The field, trimmed; undefined when the table has no such column. */
  text(column: string): string | undefined;
  /**
   * The field as a number not below 0.
   * @throws SkepError invalid-argument when it is none, or the table has no such column.
   */
  amount(column: string): number;
}

/** A table with the columns it must have. */
export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
}

/**
 * Reads a table. Empty lines are skipped.
 * @param source - what the table is, for messages: `nodes`.
 * @throws SkepError invalid-argument for a missing column, a line with another number of fields, or
 * an open quote.
 */
export function parseCsv(source: string, text: string, required: readonly string[]): CsvTable {
  const records = recordsOf(source, text);
  const [header, ...others] = records;
  const columns = (header?.fields ?? []).map((field) => field.trim().replace(/^\uFEFF/, ''));
  const missing = required.filter((column) => !columns.includes(column));
  if (missing.length > 0) {
    throw fault(source, 1, `no column '${missing[0]}'; it needs ${required.join(', ')}`);
  }
  const rows = others.map(({ line, fields }): CsvRow => {
    if (fields.length !== columns.length) {
      throw fault(source, line, `${fields.length} fields, where the header has ${columns.length}`);
    }
    return new Row(source, line, new Map(columns.map((column, at) => [column, fields[at] ?? ''])));
  });
  return { columns, rows };
}

/** A fault of a table: `nodes, line 3: …`. */
export function fault(source: string, line: number, what: string): SkepError {
  return new SkepError('invalid-argument', `${source}, line ${line}: ${what}`);
}

class Row implements CsvRow {
  readonly line: number;
  readonly #source: string;
  readonly #fields: ReadonlyMap<string, string>;

  constructor(source: string, line: number, fields: ReadonlyMap<string, string>) {
    this.#source = source;
    this.line = line;
    this.#fields = fields;
  }

  text(column: string): string | undefined {
    return this.#fields.get(column)?.trim();
  }

  amount(column: string): number {
    const text = this.text(column) ?? '';
    const value = Number(text);
    if (text === '' || !Number.isFinite(value) || value < 0) {
      throw fault(this.#source, this.line, `${column} is '${text}', not a number from 0`);
    }
    return value;
  }
}

interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

function recordsOf(source: string, text: string): readonly CsvRecord[] {
  // Most files quote nothing, and can be cut where the commas are.
  if (!text.includes('"')) {
    return text.split(/\r?\n/).flatMap((row, at): readonly CsvRecord[] => {
      return row.trim() === '' ? [] : [{ line: at + 1, fields: row.split(',') }];
    });
  }
  return quotedRecords(source, text);
}

function quotedRecords(source: string, text: string): readonly CsvRecord[] {
  const records: CsvRecord[] = [];
  let fields: string[] = [];
  let line = 1;
  let start = 1;
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (match === null)
      throw fault(source, line, 'a quote is not closed, or stands inside a field');
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    line += match[0].split('\n').length - 1;
    if (match[3] === ',' && field.lastIndex < text.length) continue;
    if (match[3] === ',') fields.push('');
    if (fields.length > 1 || fields[0]?.trim() !== '') records.push({ line: start, fields });
    fields = [];
    start = line;
  }
  return records;
}
