import { getField, isObject, type JsonObject } from '../../shared/api/json.js';
import { duplicate, invalid, required, type FieldError } from '../validation/field-error.js';
import { validateObjectMeta } from '../validation/object-meta.js';
import { isDns1035Label, isPathSegmentName } from '../validation/names.js';
import type { ObjectMeta } from '../../shared/api/generated/types.js';
import { itemsOf, propertyOf, valuesOf, type Schema } from './schema.js';

/** Only that embedded objects are objects of the API. */
export function validateEmbedded(value: unknown, schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  walk(value, schema, path, errors, false);
  return errors;
}

/** Sets and maps among the lists hold nothing twice; embedded objects are objects of the API. */
export function validateTopology(value: unknown, schema: Schema, path = '', old?: unknown): FieldError[] {
  const errors: FieldError[] = [];
  walk(value, schema, path, errors);
  if (errors.length === 0 || old === undefined) return errors;
  // What was wrong before may stay as it was.
  const known = new Set(validateTopology(old, schema, path).map((error) => `${error.path} ${error.message}`));
  return errors.filter((error) => !known.has(`${error.path} ${error.message}`));
}

function walk(value: unknown, schema: Schema, path: string, errors: FieldError[], checksLists = true): void {
  if (Array.isArray(value)) {
    if (checksLists) checkDuplicates(value, schema, path, errors);
    const items = itemsOf(schema);
    if (items) value.forEach((item: unknown, index) => walk(item, items, `${path}[${index}]`, errors, checksLists));
    return;
  }
  if (!isObject(value)) return;
  if (schema['x-kubernetes-embedded-resource']) checkEmbedded(value, path, errors);
  const values = valuesOf(schema);
  for (const name of Object.keys(value)) {
    const field = propertyOf(schema, name);
    if (field) walk(value[name], field, path === '' ? name : `${path}.${name}`, errors, checksLists);
    else if (values) walk(value[name], values, `${path}[${name}]`, errors, checksLists);
  }
}

function checkDuplicates(list: readonly unknown[], schema: Schema, path: string, errors: FieldError[]): void {
  const type = schema['x-kubernetes-list-type'];
  if (type !== 'set' && type !== 'map') return;
  const isMap = type === 'map';
  if (isMap) {
    const odd = list.findIndex((item) => item !== null && !isObject(item));
    if (odd >= 0) {
      errors.push(invalid(`${path}[${odd}]`, list[odd], 'must be an object for an array of list-type map'));
      return;
    }
  }
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const times = new Map<string, number>();
  list.forEach((item, index) => {
    const shown = isMap ? givenKeys(item, keys) : item;
    const identity = JSON.stringify(shown);
    const before = times.get(identity) ?? 0;
    // Told once, however often it stands there.
    if (before === 1) errors.push(duplicate(`${path}[${index}]`, shown));
    times.set(identity, before + 1);
  });
}

const givenKeys = (item: unknown, keys: readonly string[]): JsonObject =>
  Object.fromEntries(
    keys.flatMap((key) => {
      const value = isObject(item) ? getField(item, key) : undefined;
      return value === undefined ? [] : [[key, value]];
    }),
  );

function checkEmbedded(object: Record<string, unknown>, path: string, errors: FieldError[]): void {
  const { apiVersion, kind, metadata } = object;
  if (apiVersion === undefined) errors.push(required(`${path}.apiVersion`));
  else if (apiVersion === '') errors.push(invalid(`${path}.apiVersion`, apiVersion, 'must not be empty'));
  else if (typeof apiVersion !== 'string' || apiVersion.split('/').length > 2) {
    errors.push(
      invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${String(apiVersion as string)}`),
    );
  }
  if (kind === undefined) errors.push(required(`${path}.kind`));
  else if (kind === '') errors.push(invalid(`${path}.kind`, kind, 'must not be empty'));
  else if (typeof kind !== 'string') errors.push(invalid(`${path}.kind`, kind, 'must be a string'));
  else {
    const problems = isDns1035Label(kind.toLowerCase());
    const detail = `may have mixed case, but should otherwise match: ${problems.join(',')}`;
    if (problems.length > 0) errors.push(invalid(`${path}.kind`, kind, detail));
  }
  if (!isObject(metadata)) return;
  const given = metadata as unknown as ObjectMeta;
  // It need not have a name.
  const meta = given.name ? given : { ...given, name: 'unnamed' };
  const rules = { namespaced: Boolean(meta.namespace), validateName: isPathSegmentName };
  errors.push(...validateObjectMeta(meta, rules, `${path}.metadata`));
}
