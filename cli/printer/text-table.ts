/** Columns are at least this wide, and so far apart: kubectl's settings of Go's tabwriter. */
const minWidth = 6;
const padding = 3;

/**
 * Aligns rows in columns as Go's tabwriter does for kubectl. The last cell of a row is never padded, and a column is as
 * wide as the widest cell that has another one behind it in a run of adjacent rows.
 */
export function alignColumns(rows: readonly (readonly string[])[], widths = columnWidths(rows)): string[] {
  return rows.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : padded(cell, widths[column] ?? 0))).join(''),
  );
}

export function columnWidths(rows: readonly (readonly string[])[], atLeast: readonly number[] = []): number[] {
  const widths: number[] = [...atLeast];
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? minWidth, characters(cell) + padding);
    });
  }
  return widths;
}

const padded = (cell: string, width: number): string => cell + ' '.repeat(Math.max(0, width - characters(cell)));

/** Characters, as Go counts them: code points. */
const characters = (text: string): number => Array.from(text).length;
