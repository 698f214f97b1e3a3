import { badRequest, excerpt } from '../decode/errors.js';
import { getField, isObject, setField, type JsonObject } from '../schema/json.js';
import type { Field, ListType, SchemaType } from '../schema/schema-type.js';
import { mergeList, orderList } from './list-merge.js';

const directive = '$patch';
const retainKeys = '$retainKeys';
const elementOrder = '$setElementOrder/';
const primitiveDeletions = '$deleteFromPrimitiveList/';

/**
 * Kubernetes' own patch: like a JSON merge patch, but lists whose field says so merge by their merge key, and directives
 * (`$patch`, `$retainKeys`, `$setElementOrder/FIELD`, `$deleteFromPrimitiveList/FIELD`) steer it. Neither argument is
 * changed; the result shares parts with both.
 * @param type structure of the object; where it is unknown, maps merge and lists are replaced
 * @throws StatusError 400 for a malformed patch
 */
export function strategicMergePatch(current: JsonObject, patch: unknown, type: SchemaType | undefined): JsonObject {
  if (!isObject(patch)) throw badRequest('invalid JSON document');
  return mergeMap(current, patch, type);
}

/** Merges a patch of a map or struct into it. */
export function mergeMap(current: JsonObject, patch: JsonObject, type: SchemaType | undefined): JsonObject {
  switch (getField(patch, directive)) {
    case undefined:
    case 'merge':
      break;
    case 'replace':
      return withoutDirectives(patch);
    case 'delete':
      return {};
    default:
      throw badRequest(`unknown patch type: ${excerpt(JSON.stringify(patch[directive]))} in map`);
  }
  const retained = retainedNames(patch);
  const result: JsonObject = {};
  for (const name of Object.keys(current)) {
    if (!retained || retained.has(name)) setField(result, name, current[name]);
  }
  // Named by the patch itself or only by a directive about the field.
  for (const name of patchedNames(patch)) {
    const value = mergeField(getField(result, name), patch, name, fieldOf(type, name));
    if (value === undefined) delete result[name];
    else setField(result, name, value);
  }
  return result;
}

interface FieldRules {
  readonly type: SchemaType | undefined;
  readonly mergesLists: boolean;
  readonly isReplaced: boolean;
  readonly mergeKey: string | undefined;
}

function fieldOf(type: SchemaType | undefined, name: string): FieldRules {
  const field: Field | undefined = type?.kind === 'struct' ? type.fields.get(name) : undefined;
  return {
    type: type?.kind === 'map' ? type.values : field?.type,
    mergesLists: field?.patchStrategies.includes('merge') === true,
    isReplaced: field?.patchStrategies.includes('replace') === true,
    mergeKey: field?.patchMergeKey,
  };
}

function mergeField(current: unknown, patch: JsonObject, name: string, rules: FieldRules): unknown {
  const given = getField(patch, name);
  const deletions = getField(patch, primitiveDeletions + name);
  const order = getField(patch, elementOrder + name);
  let value = current;
  if (deletions !== undefined) value = deletePrimitives(value, deletions);
  if (given !== undefined) value = mergeValue(value, given, rules);
  if (order !== undefined && Array.isArray(value)) value = orderField(value, current, given, order, rules);
  return value;
}

function mergeValue(current: unknown, given: unknown, rules: FieldRules): unknown {
  if (given === null) return undefined;
  if (Array.isArray(given)) {
    if (!rules.mergesLists) return withoutDirectives(given);
    const items = (rules.type as ListType | undefined)?.items;
    const list = Array.isArray(current) ? current : [];
    return mergeList(list, given, rules.mergeKey, (item, change) => mergeMap(item, change, items));
  }
  if (!isObject(given)) return given;
  if (rules.isReplaced) return withoutDirectives(given);
  return mergeMap(isObject(current) ? current : {}, given, rules.type);
}

function deletePrimitives(current: unknown, deletions: unknown): unknown {
  if (!Array.isArray(deletions)) throw badRequest('invalid patch format of primitive list');
  if (!Array.isArray(current)) return current;
  const gone = new Set(deletions.map((item) => JSON.stringify(item)));
  return current.filter((item) => !gone.has(JSON.stringify(item)));
}

function orderField(list: unknown[], current: unknown, given: unknown, order: unknown, rules: FieldRules): unknown[] {
  if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list');
  const server = Array.isArray(current) ? current : [];
  return orderList(list, { order, server, given: Array.isArray(given) ? given : [], mergeKey: rules.mergeKey });
}

/** Names of the fields that the patch speaks of. */
function patchedNames(patch: JsonObject): Set<string> {
  const names = new Set<string>();
  for (const key of Object.keys(patch)) {
    if (key === directive || key === retainKeys) continue;
    if (key.startsWith(elementOrder)) names.add(key.slice(elementOrder.length));
    else if (key.startsWith(primitiveDeletions)) names.add(key.slice(primitiveDeletions.length));
    else names.add(key);
  }
  return names;
}

function retainedNames(patch: JsonObject): Set<string> | undefined {
  const names = getField(patch, retainKeys);
  if (names === undefined) return undefined;
  if (!Array.isArray(names)) throw badRequest('invalid patch format of retainKeys');
  const retained = new Set(names.map(String));
  for (const name of patchedNames(patch)) {
    if (patch[name] !== null && !retained.has(name)) throw badRequest('invalid patch format of retainKeys');
  }
  return retained;
}

/** A value that is taken as it stands: directives and nulls are not part of it. */
export function withoutDirectives<T>(value: T): T {
  if (Array.isArray(value)) {
    return value
      .filter((item: unknown) => !(isObject(item) && item[directive] === 'delete'))
      .map((item: unknown) => withoutDirectives(item)) as T;
  }
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const name of Object.keys(value)) {
    const isDirective =
      name === directive || name === retainKeys || name.startsWith(elementOrder) || name.startsWith(primitiveDeletions);
    if (!isDirective && value[name] !== null) setField(result, name, withoutDirectives(value[name]));
  }
  return result as T;
}
