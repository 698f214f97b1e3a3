import { isObject, setField, type JsonObject } from '../api/json.js';

/**
 * RFC 7386: fields of the patch replace those of the target, null removes, objects merge. Neither argument is changed;
 * the result shares parts with both. As in the original's library nulls also go from the objects in lists that the patch
 * sets, unless it sets the list in the place of an object.
 */
export function jsonMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(target)) return withoutNulls(patch);
  if (!isObject(patch)) return patch;
  const result: JsonObject = {};
  for (const name of Object.keys(target)) {
    if (!Object.hasOwn(patch, name)) setField(result, name, target[name]);
    else if (patch[name] !== null) setField(result, name, jsonMergePatch(target[name], patch[name]));
  }
  for (const name of Object.keys(patch)) {
    if (patch[name] === null || Object.hasOwn(target, name)) continue;
    setField(result, name, withoutNulls(patch[name]));
  }
  return result;
}

/** Items of lists stay where they are null themselves. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => withoutNulls(item));
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const name of Object.keys(value)) {
    if (value[name] !== null) setField(result, name, withoutNulls(value[name]));
  }
  return result;
}
