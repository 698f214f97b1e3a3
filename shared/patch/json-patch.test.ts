import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyPatch, createPatch } from 'rfc6902';
import { refusal } from '../errors/testing/refusal.js';
import { cloneJson } from '../api/json.js';
import { jsonMergePatch } from './json-merge-patch.js';
import { jsonPatch } from './json-patch.js';
const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<unknown>;
const cause = (target: unknown, operation: unknown): string | undefined =>
  refusal(() => jsonPatch(target, [operation])).details?.causes?.[0]?.message;

test('each operation does what RFC 6902 says', () => {
  const target = Object.freeze({ a: { b: [1, 2] }, 'x/y': 1 });
  const patch = [
    { op: 'add', path: '/a/b/-', value: 3 },
    { op: 'add', path: '/a/b/0', value: 0 },
    { op: 'replace', path: '/x~1y', value: 2 },
    { op: 'copy', from: '/a/b', path: '/c' },
    { op: 'move', from: '/x~1y', path: '/d' },
    { op: 'remove', path: '/a/b/-1' },
    { op: 'test', path: '/c', value: [0, 1, 2, 3] },
  ];
  assert.deepEqual(jsonPatch(target, patch), { a: { b: [0, 1, 2] }, c: [0, 1, 2, 3], d: 2 });
  assert.deepEqual(target, { a: { b: [1, 2] }, 'x/y': 1 });
});

test('a patch that does not apply is a 422 that tells which operation and why', () => {
  const error = refusal(() => jsonPatch({ a: 1 }, [{ op: 'test', path: '/a', value: 2 }]));
  assert.equal(error.code, 422);
  assert.equal(error.reason, 'Invalid');
  assert.equal(error.message, 'the server rejected our request due to an error in our request');
  assert.deepEqual(error.details?.causes, [
    { reason: 'FieldValueInvalid', message: 'testing value /a failed: test failed', field: 'patch[0]' },
  ]);
  assert.match(cause({}, { op: 'remove', path: '/a' }) ?? '', /nonexistent key: a/);
  assert.match(cause([], { op: 'replace', path: '/0', value: 1 }) ?? '', /doc is missing key: \/0: missing value/);
  assert.match(cause({}, { op: 'add', path: '/a/b', value: 1 }) ?? '', /doc is missing path: "\/a\/b"/);
  assert.match(cause([], { op: 'add', path: '/5', value: 1 }) ?? '', /invalid index: 5/);
  assert.match(cause({}, { op: 'add', path: 'a', value: 1 }) ?? '', /missing path/);
  assert.match(cause({}, { op: 'merge', path: '/a' }) ?? '', /Unexpected kind: merge/);
  assert.match(cause({ a: {} }, { op: 'move', from: '/a', path: '/a/b' }) ?? '', /missing destination path: \/a\/b/);
  assert.match(cause({}, { op: 'copy', path: '/a' }) ?? '', /missing from field/);
  assert.match(cause({}, { op: 'add', path: 1 }) ?? '', /add operation failed to decode path: missing value/);
  assert.match(cause({}, null) ?? '', /Unexpected kind: unknown/);
});

test('what RFC 6902 refuses and the library of the original does not, is done', () => {
  assert.deepEqual(jsonPatch({}, [{ op: 'replace', path: '/a', value: 1 }]), { a: 1 });
  assert.deepEqual(jsonPatch({}, [{ op: 'copy', from: '/a', path: '/b' }]), { b: null });
  assert.deepEqual(jsonPatch({}, [{ op: 'add', path: '/a' }]), { a: null });
  assert.deepEqual(jsonPatch({}, [{ op: 'test', path: '/a', value: null }]), {});
  assert.deepEqual(jsonPatch({ a: 1 }, [{ op: 'replace', path: '', value: { b: 1 } }]), { b: 1 });
  assert.deepEqual(jsonPatch([1, 2], [{ op: 'remove', path: '/01' }]), [1]);
  assert.deepEqual(jsonPatch([1, 2], [{ op: 'remove', path: 'x/1' }]), [1]);
  assert.deepEqual(jsonPatch({ a: 1 }, null), { a: 1 });
});

test('what is not a patch is a 400, too many operations a 413', () => {
  assert.equal(refusal(() => jsonPatch({}, {})).code, 400);
  assert.equal(refusal(() => jsonPatch({}, [1])).code, 400);
  const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: {} }));
  const error = refusal(() => jsonPatch({}, many));
  assert.equal(error.code, 413);
  assert.match(error.message, /maximum operations in a JSON patch is 10000, got 10001/);
});

test('inherited names are missing and __proto__ is a key like any other', () => {
  assert.match(cause({}, { op: 'add', path: '/constructor/prototype/x', value: 1 }) ?? '', /missing path/);
  assert.match(cause({}, { op: 'remove', path: '/toString' }) ?? '', /nonexistent key/);
  const patched = jsonPatch({ data: {} }, [{ op: 'add', path: '/data/__proto__', value: { polluted: true } }]);
  assert.equal(JSON.stringify(patched), '{"data":{"__proto__":{"polluted":true}}}');
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('copies cannot grow or nest without bound, and lists cannot be shifted for ever', () => {
  const doubling = Array.from({ length: 40 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
  assert.equal(refusal(() => jsonPatch({ a: ['x'.repeat(1000)] }, doubling)).code, 422);
  const nested = Array.from({ length: 12 }, (_, i) => ({
    op: 'copy',
    from: '/a',
    path: `/a${'/a'.repeat(2 ** Math.min(i, 8))}`,
  }));
  assert.equal(refusal(() => jsonPatch({ a: {} }, [...nested, ...nested])).code, 422);
  const list = Array.from({ length: 100_000 }, () => 0);
  const shifting = Array.from({ length: 10_000 }, () => ({ op: 'add', path: '/0', value: 1 }));
  assert.equal(refusal(() => jsonPatch(list, shifting)).code, 413);
});

test('agrees with the reference implementation on differences of arbitrary values', () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      // The reference drops such keys.
      fc.pre(!JSON.stringify([a, b]).includes('__proto__'));
      const from = { root: a };
      const to = { root: b };
      const patch = createPatch(from, to);
      const reference = cloneJson(from);
      applyPatch(reference, patch);
      assert.deepEqual(jsonPatch(from, patch), reference);
    }),
    { numRuns: 300 },
  );
});

/** The definition of RFC 7386, word for word. */
function mergePatchModel(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isMap = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result = new Map(isMap ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, mergePatchModel(result.get(name), value));
  }
  return Object.fromEntries(result);
}

/** There the original's library goes further than the text. */
function hasNullInList(value: unknown, isInList = false): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some((item) => hasNullInList(item, true));
  return Object.values(value).some((member) => (isInList && member === null) || hasNullInList(member, isInList));
}

test('a JSON merge patch takes nulls also from the objects of lists that it sets', () => {
  const patch = { a: [{ b: null, c: 1 }, null] };
  const merged = { a: [{ c: 1 }, null] };
  assert.deepEqual(jsonMergePatch({}, patch), merged);
  assert.deepEqual(jsonMergePatch({ a: [1] }, patch), merged);
  assert.deepEqual(jsonMergePatch({ a: {} }, patch), patch);
});

test('a JSON merge patch agrees with the text of RFC 7386', () => {
  fc.assert(
    fc.property(json, json, (target, patch) => {
      const before = JSON.stringify(target);
      fc.pre(!hasNullInList(patch));
      assert.deepEqual(jsonMergePatch(target, patch), mergePatchModel(target, patch));
      assert.equal(JSON.stringify(target), before);
    }),
    { numRuns: 500 },
  );
  const patch = JSON.parse('{"__proto__":{"x":1},"a":null}') as unknown;
  assert.equal(JSON.stringify(jsonMergePatch({ a: 1, b: 2 }, patch)), '{"b":2,"__proto__":{"x":1}}');
});
