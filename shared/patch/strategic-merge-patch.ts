import { badRequest, excerpt } from '../errors/bad-request.js';
import { goText } from '../api/go-text.js';
import { getField, isObject, setField, type JsonObject } from '../api/json.js';
import { mergeList, orderList } from './list-merge.js';
import type { MergeSchema } from './merge-schema.js';

const directive = '$patch';
const retainKeys = '$retainKeys';
const elementOrder = '$setElementOrder/';
const primitiveDeletions = '$deleteFromPrimitiveList/';

/**
 * Kubernetes' own patch: like a JSON merge patch, but lists whose field says so merge by their merge key, and directives
 * (`$patch`, `$retainKeys`, `$setElementOrder/FIELD`, `$deleteFromPrimitiveList/FIELD`) steer it. Neither argument is
 * changed; the result shares parts with both.
 * @param schema of the object; where it is unknown, maps merge and lists are replaced
 * @throws StatusError 400 for a malformed patch
 */
export function strategicMergePatch(current: JsonObject, patch: unknown, schema: MergeSchema | undefined): JsonObject {
  if (!isObject(patch)) throw badRequest('invalid JSON document');
  return mergeMap(current, patch, schema);
}

/** Merges a patch of a map or struct into it. */
function mergeMap(current: JsonObject, patch: JsonObject, schema: MergeSchema | undefined): JsonObject {
  switch (getField(patch, directive)) {
    case undefined:
      break;
    case 'replace':
      return replacement(patch);
    case 'delete':
      return {};
    default:
      throw badRequest(`unknown patch type: ${excerpt(goText(patch[directive]))} in map: ${excerpt(goText(patch))}`);
  }
  const retained = retainedNames(patch);
  const result: JsonObject = {};
  for (const name of Object.keys(current)) {
    if (!retained || retained.has(name)) setField(result, name, current[name]);
  }
  // Named by the patch itself or only by a directive about the field.
  for (const name of patchedNames(patch)) {
    const value = mergeField(getField(result, name), patch, name, schema?.field(name));
    if (value === undefined) delete result[name];
    else setField(result, name, value);
  }
  return result;
}

function mergeField(current: unknown, patch: JsonObject, name: string, schema: MergeSchema | undefined): unknown {
  const given = getField(patch, name);
  const deletions = getField(patch, primitiveDeletions + name);
  const order = getField(patch, elementOrder + name);
  let value = current;
  if (deletions !== undefined) value = deletePrimitives(value, deletions);
  if (given !== undefined) value = mergeValue(value, given, schema);
  if (order !== undefined && Array.isArray(value))
    value = orderField(value, { current, given, order, mergeKey: schema?.mergeKey });
  return value;
}

function mergeValue(current: unknown, given: unknown, schema: MergeSchema | undefined): unknown {
  if (given === null) return undefined;
  if (Array.isArray(given)) {
    if (!schema?.isMergedList || !Array.isArray(current)) return withoutDirectives(given);
    return mergeList(current, given, schema.mergeKey, (item, change) => mergeMap(item, change, schema));
  }
  if (!isObject(given)) return given;
  if (!isObject(current)) return withoutDirectives(given);
  return schema?.isReplaced ? replacement(given) : mergeMap(current, given, schema);
}

function deletePrimitives(current: unknown, deletions: unknown): unknown {
  if (!Array.isArray(deletions)) throw badRequest('invalid patch format of primitive list');
  if (!Array.isArray(current)) return current;
  const gone = new Set(deletions.map((item) => JSON.stringify(item)));
  return current.filter((item) => !gone.has(JSON.stringify(item)));
}

interface OrderedField {
  readonly current: unknown;
  readonly given: unknown;
  readonly order: unknown;
  readonly mergeKey: string | undefined;
}

function orderField(list: readonly unknown[], { current, given, order, mergeKey }: OrderedField): unknown[] {
  if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list');
  const server = Array.isArray(current) ? current : [];
  return orderList(list, { order, server, given: Array.isArray(given) ? given : [], mergeKey });
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

/** What a patch puts in the place of a map. */
function replacement(patch: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const name of Object.keys(patch)) {
    if (isDirective(name) || patch[name] === null) continue;
    const value = withoutDirectives(patch[name]);
    if (value !== undefined) setField(result, name, value);
  }
  return result;
}

/**
 * A value for which there is nothing to merge with: directives and nulls are no part of it, nor are the items and maps that have a
 * `$patch`, whatever it says, as in the original. Undefined where nothing is left.
 */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  return getField(value, directive) === undefined ? replacement(value) : undefined;
}

const isDirective = (name: string): boolean =>
  name === directive || name === retainKeys || name.startsWith(elementOrder) || name.startsWith(primitiveDeletions);
