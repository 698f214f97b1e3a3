import { isObject, setField, type JsonObject } from '../schema/json.js';
import { isMetaField, itemsOf, propertyOf, valuesOf, type Schema } from './schema.js';

/** As many as are reported. */
const maxReported = 100;

/**
 * The value without the fields that its schema does not name. Parts that need no change are shared with the value.
 * @param unknown gets the paths of what was dropped
 * @param isRoot apiVersion, kind and metadata stay, whatever the schema says
 */
export function prune(value: unknown, schema: Schema, isRoot: boolean, unknown: string[] = []): unknown {
  return pruneValue(value, schema, isRoot, '', unknown);
}

function pruneValue(value: unknown, schema: Schema, isResource: boolean, path: string, unknown: string[]): unknown {
  if (Array.isArray(value)) return pruneList(value, schema, path, unknown);
  return isObject(value) ? pruneObject(value, schema, isResource, path, unknown) : value;
}

function pruneList(list: readonly unknown[], schema: Schema, path: string, unknown: string[]): unknown {
  const items = itemsOf(schema);
  // Without a schema nothing is known of what is below, unless everything may stay.
  if (!items && schema['x-kubernetes-preserve-unknown-fields']) return list;
  let copy: unknown[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    const isEmbedded = items?.['x-kubernetes-embedded-resource'] === true;
    const pruned = pruneValue(item, items ?? {}, isEmbedded, `${path}[${i}]`, unknown);
    if (!copy && pruned !== item) copy = list.slice(0, i);
    copy?.push(pruned);
  }
  return copy ?? list;
}

function pruneObject(
  object: JsonObject,
  schema: Schema,
  isResource: boolean,
  path: string,
  unknown: string[],
): JsonObject {
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const values = valuesOf(schema);
  const keepsAll = preserves || schema.additionalProperties === true;
  const result: JsonObject = {};
  let isChanged = false;
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (isResource && isMetaField(name)) {
      setField(result, name, value);
      continue;
    }
    const field = propertyOf(schema, name) ?? values;
    const place = path === '' ? name : `${path}.${name}`;
    if (!field) {
      if (keepsAll) setField(result, name, value);
      else {
        isChanged = true;
        if (unknown.length < maxReported) unknown.push(place);
      }
      continue;
    }
    const pruned = pruneValue(value, field, field['x-kubernetes-embedded-resource'] === true, place, unknown);
    if (pruned !== value) isChanged = true;
    setField(result, name, pruned);
  }
  return isChanged ? result : object;
}
