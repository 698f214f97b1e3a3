import { objectName, type ResourceType } from '../resource-mapper.js';
import type { AnyMetadata } from '../server-api.js';
import { alignColumns, columnWidths } from './text-table.js';

/** The API's Table. */
export interface Table {
  columnDefinitions?: { name: string; type: string; format?: string; priority: number }[];
  rows?: TableRow[];
  metadata: { resourceVersion: string; continue?: string };
}
export interface TableRow {
  cells: unknown[];
  object?: { apiVersion?: string; kind?: string; metadata?: AnyMetadata };
}

export interface TableOptions {
  readonly wide: boolean;
  readonly headers: boolean;
  readonly withNamespace: boolean;
  readonly withKind: boolean;
  readonly showLabels: boolean;
  /** Labels shown as columns of their own. */
  readonly labelColumns: readonly string[];
  /** Column in front, for watch events. */
  readonly eventColumn?: boolean;
}

/** Prints Tables of one type under each other: the head once, and columns never narrower than before. */
export class TablePrinter {
  readonly #options: TableOptions;
  readonly #type: ResourceType;
  #columns: readonly { index: number; name: string }[] = [];
  #widths: number[] = [];
  #hasHead = false;

  constructor(type: ResourceType, options: TableOptions) {
    this.#type = type;
    this.#options = options;
  }

  /** Lines for a table; in a watch, tables after the first come without columns and are read by those of the first. */
  print(table: Table, event?: string): string[] {
    if (table.columnDefinitions && table.columnDefinitions.length > 0) {
      this.#columns = table.columnDefinitions
        .map(({ name, priority }, index) => ({ name, index, priority }))
        .filter(({ priority }) => priority === 0 || this.#options.wide);
    }
    const rows = (table.rows ?? []).map((row) => this.#row(row, event));
    if (rows.length > 0 && this.#options.headers && !this.#hasHead) rows.unshift(this.#head());
    this.#hasHead ||= rows.length > 0;
    this.#widths = columnWidths(rows, this.#widths);
    return alignColumns(rows, this.#widths);
  }

  #head(): string[] {
    const { withNamespace, showLabels, labelColumns, eventColumn } = this.#options;
    return [
      ...(eventColumn ? ['EVENT'] : []),
      ...(withNamespace ? ['NAMESPACE'] : []),
      ...this.#columns.map(({ name }) => name.toUpperCase()),
      ...labelColumns.map((label) => (label.split('/').at(-1) ?? label).toUpperCase()),
      ...(showLabels ? ['LABELS'] : []),
    ];
  }

  #row(row: TableRow, event: string | undefined): string[] {
    const { withNamespace, withKind, showLabels, labelColumns, eventColumn } = this.#options;
    const metadata = row.object?.metadata;
    const labels = metadata?.labels ?? {};
    const cells = this.#columns.map(({ index, name }) => {
      const text = cellText(row.cells[index]);
      return withKind && index === 0 && name === 'Name' ? objectName(this.#type, text) : text;
    });
    return [
      // kubectl pads the words to the longest that is common.
      ...(eventColumn ? [(event ?? '').padEnd(8)] : []),
      ...(withNamespace ? [metadata?.namespace ?? ''] : []),
      ...cells,
      ...labelColumns.map((label) => labels[label] ?? ''),
      ...(showLabels ? [labelsText(labels)] : []),
    ];
  }
}

/** A cell is one line: kubectl cuts at the first line break and says so. */
function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '<none>';
  const text =
    typeof cell === 'string' ? cell : typeof cell === 'object' ? JSON.stringify(cell) : String(cell as number);
  const end = text.search(/[\f\n\r]/);
  return escapeTerminal(end < 0 ? text : `${text.slice(0, end)}...`);
}

/** Control characters of an object must not reach the person's terminal. */
// eslint-disable-next-line no-control-regex
const escapeTerminal = (text: string): string => text.replaceAll('\u001b', '^[');

function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? '<none>' : entries.map(([key, value]) => `${key}=${value}`).join(',');
}
