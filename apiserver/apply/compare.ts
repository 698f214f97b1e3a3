import { equalJson, isObject, type JsonObject } from '../../shared/api/json.js';
import {
  deduced,
  typeFor,
  type ListType,
  type MapType,
  type SchemaType,
  type StructType,
} from '../schema/schema-type.js';
import { emptySet, leaf, type FieldSet, type MutableFieldSet } from './field-set.js';
import { itemElement, itemsByElement } from './list-items.js';

/** What differs between two states of an object. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** Nodes at one path; undefined where nothing differs. */
interface Difference {
  readonly added?: FieldSet | undefined;
  readonly modified?: FieldSet | undefined;
  readonly removed?: FieldSet | undefined;
}

const emptyObject: JsonObject = Object.freeze({});
const emptyList: readonly unknown[] = Object.freeze([]);

/** Compares along the structure: atomic values differ as a whole, others field by field and item by item. */
export function compareObjects(before: JsonObject, after: JsonObject, type: StructType): Comparison {
  const difference = compareStructs(before, after, type);
  return {
    added: difference?.added ?? emptySet,
    modified: difference?.modified ?? emptySet,
    removed: difference?.removed ?? emptySet,
  };
}

/** A value that is owned as a whole. */
const isAtomic = (type: SchemaType): boolean =>
  type.kind === 'scalar' ||
  type.kind === 'any' ||
  (type.kind === 'list' ? type.listType === 'atomic' : type.mapType === 'atomic');

function compareValues(before: unknown, after: unknown, given: SchemaType): Difference | undefined {
  if (before === after) return undefined;
  // Only where both are objects their keys are compared.
  const type = isObject(before) ? typeFor(after, given) : given;
  if (before === null && isFilled(after, type)) return compareValues(emptyOf(type), after, type);
  if (after === null && isFilled(before, type)) return compareValues(before, emptyOf(type), type);
  if (!isAtomic(type)) {
    if (type.kind === 'list' && Array.isArray(before) && Array.isArray(after)) return compareLists(before, after, type);
    if (type.kind === 'struct' && isObject(before) && isObject(after)) return compareStructs(before, after, type);
    if (type.kind === 'map' && isObject(before) && isObject(after)) return compareMaps(before, after, type);
  }
  return equalJson(before, after) ? undefined : { modified: leaf };
}

/** Beside a list or map that has members and is owned by them, null is an empty one; beside an empty one it differs. */
const isFilled = (value: unknown, type: SchemaType): boolean =>
  !isAtomic(type) && typeof value === 'object' && value !== null && Object.keys(value).length > 0;

class Collector {
  #added: MutableFieldSet | undefined;
  #modified: MutableFieldSet | undefined;
  #removed: MutableFieldSet | undefined;

  add(element: string, difference: Difference | undefined): void {
    if (!difference) return;
    if (difference.added) (this.#added ??= {})[element] = difference.added;
    if (difference.modified) (this.#modified ??= {})[element] = difference.modified;
    if (difference.removed) (this.#removed ??= {})[element] = difference.removed;
  }

  result(): Difference | undefined {
    if (!this.#added && !this.#modified && !this.#removed) return undefined;
    return { added: this.#added, modified: this.#modified, removed: this.#removed };
  }
}

function compareStructs(before: JsonObject, after: JsonObject, type: StructType): Difference | undefined {
  const collector = new Collector();
  for (const name of Object.keys(after)) {
    const field = type.fields.get(name);
    if (!field && !type.preserveUnknown) continue;
    const fieldType: SchemaType = field?.type ?? deduced;
    const element = field?.pathElement ?? `f:${name}`;
    const old = Object.hasOwn(before, name) ? before[name] : field?.isAlwaysPresent ? emptyOf(fieldType) : undefined;
    collector.add(element, compareField(old, after[name], fieldType));
  }
  for (const name of Object.keys(before)) {
    if (Object.hasOwn(after, name)) continue;
    const field = type.fields.get(name);
    if (!field && !type.preserveUnknown) continue;
    const fieldType: SchemaType = field?.type ?? deduced;
    const now = field?.isAlwaysPresent ? emptyOf(fieldType) : undefined;
    collector.add(field?.pathElement ?? `f:${name}`, compareField(before[name], now, fieldType));
  }
  return collector.result();
}

/** What Go has in the place of an absent field that is no pointer. */
function emptyOf(type: SchemaType): unknown {
  if (type.kind === 'struct') return emptyObject;
  if (isAtomic(type)) return undefined;
  return type.kind === 'list' ? emptyList : emptyObject;
}

function compareField(before: unknown, after: unknown, type: SchemaType): Difference | undefined {
  if (before === undefined) return after === undefined ? undefined : { added: wholeNode(after, type) };
  if (after === undefined) return { removed: wholeNode(before, type) };
  return compareValues(before, after, type);
}

function compareMaps(before: JsonObject, after: JsonObject, type: MapType): Difference | undefined {
  const collector = new Collector();
  for (const key of Object.keys(after)) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    collector.add(`f:${key}`, compareField(old, after[key], type.values));
  }
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key)) collector.add(`f:${key}`, compareField(before[key], undefined, type.values));
  }
  return collector.result();
}

function compareLists(before: readonly unknown[], after: readonly unknown[], type: ListType): Difference | undefined {
  const old = itemsByElement(before, type);
  const collector = new Collector();
  for (const [element, items] of itemsByElement(after, type)) {
    const previous = old.get(element);
    old.delete(element);
    collector.add(element, compareItems(previous ?? [], items, type.items));
  }
  for (const [element, items] of old) collector.add(element, compareItems(items, [], type.items));
  return collector.result();
}

/** Items of one key. Those that share it have no identity of their own: they come, change and go together. */
function compareItems(before: readonly unknown[], after: readonly unknown[], type: SchemaType): Difference | undefined {
  if (before.length < 2 && after.length < 2) return compareField(before[0], after[0], type);
  if (before.length > 1 && after.length > 1) return equalJson(before, after) ? undefined : { modified: leaf };
  if (before.length > 1) return { removed: leaf, added: after.length > 0 ? wholeNode(after[0], type) : undefined };
  return { added: leaf, removed: before.length > 0 ? wholeNode(before[0], type) : undefined };
}

/** A value that is there as a whole, or not: it is a member, and so is everything in it. */
function wholeNode(value: unknown, given: SchemaType): FieldSet {
  const type = typeFor(value, given);
  if (isAtomic(type) || typeof value !== 'object' || value === null) return leaf;
  const node: MutableFieldSet = {};
  if (Array.isArray(value)) {
    if (type.kind !== 'list' || value.length === 0) return leaf;
    node['.'] = leaf;
    for (let i = 0; i < value.length; i++) node[itemElement(value[i], i, type)] = wholeNode(value[i], type.items);
    return node;
  }
  const names = Object.keys(value);
  if (names.length === 0) return leaf;
  node['.'] = leaf;
  for (const name of names) {
    const field = type.kind === 'struct' ? type.fields.get(name) : undefined;
    const valueType: SchemaType = type.kind === 'map' ? type.values : (field?.type ?? deduced);
    node[field?.pathElement ?? `f:${name}`] = wholeNode((value as JsonObject)[name], valueType);
  }
  return node;
}
