/**
 * Text in columns.
 */

/** Options of {@link textTable}. */
export interface TextTableOptions {
  /** Blanks before every line. Default: 0. */
  readonly indent?: number;
  /** Blanks between columns. Default: 2. */
  readonly gap?: number;
  /** Columns, from 0, whose text stands at the right. Default: none. */
  readonly rightColumns?: readonly number[];
}

/**
 * Lines with the columns of the rows under each other; no blanks at the ends of lines. Rows may be
 * of
 * different lengths.
 */
export function textTable(
  rows: readonly (readonly string[])[],
  options: TextTableOptions = {},
): readonly string[] {
  const { indent = 0, gap = 2, rightColumns = [] } = options;
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
    }
  }
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const blanks = ' '.repeat((widths[column] ?? 0) - widthOf(cell));
      return rightColumns.includes(column) ? blanks + cell : cell + blanks;
    });
    return `${' '.repeat(indent)}${cells.join(' '.repeat(gap))}`.trimEnd();
  });
}

function widthOf(text: string): number {
  return [...text].length;
}
