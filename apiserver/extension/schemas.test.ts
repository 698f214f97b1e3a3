import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cloneJson, isObject, setField, type JsonObject } from '../../shared/api/json.js';
import { applyDefaults } from './defaulting.js';
import { parseFieldPath, valuesAt } from './json-path.js';
import { validateTopology } from './list-topology.js';
import { prune } from './pruning.js';
import { compileRules, evaluateRules } from './rules.js';
import type { Schema } from './schema.js';
import { validateSchema } from './structural.js';
import { specSchema } from './testing.js';
import { Patterns, validateValue } from './value-validation.js';

const texts = (errors: readonly { path: string; message: string }[]): string[] =>
  errors.map(({ path, message }) => `${path}: ${message}`);

describe('validation of values', () => {
  const cases: readonly (readonly [string, Schema, unknown, readonly string[]])[] = [
    [
      'a wrong type',
      { type: 'integer' },
      'x',
      ['f: Invalid value: "string": f in body must be of type integer: "string"'],
    ],
    ['a null', { type: 'string' }, null, ['f: Invalid value: "null": f in body must be of type string: "null"']],
    ['a nullable null', { type: 'string', nullable: true }, null, []],
    ['an integer as number', { type: 'number' }, 1, []],
    ['int-or-string', { 'x-kubernetes-int-or-string': true }, 'a', []],
    [
      'neither int nor string',
      { 'x-kubernetes-int-or-string': true },
      true,
      ['f: Invalid value: "boolean": f in body must be of type integer,string: "boolean"'],
    ],
    ['enum', { type: 'string', enum: ['a', 'b'] }, 'c', ['f: Unsupported value: "c": supported values: "a", "b"']],
    ['too long', { type: 'string', maxLength: 2 }, 'abc', ['f: Too long: may not be more than 2 bytes']],
    ['long in bytes only', { type: 'string', maxLength: 2 }, '𝄞𝄞', []],
    [
      'too short',
      { type: 'string', minLength: 1 },
      '',
      ['f: Invalid value: "": f in body should be at least 1 chars long'],
    ],
    ['pattern', { type: 'string', pattern: '^a+$' }, 'b', [`f: Invalid value: "b": f in body should match '^a+$'`]],
    [
      'minimum',
      { type: 'integer', minimum: 1 },
      0,
      ['f: Invalid value: 0: f in body should be greater than or equal to 1'],
    ],
    [
      'exclusive maximum',
      { type: 'integer', maximum: 1, exclusiveMaximum: true },
      1,
      ['f: Invalid value: 1: f in body should be less than 1'],
    ],
    [
      'multipleOf',
      { type: 'number', multipleOf: 0.1 },
      0.25,
      ['f: Invalid value: 0.25: f in body should be a multiple of 0.1'],
    ],
    ['format', { type: 'string', format: 'uuid' }, 'x', ['f: Invalid value: "x": f in body must be of type uuid: "x"']],
    ['unknown format', { type: 'string', format: 'zip' }, 'x', []],
    [
      'maxItems',
      { type: 'array', maxItems: 1, items: { type: 'string' } },
      ['a', 'b'],
      ['f: Too many: 2: must have at most 1 items'],
    ],
    [
      'items',
      { type: 'array', items: { type: 'string' } },
      ['a', 1],
      ['f[1]: Invalid value: "integer": f[1] in body must be of type string: "integer"'],
    ],
    ['required', { type: 'object', required: ['a'] }, {}, ['f.a: Required value']],
    [
      'values of a map',
      { type: 'object', additionalProperties: { type: 'integer' } },
      { k: 'x' },
      ['f.k: Invalid value: "string": f.k in body must be of type integer: "string"'],
    ],
    [
      'anyOf',
      { type: 'object', anyOf: [{ required: ['a'] }, { required: ['b'] }] },
      {},
      ['<nil>: Invalid value: "": "f" must validate at least one schema (anyOf)', 'f.a: Required value'],
    ],
    [
      'oneOf',
      { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
      { a: 1, b: 1 },
      ['<nil>: Invalid value: "": "f" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
    [
      'not',
      { type: 'object', not: { required: ['a'] } },
      { a: 1 },
      ['<nil>: Invalid value: "": "f" must not validate the schema (not)'],
    ],
    [
      'allOf',
      { type: 'string', allOf: [{ minLength: 2 }] },
      'a',
      [
        'f: Invalid value: "a": f in body should be at least 2 chars long',
        '<nil>: Invalid value: "": "f" must validate all the schemas (allOf). None validated',
      ],
    ],
    [
      'the alternative that comes closest',
      {
        type: 'object',
        properties: { a: { type: 'integer' } },
        anyOf: [{ properties: { a: { type: 'string' } } }, { properties: { a: { type: 'integer', maximum: 2 } } }],
      },
      { a: 3 },
      [
        '<nil>: Invalid value: "": "f" must validate at least one schema (anyOf)',
        'f.a: Invalid value: 3: f.a in body should be less than or equal to 2',
      ],
    ],
    [
      'the first fault of a text',
      { type: 'string', maxLength: 2, pattern: '^a+$' },
      'bbb',
      ['f: Too long: may not be more than 2 bytes'],
    ],
    [
      'numbers that do not fit',
      { type: 'integer', format: 'int32' },
      3000000000,
      ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in f'],
    ],
    [
      'enum beside a wrong type',
      { type: 'string', enum: ['a'] },
      1,
      [
        'f: Invalid value: "integer": f in body must be of type string: "integer"',
        'f: Unsupported value: 1: supported values: "a"',
      ],
    ],
  ];
  for (const [name, schema, value, expected] of cases) {
    it(`has the words of the original: ${name}`, () => {
      assert.deepEqual(texts(validateValue(value, schema, new Patterns(), 'f')), expected);
    });
  }

  it('tolerates what was stored already, and nothing else', () => {
    const schema = specSchema({ a: { type: 'string', maxLength: 1 }, b: { type: 'integer' } });
    const old = { spec: { a: 'long', b: 1 } };
    const check = (value: unknown): string[] => texts(validateValue(value, schema, new Patterns(), '', old));
    assert.deepEqual(check({ spec: { a: 'long', b: 2 } }), []);
    assert.equal(check({ spec: { a: 'other', b: 1 } }).length, 1);
  });

  it('finds duplicates in sets and maps', () => {
    const set: Schema = { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } };
    assert.deepEqual(texts(validateTopology(['a', 'b', 'a'], set, 'f')), ['f[2]: Duplicate value: "a"']);
    const map: Schema = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: { type: 'object', properties: { k: { type: 'string' } } },
    };
    assert.deepEqual(texts(validateTopology([{ k: 'a' }, { k: 'a', v: 1 }], map, 'f')), [
      'f[1]: Duplicate value: {"k":"a"}',
    ]);
  });
});

describe('rules', () => {
  const schema = specSchema(
    {
      min: { type: 'integer' },
      max: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'may only grow' }] },
      items: {
        type: 'array',
        maxItems: 10,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: {
          type: 'object',
          required: ['name'],
          properties: { name: { type: 'string', maxLength: 10 }, value: { type: 'integer' } },
          'x-kubernetes-validations': [
            {
              rule: 'self.value == oldSelf.value',
              message: 'fixed',
              fieldPath: '.value',
              reason: 'FieldValueForbidden',
            },
          ],
        },
      },
    },
    {
      'x-kubernetes-validations': [
        { rule: 'self.min <= self.max', messageExpression: '"min " + string(self.min) + " is above"' },
      ],
    },
  );
  const errors: { path: string; message: string }[] = [];
  const tree = compileRules(schema, 'schema', errors as never);
  const run = (value: unknown, old?: unknown): string[] => texts(evaluateRules(tree, value, old));

  it('compile, and refuse with message, path and reason', () => {
    assert.deepEqual(errors, []);
    assert.deepEqual(run({ spec: { min: 2, max: 1 } }), ['spec: Invalid value: "object": min 2 is above']);
    assert.deepEqual(run({ spec: { min: 1, max: 1 } }, { spec: { min: 1, max: 2 } }), [
      'spec.max: Invalid value: "integer": may only grow',
    ]);
    const before = {
      spec: {
        min: 1,
        max: 2,
        items: [
          { name: 'a', value: 1 },
          { name: 'b', value: 1 },
        ],
      },
    };
    const after = {
      spec: {
        min: 1,
        max: 2,
        items: [
          { name: 'b', value: 2 },
          { name: 'c', value: 9 },
        ],
      },
    };
    assert.deepEqual(run(after, before), ['spec.items[0].value: Forbidden: fixed']);
  });

  it('that cannot be evaluated refuse, unless nothing changed', () => {
    const value = { spec: { min: 2 } };
    assert.match(
      run(value)[0] ?? '',
      /^spec: Invalid value: "object": no such key: max evaluating rule: failed rule: self.min <= self.max$/,
    );
    assert.deepEqual(run(value, value), []);
  });

  it('are refused with their definition when they do not compile, are too dear, or look back where nothing is known', () => {
    const list = (rule: object, more: Schema = {}): Schema =>
      specSchema({
        l: { type: 'array', items: { type: 'string', 'x-kubernetes-validations': [rule as never] }, ...more },
      });
    const problems = (given: Schema): string => {
      const found: { path: string; message: string }[] = [];
      compileRules(given, 's', found as never);
      return texts(found).join('\n');
    };
    assert.match(
      problems(list({ rule: 'self +' })),
      /compilation failed: ERROR: <input>:1:7: Syntax error: mismatched input '<EOF>'/,
    );
    assert.match(problems(list({ rule: '"a"' })), /must evaluate to a bool/);
    assert.match(
      problems(list({ rule: 'self == oldSelf' })),
      /oldSelf cannot be used on the uncorrelatable portion of the schema/,
    );
    assert.match(
      problems(list({ rule: 'self.matches("a.*b")' })),
      /estimated rule cost exceeds budget by factor of more than 100x/,
    );
    assert.equal(problems(list({ rule: 'self != "x"' }, { maxItems: 10 })), '');
    assert.match(
      problems(list({ rule: 'self != ""', fieldPath: '.a' }, { maxItems: 1 })),
      /fieldPath: Invalid value: ".a": must be a valid path/,
    );
  });
});

describe('schemas', () => {
  const spec = (inner: unknown): Schema => ({ type: 'object', properties: { spec: inner as Schema } });
  const cases: readonly (readonly [Schema, RegExp])[] = [
    [{}, /s.type: Required value: must not be empty at the root/],
    [{ type: 'string' }, /s.type: Invalid value: "string": must be object at the root/],
    [spec({}), /properties\[spec\].type: Required value: must not be empty for specified object fields/],
    [spec({ type: 'array' }), /items: Required value: must be specified/],
    [spec({ type: 'object', $ref: '#/a' }), /\$ref: Forbidden: \$ref is not supported/],
    [
      spec({ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } }),
      /additionalProperties and properties are mutual exclusive/,
    ],
    [spec({ type: 'array', uniqueItems: true, items: { type: 'string' } }), /uniqueItems cannot be set to true/],
    [spec({ type: 'string', pattern: '(' }), /must be a valid regular expression/],
    [
      { type: 'object', anyOf: [{ properties: { a: { minLength: 1 } } }] },
      /s.properties\[a\]: Required value: because it is defined in s.anyOf\[0\].properties\[a\]/,
    ],
    [
      spec({ type: 'array', items: {} }),
      /properties\[spec\].items.type: Required value: must not be empty for specified array items/,
    ],
    [
      spec({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'string' }, { type: 'integer' }] }),
      /anyOf\[1\].type: Forbidden: must be empty to be structural/,
    ],
    [
      spec({ 'x-kubernetes-int-or-string': true, 'x-kubernetes-preserve-unknown-fields': true }),
      /x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true/,
    ],
    [
      spec({
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['b'],
        items: { type: 'object', nullable: true },
      }),
      /items.nullable: Forbidden: .* is map\n.*list-map-keys: Invalid value: \["b"\]: entries must all be names of item/,
    ],
    [
      spec({
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-preserve-unknown-fields': true,
        default: {},
      }),
      /default.apiVersion: Required value\n.*default.kind: Required value/,
    ],
    [
      { type: 'object', additionalProperties: { type: 'string' } },
      /s.additionalProperties: Forbidden: must not be used at/,
    ],
    [
      spec({ type: 'object', anyOf: [{ type: 'object' }] }),
      /anyOf\[0\].type: Forbidden: must be empty to be structural/,
    ],
    [
      spec({ type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object' } }),
      /list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map/,
    ],
    [spec({ type: 'string', default: 1 }), /default: Invalid value: "integer"/],
    [
      spec({ type: 'object', 'x-kubernetes-embedded-resource': true }),
      /properties: Required value: must not be empty if x-kubernetes-embedded-resource is true/,
    ],
    [spec({ type: 'object', 'x-kubernetes-preserve-unknown-fields': false }), /must be true or undefined/],
  ];
  it('that are not structural are refused with the words of the original', () => {
    for (const [schema, expected] of cases) assert.match(texts(validateSchema(schema, 's')).join('\n'), expected);
  });

  it('that restrict nothing, or what is no field, are taken', () => {
    const good: readonly Schema[] = [
      spec({ type: 'object', additionalProperties: false }),
      spec({ type: 'object', anyOf: [{ properties: { a: { minLength: 1 } } }] }),
      spec({ type: 'string', maxLength: -1 }),
      spec({ type: 'string', anyOf: [{ type: 'integer' }, { type: 'string' }] }),
      spec({ type: 'integer', 'x-kubernetes-int-or-string': true }),
    ];
    for (const schema of good) assert.deepEqual(texts(validateSchema(schema, 's')), []);
  });

  it('that are hostile are refused, or checked quickly', () => {
    let deep: Schema = { type: 'string' };
    for (let i = 0; i < 5_000; i++) deep = { type: 'object', properties: { a: deep } };
    assert.match(texts(validateSchema(deep, 's')).join(), /must not be nested deeper/);
    const bomb = spec({ type: 'string', pattern: '((a{1,500}){1,500}){1,500}' });
    assert.match(texts(validateSchema(bomb, 's')).join(), /must be a valid regular expression/);
    const start = process.cpuUsage();
    const patterns = new Patterns();
    validateValue(`${'a'.repeat(50_000)}!`, { type: 'string', pattern: '^(a+)+$' }, patterns, 'f');
    validateValue('z', { type: 'string', enum: Array.from({ length: 100_000 }, (_, i) => `v${i}`) }, patterns, 'f');
    assert.ok(process.cpuUsage(start).user < 500_000);
  });
});

describe('paths of columns', () => {
  it('lead through fields, indexes, filters and all items', () => {
    const value = {
      a: { 'b.c': 1 },
      l: [
        { t: 'x', v: 1 },
        { t: 'y', v: 2 },
      ],
    };
    const at = (path: string): unknown => valuesAt(value, parseFieldPath(path) ?? []);
    assert.deepEqual(at('.a.b\\.c'), [1]);
    assert.deepEqual(at(".a['b.c']"), [1]);
    assert.deepEqual(at('.l[1].v'), [2]);
    assert.deepEqual(at('.l[*].v'), [1, 2]);
    assert.deepEqual(at('.l[?(@.t=="y")].v'), [2]);
    assert.equal(parseFieldPath('a b'), undefined);
  });
});

/** Schemas and values of them, small. */
const names = fc.constantFrom('a', 'b', 'c', '__proto__');
const schemas: fc.Arbitrary<Schema> = fc.letrec<{ schema: Schema }>((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant<Schema>({ type: 'string', default: 'd' }),
    fc.constant<Schema>({ type: 'integer' }),
    fc.constant<Schema>({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }),
    fc.dictionary(names, tie('schema'), { maxKeys: 3 }).map((properties): Schema => ({ type: 'object', properties })),
    tie('schema').map((additionalProperties): Schema => ({ type: 'object', additionalProperties })),
    tie('schema').map((items): Schema => ({ type: 'array', items })),
  ),
})).schema;
const json = fc.jsonValue({ maxDepth: 4 }).map((value) => cloneJson(value));

/** Pruning in the simplest words: keep what the schema names. */
function prunedModel(value: unknown, schema: Schema): unknown {
  const { items, properties, additionalProperties } = schema;
  if (Array.isArray(value)) {
    if (!items && schema['x-kubernetes-preserve-unknown-fields']) return value;
    return value.map((item) => prunedModel(item, (items as Schema | undefined) ?? {}));
  }
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [name, field] of Object.entries(value)) {
    const inner =
      properties && Object.hasOwn(properties, name) ? properties[name] : (additionalProperties as Schema | undefined);
    const isNoValue = field === null && inner && !inner.nullable && inner.default === undefined;
    if (isNoValue) continue;
    if (inner) setField(result, name, prunedModel(field, inner));
    else if (schema['x-kubernetes-preserve-unknown-fields']) setField(result, name, field);
  }
  return result;
}

describe('properties', () => {
  it('pruning keeps exactly what the schema names, and reports the rest', () => {
    fc.assert(
      fc.property(schemas, json, (schema, value) => {
        const unknown: string[] = [];
        const pruned = prune(value, schema, false, { unknown });
        assert.deepEqual(pruned, prunedModel(value, schema));
        if (pruned === value) assert.deepEqual(unknown, []);
        else assert.ok(unknown.length > 0 || JSON.stringify(value).includes('null'));
        assert.equal(prune(pruned, schema, false), pruned);
      }),
      { numRuns: 500 },
    );
  });

  it('defaulting is idempotent and changes nothing that was given', () => {
    fc.assert(
      fc.property(schemas, json, (schema, value) => {
        const before = cloneJson(value);
        applyDefaults(value, schema);
        const once = cloneJson(value);
        applyDefaults(value, schema);
        assert.deepEqual(value, once);
        if (isObject(before) && isObject(value)) {
          for (const name of Object.keys(before)) {
            const given: unknown = before[name];
            if (typeof given !== 'object') assert.deepEqual(value[name], given);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
