import { isObject, setField, type JsonObject } from '../api/json.js';

/**
 * RFC 7386: fields of the patch replace those of the target, null removes, objects merge. Neither argument is changed;
 * the result shares parts with both.
 */
export function jsonMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: JsonObject = {};
  const base = isObject(target) ? target : {};
  for (const name of Object.keys(base)) {
    if (!Object.hasOwn(patch, name)) setField(result, name, base[name]);
    else if (patch[name] !== null) setField(result, name, jsonMergePatch(base[name], patch[name]));
  }
  for (const name of Object.keys(patch)) {
    if (patch[name] === null || Object.hasOwn(base, name)) continue;
    setField(result, name, jsonMergePatch(undefined, patch[name]));
  }
  return result;
}
