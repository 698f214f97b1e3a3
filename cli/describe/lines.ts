/** Builds the text of `describe`: indented lines whose cells are aligned as Go's tabwriter does for kubectl. */
export class Lines {
  readonly #lines: string[][] = [];
  /** Levels that every line is moved by. */
  readonly #base: number;

  constructor(base = 0) {
    this.#base = base;
  }

  /** One line; `level` indents by two spaces each. A trailing empty cell keeps its column's width. */
  add(level: number, ...cells: string[]): void {
    const [first = '', ...rest] = cells;
    this.#lines.push(['  '.repeat(level + this.#base) + first, ...rest]);
  }

  /** `Key:  first`, and further values under it; `none` where there are none. */
  addList(level: number, key: string, values: readonly string[], none = '<none>'): void {
    const [first = none, ...rest] = values;
    this.add(level, key, first);
    for (const value of rest) this.add(level, '', value);
  }

  blank(): void {
    this.#lines.push(['']);
  }

  /** Cells aligned. Ends with a line break. */
  text(): string {
    return alignBlocks(this.#lines);
  }

  /** Cells with tabs between them. */
  rawText(): string {
    return this.#lines.map((cells) => `${cells.join('\t')}\n`).join('');
  }
}

const padding = 2;

/**
 * Go's elastic tabs: a cell with another one behind it is as wide as the widest such cell of its column in the run of adjacent lines
 * that have it.
 */
function alignBlocks(lines: readonly (readonly string[])[]): string {
  const widths: number[][] = lines.map(() => []);
  const align = (from: number, to: number, column: number): void => {
    for (let start = from; start < to;) {
      if ((lines[start]?.length ?? 0) <= column + 1) {
        start++;
        continue;
      }
      let end = start;
      while (end < to && (lines[end]?.length ?? 0) > column + 1) end++;
      const cells = lines.slice(start, end).map((cellsOfLine) => cellsOfLine[column] ?? '');
      const width = Math.max(...cells.map((cell) => Array.from(cell).length)) + padding;
      for (let line = start; line < end; line++) widths[line]?.push(width);
      align(start, end, column + 1);
      start = end;
    }
  };
  align(0, lines.length, 0);
  return lines
    .map((cells, line) =>
      cells
        .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[line]?.[column] ?? 0) - Array.from(cell).length)))
        .join(''),
    )
    .map((text) => `${text}\n`)
    .join('');
}
