import { deduced, type Field, type SchemaType, type StructType } from '../schema/schema-type.js';
import { isMetaField, itemsOf, valuesOf, type Schema } from './schema.js';

const any: SchemaType = { kind: 'any' };

/**
 * The structure of a custom resource, along which server-side apply merges and owns.
 * @param metadata the structure of ObjectMeta
 */
export function structureOf(schema: Schema, kind: string, metadata: StructType): StructType {
  return structOf(schema, kind, metadata, true);
}

function typeOf(schema: Schema, name: string, metadata: StructType): SchemaType {
  if (schema['x-kubernetes-int-or-string']) return any;
  switch (schema.type) {
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      // Wrong types are for validation to refuse, in its own words.
      return any;
    case 'array':
      return listOf(schema, name, metadata);
    case 'object': {
      const values = valuesOf(schema);
      const mapType = schema['x-kubernetes-map-type'] === 'atomic' ? 'atomic' : 'granular';
      if (schema['x-kubernetes-embedded-resource']) return structOf(schema, name, metadata, true);
      if (values && !schema.properties) return { kind: 'map', values: typeOf(values, name, metadata), mapType };
      if (!schema.properties && schema.additionalProperties === true) return { kind: 'map', values: any, mapType };
      if (!schema.properties && schema['x-kubernetes-preserve-unknown-fields']) return openMap(mapType);
      return structOf(schema, name, metadata, false);
    }
    default:
      return deduced;
  }
}

/** Fields of unknown type are owned one by one, as the original deduces it. */
const openMap = (mapType: 'granular' | 'atomic'): SchemaType => ({ kind: 'map', values: deduced, mapType });

function listOf(schema: Schema, name: string, metadata: StructType): SchemaType {
  const items = itemsOf(schema);
  const keys = [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort();
  const given = schema['x-kubernetes-list-type'];
  const keyDefaults: Record<string, string> = {};
  for (const key of keys) {
    const value = items?.properties?.[key]?.default;
    if (typeof value === 'string') keyDefaults[key] = value;
  }
  return {
    kind: 'list',
    items: items ? typeOf(items, name, metadata) : any,
    listType: given === 'set' || given === 'map' ? given : 'atomic',
    keys,
    keyDefaults,
  };
}

function structOf(schema: Schema, name: string, metadata: StructType, isResource: boolean): StructType {
  const fields = new Map<string, Field>();
  const add = (field: string, type: SchemaType): void => {
    const required = schema.required?.includes(field) === true;
    fields.set(field, {
      name: field,
      pathElement: `f:${field}`,
      type,
      required,
      omitEmpty: false,
      isAlwaysPresent: isResource && field === 'metadata',
      patchStrategies: [],
      patchMergeKey: undefined,
    });
  };
  if (isResource) {
    add('apiVersion', { kind: 'scalar', format: 'string' });
    add('kind', { kind: 'scalar', format: 'string' });
    add('metadata', metadata);
  }
  for (const [field, inner] of Object.entries(schema.properties ?? {})) {
    if (!isResource || !isMetaField(field)) add(field, typeOf(inner, field, metadata));
  }
  return {
    kind: 'struct',
    definition: `custom.${name}`,
    goName: name,
    fields,
    mapType: schema['x-kubernetes-map-type'] === 'atomic' ? 'atomic' : 'granular',
    preserveUnknown: schema['x-kubernetes-preserve-unknown-fields'] === true,
  };
}
