import fc from 'fast-check';
import type { JsonObject } from '../../../shared/api/json.js';
import type { ScalarFormat, SchemaType, StructType } from '../../schema/schema-type.js';

const optional = (inner: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.option(inner, { nil: undefined });
const scalars: Readonly<Record<ScalarFormat, fc.Arbitrary<unknown>>> = {
  string: fc.string({ minLength: 1, maxLength: 6 }),
  bool: fc.constant(true),
  int32: fc.integer({ min: -2147483648, max: 2147483647 }).filter((n) => n !== 0),
  int64: fc.maxSafeInteger().filter((n) => n !== 0),
  float64: fc.constant(1.5),
  quantity: fc.constantFrom('1', '500m', '2Gi'),
  'int-or-string': fc.oneof(fc.integer({ min: -2147483648, max: 2147483647 }), fc.constant('10%')),
  time: fc.constantFrom('2026-01-01T00:00:00Z', '1999-12-31T23:59:59Z'),
  'micro-time': fc.constantFrom('2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00.999999Z'),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 5 }).map((bytes) => Buffer.from(bytes).toString('base64')),
};
function valueOf(type: SchemaType, depth: number): fc.Arbitrary<unknown> {
  if (type.kind === 'scalar') return scalars[type.format];
  if (type.kind === 'any') return fc.constant({ a: [1, null, 'x'] });
  if (type.kind === 'list') return fc.array(valueOf(type.items, depth + 1), { minLength: 1, maxLength: 2 });
  if (type.kind === 'map') {
    return fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), valueOf(type.values, depth + 1), {
      minKeys: 1,
      maxKeys: 2,
      noNullPrototype: true,
    });
  }
  return objectOf(type, depth + 1);
}
export const goName = ({ definition }: StructType): string => definition.slice(definition.lastIndexOf('.') + 1);
const skipped = new Set(['apiVersion', 'kind', 'selfLink']);
/** Objects that fit a type, with every field at some time. Zeros are left out: not all of them travel. */
export function objectOf(type: StructType, depth: number): fc.Arbitrary<JsonObject> {
  // Deep ones only hold scalars, or the types would never end. Objects inside objects have no type in protobuf.
  const isTyped = type.fields.has('metadata') || depth === 0;
  const fields = [...type.fields.values()].filter(
    ({ name, type: inner }) => !(isTyped && skipped.has(name)) && (depth < 5 || inner.kind === 'scalar'),
  );
  const chance =
    depth < 2
      ? optional
      : (inner: fc.Arbitrary<unknown>) => fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, inner);
  const shape = Object.fromEntries(fields.map((field) => [field.name, chance(valueOf(field.type, depth))]));
  return fc
    .record(shape)
    .map((object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)));
}
