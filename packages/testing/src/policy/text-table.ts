/**
 * Tables of plain text.
 */

/** A column: its head, and whether its values are numbers, set to the right. */
export interface Column {
  readonly head: string;
  readonly isNumber?: boolean;
}

/** Columns two spaces apart, each as wide as its widest value; no spaces at the ends of lines. */
export function textTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const widths = columns.map(({ head }, at) =>
    Math.max(head.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ isNumber }, at) => {
        const cell = cells[at] ?? '';
        const width = widths[at] ?? 0;
        return isNumber === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ head }) => head)), ...rows.map(line)].join('\n');
}
