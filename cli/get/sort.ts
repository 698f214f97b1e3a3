import { parseQuantity } from '../../shared/api/quantity.js';
import { Failure } from '../cluster/failure.js';
import { JsonPath, valueText } from '../printer/jsonpath.js';
import type { Table } from '../printer/table-printer.js';

/** Sorts in place by the value at a path; objects without it come first. @throws Failure when none has it. */
export function sortObjects(objects: unknown[], sortBy: string): void {
  const path = JsonPath.parseRelaxed(sortBy);
  const keys = new Map(objects.map((object) => [object, path.find(object)[0]]));
  if (objects.length > 0 && [...keys.values()].every((key) => key === undefined)) {
    throw new Failure(`couldn't find any field with path "${braced(sortBy)}" in the list of objects`);
  }
  objects.sort((a, b) => compareValues(keys.get(a), keys.get(b)));
}

const braced = (path: string): string => (path.startsWith('{') ? path : `{${path.startsWith('.') ? '' : '.'}${path}}`);

export function sortTable(table: Table, sortBy: string): void {
  const rows = table.rows ?? [];
  const objects = rows.map((row) => row.object ?? {});
  const byObject = new Map(rows.map((row, index) => [objects[index], row]));
  sortObjects(objects, sortBy);
  table.rows = objects.flatMap((object) => byObject.get(object) ?? []);
}

function compareValues(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  return compareStrings(valueText(a), valueText(b));
}

/** Quantities by amount, all else as people count: `pod-2` before `pod-10`. */
function compareStrings(a: string, b: string): number {
  const [left, right] = [amount(a), amount(b)];
  if (left !== undefined && right !== undefined) return left < right ? -1 : left > right ? 1 : 0;
  return naturalOrder.compare(a, b);
}

const naturalOrder = new Intl.Collator('en', { numeric: true });

function amount(text: string): bigint | undefined {
  try {
    return parseQuantity(text).nanos;
  } catch {
    return undefined; // not a quantity: compared as text
  }
}
