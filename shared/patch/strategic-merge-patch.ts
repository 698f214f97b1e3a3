import { badRequest, excerpt } from '../errors/bad-request.js';
import { goText } from '../api/go-text.js';
import { getField, isObject, setField, type JsonObject } from '../api/json.js';
import { deletePrimitives, isPrimitiveList, mergeList, orderList, wrongType, type MergedList } from './list-merge.js';
import type { MergeSchema } from './merge-schema.js';

const directive = '$patch';
const retainKeys = '$retainKeys';
const elementOrder = '$setElementOrder';
const primitiveDeletions = '$deleteFromPrimitiveList';

/**
 * Kubernetes' own patch: like a JSON merge patch, but lists whose field says so merge by their merge key, and directives
 * (`$patch`, `$retainKeys`, `$setElementOrder/FIELD`, `$deleteFromPrimitiveList/FIELD`) steer it. Neither argument is
 * changed; the result shares parts with both. As in the original, what replaces something is taken as it is: directives
 * inside of it are left to whoever reads the result, to whom they are unknown fields.
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
    case 'replace': {
      const { [directive]: _replace, ...given } = patch;
      return given;
    }
    case 'delete':
      return {};
    default:
      throw badRequest(`unknown patch type: ${excerpt(goText(patch[directive]))} in map: ${excerpt(goText(patch))}`);
  }
  const result = retained(current, patch);
  const rest = new Set(Object.keys(patch));
  rest.delete(retainKeys);
  // Lists with an order first, and with them their patches: what is deleted from such a list is deleted after it was merged.
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(elementOrder)) continue;
    const name = fieldOf(key, elementOrder, 'setElementOrder');
    mergeOrdered(result, patch, { name, order: patch[key] }, schema?.field(name));
    rest.delete(key);
    rest.delete(name);
  }
  // Then what is deleted from lists: the original does these in any order.
  const isDeletion = (key: string): boolean => key.startsWith(primitiveDeletions);
  for (const key of [...rest].filter(isDeletion)) {
    const name = fieldOf(key, primitiveDeletions, 'primitive');
    if (patch[key] === null || Object.hasOwn(result, name))
      assign(result, name, changed(result[name], patch[key], schema?.field(name), true));
  }
  for (const name of rest) {
    if (isDeletion(name)) continue;
    const given = patch[name];
    const value = Object.hasOwn(result, name)
      ? changed(result[name], given, schema?.field(name), false)
      : newValue(given);
    assign(result, name, value);
  }
  return result;
}

function assign(result: JsonObject, name: string, value: unknown): void {
  if (value === undefined) delete result[name];
  else setField(result, name, value);
}

/** The field that a directive speaks of. */
function fieldOf(key: string, prefix: string, what: string): string {
  if (!key.startsWith(`${prefix}/`)) throw badRequest(`invalid patch format of ${what} list`);
  return key.slice(prefix.length + 1);
}

/** What a value becomes by a patch, or by what is deleted from it; undefined: it goes. */
function changed(current: unknown, given: unknown, schema: MergeSchema | undefined, isDeletion: boolean): unknown {
  if (given === null) return undefined;
  if (Array.isArray(current) && Array.isArray(given)) {
    if (isDeletion && isPrimitiveList(current, given)) return deletePrimitives(current, given);
    return isDeletion || schema?.isMergedList ? mergedList(current, given, schema).list : given;
  }
  if (isObject(current) && isObject(given)) return schema?.isReplaced ? given : mergeMap(current, given, schema);
  if (isDeletion && typeof current !== typeof given) return current;
  return newValue(given);
}

function mergedList(
  current: readonly unknown[],
  given: readonly unknown[],
  schema: MergeSchema | undefined,
): MergedList {
  return mergeList(current, given, schema?.mergeKey, (item, change) => mergeMap(item, change, schema));
}

interface OrderedField {
  readonly name: string;
  readonly order: unknown;
}

/** Merges the patch of a list that comes with `$setElementOrder`. */
function mergeOrdered(
  result: JsonObject,
  patch: JsonObject,
  { name, order }: OrderedField,
  schema: MergeSchema | undefined,
): void {
  const current = getField(result, name);
  const given = getField(patch, name);
  for (const list of [order, current, given])
    if (list !== undefined && !Array.isArray(list)) throw wrongType('[]interface {}', list);
  const [server, change] = [current, given].map((list) => (Array.isArray(list) ? (list as unknown[]) : undefined));
  const wanted = Array.isArray(order) ? order : [];
  const merge = (): MergedList => {
    if (!server) return { list: (withoutDirectives(change) ?? []) as readonly unknown[], server: [] };
    if (!change) return { list: server, server };
    return schema?.isMergedList ? mergedList(server, change, schema) : { list: change, server };
  };
  const ordered = orderList(merge, { order: wanted, server, given: change, mergeKey: schema?.mergeKey });
  if (ordered !== undefined) setField(result, name, ordered);
}

/** What a map keeps of its fields under a patch, as a new map. */
function retained(current: JsonObject, patch: JsonObject): JsonObject {
  const names = getField(patch, retainKeys);
  if (names === undefined) return { ...current };
  if (!Array.isArray(names)) throw badRequest('invalid patch format of retainKeys');
  const kept = new Set(names);
  for (const name of Object.keys(patch)) {
    const isDirective = [retainKeys, primitiveDeletions, elementOrder].some((prefix) => name.startsWith(prefix));
    if (!isDirective && patch[name] !== null && !kept.has(name)) throw badRequest('invalid patch format of retainKeys');
  }
  const result: JsonObject = {};
  for (const name of Object.keys(current)) if (kept.has(name)) setField(result, name, current[name]);
  return result;
}

/** What a patch puts where nothing was, or something of another form: nulls are no part of it. */
const newValue = (given: unknown): unknown =>
  given === null ? undefined : withoutDirectives(given, (value) => value === null);

/** A value without the items and maps that have a `$patch`, whatever it says; undefined: nothing is left. */
function withoutDirectives(value: unknown, isLeftOut: (value: unknown) => boolean = () => false): unknown {
  if (Array.isArray(value))
    return value.map((item) => withoutDirectives(item, isLeftOut)).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (getField(value, directive) !== undefined) return undefined;
  const result: JsonObject = {};
  for (const name of Object.keys(value)) {
    const inner = isLeftOut(value[name]) ? undefined : withoutDirectives(value[name], isLeftOut);
    if (inner !== undefined) setField(result, name, inner);
  }
  return result;
}
