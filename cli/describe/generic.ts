import type { AnyObject } from '../server-api.js';
import { addAnnotations, addLabels, sortedEntries } from './format.js';
import type { Lines } from './lines.js';

const skipped = new Set([
  '.apiVersion',
  '.kind',
  '.metadata.managedFields',
  '.metadata.name',
  '.metadata.namespace',
  '.metadata.labels',
  '.metadata.annotations',
]);

/** Any object: its fields in alphabetical order, with spelled-out names. */
export function describeGeneric(lines: Lines, object: AnyObject, isNamespaced: boolean): void {
  const { metadata } = object;
  lines.add(0, 'Name:', metadata.name ?? '');
  lines.add(0, 'Namespace:', isNamespaced ? (metadata.namespace ?? '') : '');
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
  lines.add(0, 'API Version:', object.apiVersion);
  lines.add(0, 'Kind:', object.kind);
  addFields(lines, object, 0, '');
}

function addFields(lines: Lines, fields: object, level: number, path: string): void {
  for (const [key, value] of sortedEntries(fields as Record<string, unknown>)) {
    const here = `${path}.${key}`;
    if (skipped.has(here)) continue;
    const title = `${spelledOut(key)}:`;
    if (Array.isArray(value)) addItems(lines, value, { level, path: here, title });
    else if (typeof value === 'object' && value !== null) {
      lines.add(level, title);
      addFields(lines, value, level + 1, here);
    } else {
      lines.add(level, title, scalar(value));
    }
  }
}

function addItems(
  lines: Lines,
  items: readonly unknown[],
  { level, path, title }: { level: number; path: string; title: string },
): void {
  lines.add(level, title);
  for (const item of items) {
    if (typeof item === 'object' && item !== null) addFields(lines, item, level + 1, path);
    else lines.add(level + 1, scalar(item));
  }
}

const scalar = (value: unknown): string =>
  value === null || value === undefined ? '<nil>' : typeof value === 'string' ? value : JSON.stringify(value);

const acronyms = new Set(['API', 'URL', 'UID', 'OSB', 'GUID']);

/** `leaseDurationSeconds` as `Lease Duration Seconds`. */
function spelledOut(field: string): string {
  const words = field.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^A-Za-z\d]+/g) ?? [field];
  return words
    .map((word) => (acronyms.has(word.toUpperCase()) ? word.toUpperCase() : word[0]?.toUpperCase() + word.slice(1)))
    .join(' ');
}
