import { escapeName, isEscapable } from '../cel/json-values.js';
import { boolType, dynType, objectType, stringType, type CelType } from '../cel/types.js';
import { isMetaField, itemsOf, valuesOf, type Schema } from './schema.js';

/** What the expression language knows of a value of a schema; undefined where it can say nothing. */
export function celTypeOf(
  schema: Schema,
  isResource: boolean,
  name = 'object',
  known?: Map<Schema, CelType | undefined>,
): CelType | undefined {
  if (!known) return typeOf(schema, isResource, name);
  if (!known.has(schema)) known.set(schema, typeOf(schema, isResource, name, known));
  return known.get(schema);
}

/** Types by their schemas, where one is asked for again with each schema around it. */
type Known = Map<Schema, CelType | undefined>;

function typeOf(schema: Schema, isResource: boolean, name: string, known?: Known): CelType | undefined {
  if (schema['x-kubernetes-int-or-string']) return dynType;
  switch (schema.type) {
    case 'array':
      return listTypeOf(schema, name, known);
    case 'object':
      return objectTypeOf(schema, isResource, name, known);
    case 'string':
      return stringTypeOf(schema);
    case 'boolean':
      return boolType;
    case 'integer':
      return { kind: 'int' };
    case 'number':
      return { kind: 'double' };
    default:
      // What is only preserved has no form that an expression could rely on.
      return undefined;
  }
}

function listTypeOf(schema: Schema, name: string, known?: Known): CelType | undefined {
  const items = itemsOf(schema);
  const type = items && celTypeOf(items, items['x-kubernetes-embedded-resource'] === true, `${name}.@idx`, known);
  if (!type) return undefined;
  const listType = schema['x-kubernetes-list-type'];
  const listMapKeys = schema['x-kubernetes-list-map-keys'];
  return {
    kind: 'list',
    items: type,
    ...(listType === 'set' || listType === 'map' ? { listType } : {}),
    ...(listMapKeys ? { listMapKeys } : {}),
    ...(schema.maxItems === undefined ? {} : { maxSize: schema.maxItems }),
  };
}

function objectTypeOf(schema: Schema, isResource: boolean, name: string, known?: Known): CelType | undefined {
  const values = valuesOf(schema);
  if (values) {
    const type = celTypeOf(values, values['x-kubernetes-embedded-resource'] === true, `${name}.@elem`, known);
    if (!type) return undefined;
    const maxSize = schema.maxProperties;
    return { kind: 'map', keys: stringType, values: type, ...(maxSize === undefined ? {} : { maxSize }) };
  }
  const fields = new Map<string, CelType>();
  for (const [property, field] of Object.entries(schema.properties ?? {})) {
    if (!isEscapable(property) || (isResource && isMetaField(property))) continue;
    const type = celTypeOf(field, field['x-kubernetes-embedded-resource'] === true, `${name}.${property}`, known);
    if (type) fields.set(escapeName(property), type);
  }
  if (isResource) {
    fields.set('apiVersion', stringType);
    fields.set('kind', stringType);
    const short: CelType = { kind: 'string', maxSize: 253 };
    fields.set(
      'metadata',
      objectType(`${name}.metadata`, [
        ['name', short],
        ['generateName', short],
      ]),
    );
  }
  return objectType(name, fields);
}

function stringTypeOf(schema: Schema): CelType {
  switch (schema.format) {
    case 'byte':
      return { kind: 'bytes', ...sized(schema.maxLength) };
    case 'duration':
      return { kind: 'duration' };
    case 'date':
    case 'date-time':
      return { kind: 'timestamp' };
    default:
      return { kind: 'string', ...sized(schema.maxLength ?? longestOf(schema.enum)) };
  }
}

const sized = (maxSize: number | undefined): { maxSize?: number } => (maxSize === undefined ? {} : { maxSize });

const longestOf = (values: readonly unknown[] | undefined): number | undefined =>
  values?.reduce<number>((longest, value) => Math.max(longest, typeof value === 'string' ? value.length : 0), 0);
