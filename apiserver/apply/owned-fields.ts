import { getField, isObject, type JsonObject } from '../../shared/api/json.js';
import { deduced, typeFor, type ListType, type SchemaType, type StructType } from '../schema/schema-type.js';
import { isEmptySet, leaf, printElement, type FieldSet, type MutableFieldSet } from './field-set.js';
import { itemElement } from './list-items.js';

/** An applied configuration cannot be owned field by field. */
export class OwnershipError extends Error {
  override readonly name = 'OwnershipError';
}

/**
 * The fields that an applied configuration owns: its leaves, the keys of its maps and the items of its lists; structs
 * are owned through their fields.
 * @throws OwnershipError for items without a key, or with the same one
 */
export function ownedFields(config: JsonObject, type: StructType): FieldSet {
  return ownedByObject(config, type, '');
}

function ownedByObject(object: JsonObject, type: SchemaType, path: string): FieldSet {
  const set: MutableFieldSet = {};
  for (const name of Object.keys(object)) {
    const field = type.kind === 'struct' ? type.fields.get(name) : undefined;
    const valueType: SchemaType = type.kind === 'map' ? type.values : (field?.type ?? deduced);
    const node = ownedByValue(object[name], valueType, `${path}.${name}`);
    const isMapKey = type.kind === 'map';
    if (isMapKey) set[`f:${name}`] = node === undefined || node === leaf ? leaf : { '.': leaf, ...node };
    else if (node !== undefined) set[field?.pathElement ?? `f:${name}`] = node;
  }
  return set;
}

function ownedByValue(value: unknown, given: SchemaType, path: string): FieldSet | undefined {
  const type = typeFor(value, given);
  switch (type.kind) {
    case 'scalar':
    case 'any':
      return leaf;
    case 'list':
      if (type.listType === 'atomic' || !Array.isArray(value)) return leaf;
      return value.length === 0 ? undefined : ownedByList(value, type, path);
    default:
      if (type.mapType === 'atomic' || !isObject(value) || Object.keys(value).length === 0) return leaf;
      return unlessEmpty(ownedByObject(value, type, path));
  }
}

/** An object of empty lists owns nothing; a set without elements would stand for the object itself. */
const unlessEmpty = (set: FieldSet): FieldSet | undefined => (isEmptySet(set) ? undefined : set);

function ownedByList(list: readonly unknown[], type: ListType, path: string): FieldSet {
  const set: MutableFieldSet = {};
  list.forEach((item, index) => {
    if (type.listType === 'map') requireKeys(item, index, type, path);
    const element = itemElement(item, index, type);
    if (Object.hasOwn(set, element)) {
      throw new OwnershipError(`${path}: duplicate entries for key ${printElement(element)}`);
    }
    const node = ownedByValue(item, type.items, `${path}[${index}]`);
    set[element] = node === undefined || node === leaf ? leaf : { '.': leaf, ...node };
  });
  return set;
}

function requireKeys(item: unknown, index: number, type: ListType, path: string): void {
  const place = `${path}: element ${index}: associative list with keys`;
  if (item === null) throw new OwnershipError(`${place} may not have a null element`);
  if (!isObject(item)) throw new OwnershipError(`${place} may not have non-map elements`);
  // A list with several keys may leave out those that the type marks optional: one must be there.
  const missing = type.keys.filter(
    (name) => getField(item, name) === undefined && type.keyDefaults[name] === undefined,
  );
  if (missing.length === type.keys.length) {
    throw new OwnershipError(
      `${place} has an element that omits key field ${JSON.stringify(missing[0])} (and doesn't have default value)`,
    );
  }
}
