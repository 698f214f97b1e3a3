import fc from 'fast-check';
import { setField, type JsonObject } from '../../../shared/api/json.js';
import type { Field, ListType, ScalarFormat, SchemaType, StructType } from '../../schema/schema-type.js';
import { itemElement } from '../../apply/list-items.js';

/** Few values, so that writers meet. Zeros are left out: whether Go keeps one depends on the field. */
const scalars: Readonly<Record<ScalarFormat, fc.Arbitrary<unknown>>> = {
  string: fc.constantFrom('a', 'b', 'c'),
  bool: fc.constant(true),
  int32: fc.constantFrom(1, 2),
  int64: fc.constantFrom(1, 2),
  float64: fc.constantFrom(1.5, 2),
  quantity: fc.constantFrom('1', '2'),
  'int-or-string': fc.constantFrom<unknown>(1, '10%'),
  time: fc.constantFrom('2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'),
  'micro-time': fc.constantFrom('2026-01-01T00:00:00.000001Z', '2027-01-01T00:00:00.000002Z'),
  bytes: fc.constantFrom('YQ==', 'Yg=='),
};
const maxDepth = 8;
/** What the server keeps, and what says what the object is. */
const notGenerated = new Set(['apiVersion', 'kind', 'metadata', 'status']);
const metaFields = new Set(['labels', 'annotations', 'finalizers', 'ownerReferences']);

/** Required, or what holds such: without it no server would take the object. */
const isThere = ({ required, isAlwaysPresent }: Field): boolean => required || isAlwaysPresent;

/**
 * Nobody writes managedFields but the server; that claimRef is granular stands beside its reference, where Debian's
 * kube-openapi (2021) does not look.
 */
const leftOut = new Set(['managedFields', 'claimRef']);

/** How many levels a value needs below it to be whole: the items of lists, and what its structs require. */
function levelsOf(type: SchemaType): number {
  if (type.kind === 'list') return 1 + levelsOf(type.items);
  if (type.kind === 'map') return 1 + levelsOf(type.values);
  if (type.kind !== 'struct') return 0;
  return 1 + Math.max(0, ...[...type.fields.values()].filter(isThere).map((field) => levelsOf(field.type)));
}

export interface ConfigurationOptions {
  /** Chooses the few fields of each struct that objects have: those of one seed have the same, and so meet. */
  readonly seed: number;
  /** Also what only an applied configuration has: nulls, empty maps and lists, absent keys that have a default. */
  readonly isApplied: boolean;
  /** What has any form there is text: in a custom kind validation tells scalars apart, not the structure. */
  readonly isCustom: boolean;
}

/** Objects of a kind, or configurations of such. */
export function configurationOf(
  type: StructType,
  header: JsonObject,
  options: ConfigurationOptions,
): fc.Arbitrary<JsonObject> {
  return new Generator(options).root(type, header);
}

class Generator {
  readonly #seed: number;
  readonly #isApplied: boolean;

  readonly #isCustom: boolean;

  constructor({ seed, isApplied, isCustom }: ConfigurationOptions) {
    this.#isCustom = isCustom;
    this.#seed = seed;
    this.#isApplied = isApplied;
  }

  root(type: StructType, header: JsonObject): fc.Arbitrary<JsonObject> {
    const metadata = type.fields.get('metadata')?.type;
    if (metadata?.kind !== 'struct') throw new Error(`${type.definition} has no metadata`);
    const content = [...type.fields.values()].filter(({ name }) => !notGenerated.has(name));
    const meta = [...metadata.fields.values()].filter(({ name }) => metaFields.has(name));
    return fc
      .record({
        metadata: this.#fields(meta, `${type.definition}.metadata`, 1),
        content: this.#fields(content, type.definition, 0),
      })
      .map(({ metadata, content }) => ({
        ...header,
        metadata: { ...(header['metadata'] as JsonObject), ...metadata },
        ...content,
      }));
  }

  #fields(fields: readonly Field[], path: string, depth: number): fc.Arbitrary<JsonObject> {
    const members = this.#chosen(fields, path, depth).map((field) =>
      this.#value(field.type, `${path}.${field.name}`, depth + 1).map((value) => [field.name, value] as const),
    );
    const isRequired = new Set(fields.filter(isThere).map(({ name }) => name));
    return fc.tuple(...members.map((member) => fc.tuple(fc.nat(9), member))).map((entries) =>
      objectOf(
        entries.flatMap(([chance, [name, value]]) => {
          if (this.#isApplied && chance === 9) return isRequired.has(name) ? [[name, value]] : [[name, null]];
          return chance >= 6 && !isRequired.has(name) ? [] : [[name, value]];
        }),
      ),
    );
  }

  /** A few of the fields, always the same ones at a path: the deeper, the fewer. Required ones are always there. */
  #chosen(fields: readonly Field[], path: string, depth: number): readonly Field[] {
    const usable = fields.filter(({ name, type }) => !leftOut.has(name) && depth + levelsOf(type) <= maxDepth);
    const count = Math.max(1, 4 - Math.floor(depth / 3));
    const rank = (field: Field): number =>
      isThere(field) ? 0 : hash(`${this.#seed} ${path}.${field.name}`) * (field.type.kind === 'list' ? 0.5 : 1) + 1;
    const sorted = [...usable].sort((a, b) => rank(a) - rank(b));
    return sorted.filter((field, index) => isThere(field) || index < count);
  }

  #value(type: SchemaType, path: string, depth: number): fc.Arbitrary<unknown> {
    switch (type.kind) {
      case 'scalar':
        return scalars[type.format];
      case 'any':
        return this.#isCustom ? scalars.string : fc.constantFrom<unknown>('a', 1, { a: 1 }, { a: 2, b: [1] });
      case 'struct':
        return this.#fields([...type.fields.values()], path, depth);
      case 'map':
        return fc.dictionary(fc.constantFrom('a', 'b', 'c'), this.#value(type.values, path, depth + 1), {
          minKeys: this.#isApplied ? 0 : 1,
          maxKeys: 3,
          noNullPrototype: true,
        });
      case 'list':
        return this.#list(type, path, depth);
    }
  }

  #list(type: ListType, path: string, depth: number): fc.Arbitrary<unknown> {
    const bounds = { minLength: this.#isApplied ? 0 : 1, maxLength: 3 };
    const item = this.#item(type, path, depth);
    if (type.listType === 'atomic') return fc.array(item, { ...bounds, maxLength: 2 });
    return fc.uniqueArray(item, { ...bounds, selector: (value) => itemElement(value, 0, type) });
  }

  #item(type: ListType, path: string, depth: number): fc.Arbitrary<unknown> {
    if (type.listType !== 'map' || type.items.kind !== 'struct') return this.#value(type.items, path, depth + 1);
    const { fields } = type.items;
    const keys = type.keys.flatMap((name) => fields.get(name) ?? []);
    const others = [...fields.values()].filter(({ name }) => !type.keys.includes(name));
    const key = fc.tuple(
      ...keys.map(({ name, type: keyType }) => {
        const value = this.#value(keyType, path, maxDepth);
        const byDefault = type.keyDefaults[name];
        return byDefault === undefined ? value : fc.constantFrom<unknown>(undefined, byDefault, 'UDP');
      }),
    );
    return fc.tuple(key, this.#fields(others, path, depth + 1)).map(([values, rest]) => ({
      ...objectOf(keys.flatMap(({ name }, index) => (values[index] === undefined ? [] : [[name, values[index]]]))),
      ...rest,
    }));
  }
}

function objectOf(entries: readonly (readonly unknown[])[]): JsonObject {
  const object: JsonObject = {};
  for (const [name, value] of entries) setField(object, String(name), value);
  return object;
}

/** Between 0 and 1, the same for the same text. */
function hash(text: string): number {
  let value = 2166136261;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 16777619);
  value = Math.imul(value ^ (value >>> 15), 2246822507);
  return ((value ^ (value >>> 13)) >>> 0) / 4294967296;
}
