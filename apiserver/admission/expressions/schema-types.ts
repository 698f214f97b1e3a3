import { escapeName, isEscapable } from '../../cel/json-values.js';
import {
  boolType,
  bytesType,
  doubleType,
  dynType,
  intType,
  listType,
  mapType,
  objectType,
  stringType,
  timestampType,
  type CelType,
} from '../../cel/types.js';
import type { ScalarFormat, SchemaType } from '../../schema/schema-type.js';

/** Deeper fields are of any type: some structures contain themselves. */
const maxDepth = 12;

const scalars: Readonly<Record<string, CelType>> = {
  string: stringType,
  bool: boolType,
  int32: intType,
  int64: intType,
  float64: doubleType,
  quantity: stringType,
  time: timestampType,
  'micro-time': timestampType,
  bytes: bytesType,
} satisfies Partial<Record<ScalarFormat, CelType>>;

/** What the checker of expressions knows of objects of a kind. */
export function celTypeOf(type: SchemaType, name: string, depth = 0): CelType {
  if (depth > maxDepth) return dynType;
  switch (type.kind) {
    case 'struct': {
      if (type.preserveUnknown || type.fields.size === 0) return dynType;
      const fields = [...type.fields].flatMap(([field, { type: inner }]): [string, CelType][] =>
        isEscapable(field) ? [[escapeName(field), celTypeOf(inner, `${name}.${field}`, depth + 1)]] : [],
      );
      return objectType(name, fields);
    }
    case 'list':
      return listType(celTypeOf(type.items, `${name}.@idx`, depth + 1));
    case 'map':
      return mapType(stringType, celTypeOf(type.values, `${name}.@values`, depth + 1));
    case 'scalar':
      return scalars[type.format] ?? dynType;
    default:
      return dynType;
  }
}
