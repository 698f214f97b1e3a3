import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject } from '../../shared/api/json.js';
import type { PatchSchema } from '../open-api.js';

/**
 * The patch that turns `current` into `modified` and removes what `original` had and `modified` has not. Fields that only the cluster set
 * stay. With a schema it is a strategic merge patch (lists merge by key), without one a JSON merge patch. Empty when nothing is to do.
 */
export function threeWayPatch(
  original: unknown,
  modified: unknown,
  current: unknown,
  schema: PatchSchema | undefined,
): JsonObject {
  const [was, wanted, is] = [original, modified, current].map((value) => (isObject(value) ? value : {}));
  return mapPatch(was ?? {}, wanted ?? {}, is ?? {}, schema);
}

function mapPatch(
  original: JsonObject,
  modified: JsonObject,
  current: JsonObject,
  schema: PatchSchema | undefined,
): JsonObject {
  const patch: JsonObject = {};
  for (const [key, wanted] of Object.entries(modified)) {
    if (wanted === null || wanted === undefined) {
      if (current[key] !== undefined && current[key] !== null) patch[key] = null;
      continue;
    }
    Object.assign(
      patch,
      fieldPatch(key, { original: original[key], wanted, current: current[key] }, schema?.field(key)),
    );
  }
  for (const key of Object.keys(original)) {
    if (modified[key] === undefined && current[key] !== undefined) patch[key] = null;
  }
  return patch;
}

interface Values {
  readonly original: unknown;
  readonly wanted: unknown;
  readonly current: unknown;
}

/** Entries of the patch for one field: none when it is as wanted. */
function fieldPatch(key: string, { original, wanted, current }: Values, schema: PatchSchema | undefined): JsonObject {
  if (current === undefined || current === null) return { [key]: wanted };
  if (isObject(wanted) && isObject(current)) {
    if (schema?.isReplaced)
      return isDeepStrictEqual(wanted, current) ? {} : { [key]: { ...wanted, $patch: 'replace' } };
    const inner = mapPatch(isObject(original) ? original : {}, wanted, current, schema);
    if (Object.keys(inner).length === 0) return {};
    return { [key]: schema?.retainsKeys ? { ...inner, $retainKeys: Object.keys(wanted).sort() } : inner };
  }
  if (Array.isArray(wanted) && Array.isArray(current)) {
    const before: unknown[] = Array.isArray(original) ? original : [];
    if (schema?.isMergedList) return listPatch(key, { original: before, wanted, current }, schema);
  }
  return isDeepStrictEqual(wanted, current) ? {} : { [key]: wanted };
}

interface Lists {
  readonly original: readonly unknown[];
  readonly wanted: readonly unknown[];
  readonly current: readonly unknown[];
}

function listPatch(key: string, lists: Lists, schema: PatchSchema): JsonObject {
  const { mergeKey } = schema;
  return mergeKey === undefined ? primitivesPatch(key, lists) : itemsPatch(key, lists, schema, mergeKey);
}

function primitivesPatch(key: string, { original, wanted, current }: Lists): JsonObject {
  const added = wanted.filter((item) => !current.includes(item));
  const removed = original.filter((item) => !wanted.includes(item) && current.includes(item));
  if (added.length === 0 && removed.length === 0) return {};
  return {
    ...(added.length > 0 ? { [key]: added } : {}),
    ...(removed.length > 0 ? { [`$deleteFromPrimitiveList/${key}`]: removed } : {}),
    [`$setElementOrder/${key}`]: wanted,
  };
}

function itemsPatch(
  key: string,
  { original, wanted, current }: Lists,
  schema: PatchSchema,
  mergeKey: string,
): JsonObject {
  const identity = (item: unknown): unknown => (isObject(item) ? item[mergeKey] : undefined);
  const byKey = (list: readonly unknown[], id: unknown): JsonObject | undefined =>
    list.filter(isObject).find((item) => item[mergeKey] === id);
  const items: unknown[] = [];
  for (const item of wanted.filter(isObject)) {
    const id = identity(item);
    const existing = byKey(current, id);
    if (!existing) {
      items.push(item);
      continue;
    }
    const inner = mapPatch(byKey(original, id) ?? {}, item, existing, schema);
    if (Object.keys(inner).length === 0) continue;
    items.push({ ...(schema.retainsKeys ? { $retainKeys: Object.keys(item).sort() } : {}), ...inner, [mergeKey]: id });
  }
  for (const item of original.filter(isObject)) {
    const id = identity(item);
    if (!byKey(wanted, id) && byKey(current, id)) items.push({ $patch: 'delete', [mergeKey]: id });
  }
  const order = wanted.map(identity);
  const isOrdered = isDeepStrictEqual(
    current.map(identity).filter((id) => order.includes(id)),
    order,
  );
  if (items.length === 0 && isOrdered) return {};
  return {
    [`$setElementOrder/${key}`]: order.map((id) => ({ [mergeKey]: id })),
    ...(items.length > 0 ? { [key]: items } : {}),
  };
}
