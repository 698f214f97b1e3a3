import { isObject, getField } from '../../shared/api/json.js';
import { duplicate, invalid, required, type FieldError } from '../validation/field-error.js';
import { validateObjectMeta } from '../validation/object-meta.js';
import { isDns1035Label, isDns1123Subdomain } from '../validation/names.js';
import type { ObjectMeta } from '../../shared/api/generated/types.js';
import { keyOf } from './ratcheting.js';
import { itemsOf, propertyOf, valuesOf, type Schema } from './schema.js';

/** Sets and maps among the lists hold nothing twice; embedded objects are objects of the API. */
export function validateTopology(value: unknown, schema: Schema, path = '', old?: unknown): FieldError[] {
  const errors: FieldError[] = [];
  walk(value, schema, path, errors);
  if (errors.length === 0 || old === undefined) return errors;
  // What was wrong before may stay as it was.
  const known = new Set(validateTopology(old, schema, path).map((error) => `${error.path} ${error.message}`));
  return errors.filter((error) => !known.has(`${error.path} ${error.message}`));
}

function walk(value: unknown, schema: Schema, path: string, errors: FieldError[]): void {
  if (Array.isArray(value)) {
    checkDuplicates(value, schema, path, errors);
    const items = itemsOf(schema);
    if (items) value.forEach((item: unknown, index) => walk(item, items, `${path}[${index}]`, errors));
    return;
  }
  if (!isObject(value)) return;
  if (schema['x-kubernetes-embedded-resource']) checkEmbedded(value, path, errors);
  const values = valuesOf(schema);
  for (const name of Object.keys(value)) {
    const field = propertyOf(schema, name);
    if (field) walk(value[name], field, path === '' ? name : `${path}.${name}`, errors);
    else if (values) walk(value[name], values, `${path}[${name}]`, errors);
  }
}

function checkDuplicates(list: readonly unknown[], schema: Schema, path: string, errors: FieldError[]): void {
  const type = schema['x-kubernetes-list-type'];
  if (type !== 'set' && type !== 'map') return;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const seen = new Set<string>();
  list.forEach((item, index) => {
    const identity = type === 'map' ? keyOf(item, keys) : JSON.stringify(item);
    const shown =
      type === 'map' && isObject(item) ? Object.fromEntries(keys.map((key) => [key, getField(item, key)])) : item;
    if (seen.has(identity)) errors.push(duplicate(`${path}[${index}]`, shown));
    seen.add(identity);
  });
}

function checkEmbedded(object: Record<string, unknown>, path: string, errors: FieldError[]): void {
  const { apiVersion, kind, metadata } = object;
  if (apiVersion === undefined || apiVersion === '') errors.push(required(`${path}.apiVersion`, 'must not be empty'));
  else if (typeof apiVersion !== 'string' || apiVersion.split('/').length > 2) {
    errors.push(
      invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${String(apiVersion as string)}`),
    );
  }
  if (kind === undefined || kind === '') errors.push(required(`${path}.kind`, 'must not be empty'));
  else if (typeof kind !== 'string') errors.push(invalid(`${path}.kind`, kind, 'must be a string'));
  else for (const problem of isDns1035Label(kind.toLowerCase())) errors.push(invalid(`${path}.kind`, kind, problem));
  if (!isObject(metadata)) return;
  const meta = metadata as unknown as ObjectMeta;
  if (typeof meta.name !== 'string' || meta.name === '') return;
  const rules = { namespaced: meta.namespace !== undefined, validateName: isDns1123Subdomain };
  errors.push(...validateObjectMeta(meta, rules, `${path}.metadata`));
}
