/**
 * A description as text: names and values, and sections of lines below them.
 */
import { textTable } from '@skep/network';

/** A name and what it is; undefined is left out, several lines stand under each other. */
export type Entry = readonly [name: string, value: string | readonly string[] | undefined];

/** Lines under a title; without any it is left out. */
export interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

const INDENT = '  ';

/** Entries with their values under each other, then the sections; each line ended by a feed. */
export function renderSheet(entries: readonly Entry[], sections: readonly Section[]): string {
  const lines = [
    ...entryLines(entries),
    ...sections
      .filter(({ lines: inner }) => inner.length > 0)
      .flatMap(({ title, lines: inner }) => [
        `${title}:`,
        ...inner.map((line) => `${INDENT}${line}`.trimEnd()),
      ]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Entries as lines. */
export function entryLines(entries: readonly Entry[]): readonly string[] {
  const rows = entries.flatMap(([name, value]) => {
    if (value === undefined) return [];
    const [first = '', ...rest] = typeof value === 'string' ? value.split('\n') : value;
    return [[`${name}:`, first || '-'], ...rest.map((line) => ['', line])];
  });
  return textTable(rows);
}

/** A table as the lines of a section; none without rows. */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  return rows.length === 0 ? [] : textTable([head, ...rows], { gap: 3 });
}
