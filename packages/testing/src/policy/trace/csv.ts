/**
 * Reads and writes comma-separated values, and knows where each stood.
 *
 * **Source:** RFC 4180; empty lines and lines that begin with `#` are skipped.
 */
import { textFault, type TextFile, type TextPlace } from './place-in-text.js';

/** A value and where it begins. */
export interface Cell extends TextPlace {
  readonly text: string;
}

/**
 * The rows of a file, without empty lines and comments.
 * @throws invalid-argument with the place, for a quote that is not closed or closed too early.
 */
export function parseCsv({ path, text }: TextFile): readonly (readonly Cell[])[] {
  const rows: Cell[][] = [];
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  let lineStart = at;
  while (at < text.length) {
    if (text[at] === '#') at = endOfLine(text, at);
    const row: Cell[] = [];
    for (;;) {
      const place = { line, column: at - lineStart + 1 };
      if (text[at] === '"') {
        const quoted = readQuoted({ path, text }, at, place);
        row.push({ text: quoted.text, ...place });
        for (let inner = at; inner < quoted.end; inner += 1) {
          if (text[inner] !== '\n') continue;
          line += 1;
          lineStart = inner + 1;
        }
        at = quoted.end;
      } else {
        const end = endOfCell(text, at);
        row.push({ text: text.slice(at, end).trim(), ...place });
        at = end;
      }
      if (text[at] !== ',') break;
      at += 1;
    }
    if (row.length > 1 || row[0]?.text !== '') rows.push(row);
    if (text[at] === '\r') at += 1;
    at += 1;
    line += 1;
    lineStart = at;
  }
  return rows;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function endOfCell(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isEnd(text[at])) at += 1;
  return at;
}

function isEnd(character: string | undefined): boolean {
  return character === ',' || character === '\n' || character === '\r';
}

function readQuoted({ path, text }: TextFile, from: number, place: TextPlace) {
  let value = '';
  let at = from + 1;
  for (;;) {
    const end = text.indexOf('"', at);
    if (end < 0) throw textFault(path, place, 'the quote is not closed (write " at its end)');
    value += text.slice(at, end);
    at = end + 1;
    if (text[at] !== '"') break;
    value += '"';
    at += 1;
  }
  if (at < text.length && !isEnd(text[at])) {
    throw textFault(path, place, 'text follows the closing quote (write "" for a quote inside)');
  }
  return { text: value, end: at };
}

/** A line of values; quoted where they have to be. */
export function csvLine(values: readonly string[]): string {
  return values
    .map((value) =>
      /[",\n\r]|^[\s#]|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value,
    )
    .join(',');
}
