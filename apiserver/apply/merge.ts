import { isObject, setField, type JsonObject } from '../../shared/api/json.js';
import { deduced, typeFor, type ListType, type SchemaType, type StructType } from '../schema/schema-type.js';
import { emptySet, getChild, isMember, type FieldSet } from './field-set.js';
import { itemElement, itemsByElement } from './list-items.js';

/** The live object with an applied configuration laid over it: atomic values are replaced, the others merge. */
export function mergeConfig(live: JsonObject, config: JsonObject, type: StructType): JsonObject {
  return mergeObjects(live, config, type);
}

const fieldType = (type: SchemaType, name: string): SchemaType =>
  type.kind === 'map' ? type.values : ((type.kind === 'struct' ? type.fields.get(name)?.type : undefined) ?? deduced);

function mergeObjects(live: JsonObject, config: JsonObject, type: SchemaType): JsonObject {
  const result: JsonObject = {};
  for (const name of Object.keys(live)) {
    const value = Object.hasOwn(config, name)
      ? mergeValues(live[name], config[name], fieldType(type, name))
      : live[name];
    setField(result, name, value);
  }
  for (const name of Object.keys(config)) if (!Object.hasOwn(live, name)) setField(result, name, config[name]);
  return result;
}

function mergeValues(live: unknown, config: unknown, given: SchemaType): unknown {
  const type = typeFor(live, given);
  if (type.kind === 'list' && type.listType !== 'atomic' && Array.isArray(live)) {
    if (config === null && live.length > 0) return live;
    return Array.isArray(config) ? mergeLists(live, config, type) : config;
  }
  if ((type.kind !== 'struct' && type.kind !== 'map') || type.mapType === 'atomic' || !isObject(live)) return config;
  // A null says as little of the members as an empty object.
  if (config === null && Object.keys(live).length > 0) return live;
  return isObject(config) ? mergeObjects(live, config, type) : config;
}

/** The configuration's order holds among its own items; the other items stay in front of the item that they preceded. */
function mergeLists(live: readonly unknown[], config: readonly unknown[], type: ListType): unknown[] {
  const wanted = [...itemsByElement(config, type)];
  const places = new Map(wanted.map(([element], index) => [element, index]));
  const olds = itemsByElement(live, type);
  const result: unknown[] = [];
  let next = 0;
  const placeUntil = (end: number): void => {
    for (; next < end; next++) {
      const [element, items] = wanted[next] ?? ['', []];
      const old = olds.get(element);
      result.push(...items.map((item) => (old ? mergeValues(old[0], item, type.items) : item)));
    }
  };
  for (const [element, items] of olds) {
    const place = places.get(element);
    if (place === undefined) result.push(...items);
    else placeUntil(place + 1);
  }
  placeUntil(wanted.length);
  return result;
}

/** What a container holds after pruning: one that has lost everything in it is null, as in the original. */
const unlessEmptied = <T extends object>(before: T, after: T): T | null =>
  Object.keys(before).length > 0 && Object.keys(after).length === 0 ? null : after;

/**
 * Takes out of a merged object what its applier applied last time and nobody owns any more. A list item or map key goes
 * with everything in it unless somebody owns it; a struct goes when nobody owns anything in it.
 * @param last what the applier owned until now
 * @param owned what all managers own from now on
 */
export function pruneUnowned(merged: JsonObject, type: StructType, last: FieldSet, owned: FieldSet): JsonObject {
  return pruneObject(merged, type, last, owned);
}

/** Structs are owned through what is below them, map keys and list items by themselves. */
const claims = (node: FieldSet | undefined, isStructField: boolean): boolean =>
  node !== undefined && (isStructField || isMember(node));

function pruneObject(object: JsonObject, type: SchemaType, last: FieldSet, owned: FieldSet): JsonObject {
  const result: JsonObject = {};
  const isStruct = type.kind === 'struct';
  for (const name of Object.keys(object)) {
    const element = `f:${name}`;
    const before = getChild(last, element);
    const now = getChild(owned, element);
    if (claims(before, isStruct) && !claims(now, isStruct)) continue;
    const value = object[name];
    setField(result, name, before ? pruneValue(value, fieldType(type, name), before, now ?? emptySet) : value);
  }
  return result;
}

function pruneValue(value: unknown, given: SchemaType, last: FieldSet, owned: FieldSet): unknown {
  const type = typeFor(value, given);
  if (type.kind === 'list' && type.listType !== 'atomic' && Array.isArray(value)) {
    return unlessEmptied(value, pruneList(value, type, last, owned));
  }
  const isGranular = (type.kind === 'struct' || type.kind === 'map') && type.mapType === 'granular';
  return isGranular && isObject(value) ? unlessEmptied(value, pruneObject(value, type, last, owned)) : value;
}

function pruneList(list: readonly unknown[], type: ListType, last: FieldSet, owned: FieldSet): unknown[] {
  const result: unknown[] = [];
  list.forEach((item, index) => {
    const element = itemElement(item, index, type);
    const before = getChild(last, element);
    const now = getChild(owned, element);
    if (claims(before, false) && !claims(now, false)) return;
    result.push(before ? pruneValue(item, type.items, before, now ?? emptySet) : item);
  });
  return result;
}
