import { getField, isObject } from '../../shared/api/json.js';
import type { Schema } from './schema.js';

/**
 * Finds, for the items of a list, the stored item that each one was: only lists of type map say which item is which.
 * Undefined: there is nothing to compare with.
 */
export function correlate(
  list: readonly unknown[],
  schema: Schema,
  old: unknown,
): ((index: number) => unknown) | undefined {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] !== 'map' || !keys || !Array.isArray(old)) return undefined;
  const before = new Map(old.map((item: unknown) => [keyOf(item, keys), item]));
  return (index) => before.get(keyOf(list[index], keys));
}

/** Identity of an item of a map list. */
export const keyOf = (item: unknown, keys: readonly string[]): string =>
  JSON.stringify(keys.map((key) => (isObject(item) ? (getField(item, key) ?? null) : null)));
