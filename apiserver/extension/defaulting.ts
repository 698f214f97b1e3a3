import { cloneJson, isObject, setField, type JsonObject } from '../../shared/api/json.js';
import { itemsOf, valuesOf, type Schema } from './schema.js';

/** Fills absent fields with the defaults of the schema, in place. A null where null is not allowed counts as absent if there is a default. */
export function applyDefaults(value: unknown, schema: Schema): void {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (!items) return;
    for (let i = 0; i < value.length; i++) {
      if (isDefaultable(value[i] as unknown, items)) value[i] = cloneJson(items.default);
      applyDefaults(value[i], items);
    }
    return;
  }
  if (!isObject(value)) return;
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (field.default !== undefined && (given === undefined || (given === null && field.nullable !== true))) {
      setField(value, name, cloneJson(field.default));
    } else if (given === null && field.nullable !== true) {
      // Left for validation to refuse.
      continue;
    }
    if (Object.hasOwn(value, name)) applyDefaults(value[name], field);
  }
  const values = valuesOf(schema);
  if (values) defaultValues(value, schema, values);
}

function defaultValues(object: JsonObject, schema: Schema, values: Schema): void {
  for (const name of Object.keys(object)) {
    if (schema.properties && Object.hasOwn(schema.properties, name)) continue;
    if (isDefaultable(object[name], values)) setField(object, name, cloneJson(values.default));
    applyDefaults(object[name], values);
  }
}

const isDefaultable = (value: unknown, schema: Schema): boolean =>
  value === null && schema.nullable !== true && schema.default !== undefined;

/** Whether the schema has any default: most have none, and then nothing needs to be walked. */
export function hasDefaults(schema: Schema): boolean {
  if (schema.default !== undefined) return true;
  const below = [...Object.values(schema.properties ?? {}), itemsOf(schema), valuesOf(schema)];
  return below.some((inner) => inner !== undefined && hasDefaults(inner));
}
