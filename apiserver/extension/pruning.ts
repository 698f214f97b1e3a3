import { isObject, setField, type JsonObject } from '../../shared/api/json.js';
import type { StructType } from '../schema/schema-type.js';
import { checkStructure, StructureError, type Structured } from '../schema/structure.js';
import { invalid } from '../validation/field-error.js';
import { isMetaField, itemsOf, propertyOf, valuesOf, type Schema } from './schema.js';

/** As many as are reported. */
const maxReported = 100;

/**
 * The value without the fields that its schema does not name. Parts that need no change are shared with the value.
 * @param isRoot apiVersion, kind and metadata stay, whatever the schema says
 */
export function prune(value: unknown, schema: Schema, isRoot: boolean, report: PruningReport = {}): unknown {
  return pruneValue(value, schema, isRoot, '', report);
}

export interface PruningReport {
  /** Gets the paths of what was dropped. */
  readonly unknown?: string[];
  /**
   * apiVersion, kind and metadata of the object and of those inside it, which are checked along it where it is given: no
   * schema of a custom resource says what they are.
   */
  readonly meta?: StructType;
}

function pruneValue(value: unknown, schema: Schema, isResource: boolean, path: string, report: PruningReport): unknown {
  if (Array.isArray(value)) return pruneList(value, schema, path, report);
  return isObject(value) ? pruneObject(value, schema, isResource, path, report) : value;
}

/** @throws StructureError where a field of metadata has another type than it must have */
function readMeta(object: JsonObject, path: string, { meta, unknown }: PruningReport): JsonObject {
  const given = Object.fromEntries(Object.entries(object).filter(([name]) => isMetaField(name)));
  if (!meta) return given;
  const read = readAlong(given, meta, path);
  if (unknown) for (const one of read.unknown.slice(0, maxReported - unknown.length)) unknown.push(within(path, one));
  return read.object;
}

/** Metadata is read by itself, and so do the messages sound; of an object inside another they begin with its place. */
function readAlong(given: JsonObject, meta: StructType, path: string): Structured {
  try {
    return checkStructure(given, meta);
  } catch (error) {
    if (!(error instanceof StructureError)) throw error;
    const [name = ''] = (error.field ?? '').split('.');
    const isWhole = error.field === 'metadata';
    const message = isWhole
      ? error.message.replace(/ Go struct field \S+ of type/, ' Go value of type')
      : error.message.replace(/(Go struct field ObjectMeta)\.metadata\./, '$1.');
    if (path === '') throw new StructureError(message, error.field);
    const detail = name === 'metadata' ? message : 'must be a string';
    const { message: fault } = invalid('', given[name], detail);
    throw new StructureError(`${within(path, name)}: ${fault}`, within(path, error.field ?? ''));
  }
}

const within = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

function pruneList(list: readonly unknown[], schema: Schema, path: string, report: PruningReport): unknown {
  const items = itemsOf(schema);
  // Without a schema nothing is known of what is below, unless everything may stay.
  if (!items && schema['x-kubernetes-preserve-unknown-fields']) return list;
  let copy: unknown[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    const isEmbedded = items?.['x-kubernetes-embedded-resource'] === true;
    const pruned = pruneValue(item, items ?? {}, isEmbedded, `${path}[${i}]`, report);
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
  report: PruningReport,
): JsonObject {
  const { unknown } = report;
  const meta = isResource ? readMeta(object, path, report) : {};
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const values = valuesOf(schema);
  const keepsAll = preserves || schema.additionalProperties === true;
  const result: JsonObject = {};
  let isChanged = false;
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (isResource && isMetaField(name)) {
      if (meta[name] !== value) isChanged = true;
      if (meta[name] !== undefined) setField(result, name, meta[name]);
      continue;
    }
    const field = propertyOf(schema, name) ?? values;
    const place = within(path, name);
    if (!field) {
      if (keepsAll) setField(result, name, value);
      else {
        isChanged = true;
        if (unknown && unknown.length < maxReported) unknown.push(place);
      }
      continue;
    }
    // A null that may not be there is no value; where there is a default, it takes its place later.
    if (value === null && field.nullable !== true && field.default === undefined) {
      isChanged = true;
      continue;
    }
    const pruned = pruneValue(value, field, field['x-kubernetes-embedded-resource'] === true, place, report);
    if (pruned !== value) isChanged = true;
    setField(result, name, pruned);
  }
  return isChanged ? result : object;
}
