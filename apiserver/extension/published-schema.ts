import type { JsonObject } from '../../shared/api/json.js';
import { itemsOf, valuesOf, type Schema } from './schema.js';

/** The schema as OpenAPI v3 publishes it: as it is. */
export const publishedV3 = (schema: Schema): JsonObject => schema as unknown as JsonObject;

/** What OpenAPI v2 cannot say is left out, as in the original: kubectl up to 1.26 reads nothing else. */
export function publishedV2(schema: Schema): JsonObject {
  const { allOf: _allOf, anyOf: _anyOf, oneOf: _oneOf, not: _not, ...kept } = schema;
  const result: JsonObject = { ...kept };
  delete result['nullable'];
  delete result['x-kubernetes-validations'];
  const isOpaque =
    schema.nullable === true ||
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    schema['x-kubernetes-int-or-string'] === true;
  if (isOpaque) {
    for (const name of ['type', 'items', 'properties', 'additionalProperties', 'required', 'default'])
      delete result[name];
    if (schema['x-kubernetes-preserve-unknown-fields'] && schema.type) result['type'] = schema.type;
    return result;
  }
  const { properties } = schema;
  if (properties) {
    const fields = Object.entries(properties).map(([name, field]) => [name, publishedV2(field)]);
    result['properties'] = Object.fromEntries(fields) as JsonObject;
  }
  const items = itemsOf(schema);
  if (items) result['items'] = publishedV2(items);
  const values = valuesOf(schema);
  if (values) result['additionalProperties'] = publishedV2(values);
  return result;
}
