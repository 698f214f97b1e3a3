import { getField, isObject } from '../../shared/api/json.js';
import type { ListType } from '../schema/schema-type.js';

/** Path element that identifies an item of a set or map list, as managedFields spell it. */
export function itemElement(item: unknown, index: number, type: ListType): string {
  if (type.listType === 'set') return `v:${JSON.stringify(item)}`;
  if (!isObject(item)) return `i:${index}`;
  let element = '';
  for (const name of type.keys) {
    const value = getField(item, name) ?? type.keyDefaults[name];
    if (value !== undefined) element += `${element === '' ? '' : ','}${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  // Without any key an item is known by its place only.
  return element === '' ? `i:${index}` : `k:{${element}}`;
}

/** Items by element, in order. Items that share an element are kept together. */
export function itemsByElement(list: readonly unknown[], type: ListType): Map<string, unknown[]> {
  const items = new Map<string, unknown[]>();
  for (let index = 0; index < list.length; index++) {
    const element = itemElement(list[index], index, type);
    const group = items.get(element);
    if (group) group.push(list[index]);
    else items.set(element, [list[index]]);
  }
  return items;
}
