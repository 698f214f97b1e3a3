import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StatusError } from '../errors/status-error.js';
import type { MergeSchema } from './merge-schema.js';
import { strategicMergePatch } from './strategic-merge-patch.js';

const object = (fields: Readonly<Record<string, MergeSchema>>, rules: Partial<MergeSchema> = {}): MergeSchema => ({
  isMergedList: false,
  isReplaced: false,
  mergeKey: undefined,
  field: (name) => (Object.hasOwn(fields, name) ? fields[name] : undefined),
  ...rules,
});
const list = (mergeKey?: string, fields: Readonly<Record<string, MergeSchema>> = {}): MergeSchema =>
  object(fields, { isMergedList: true, mergeKey });

/** A part of the rules of a pod, and a map that does not merge. */
const schema = object({
  metadata: object({ finalizers: list() }),
  spec: object({
    containers: list('name', { ports: list('containerPort') }),
    selector: object({}, { isReplaced: true }),
  }),
});
const patchSpec = (current: object, patch: object): unknown =>
  strategicMergePatch({ spec: current }, { spec: patch }, schema)['spec'];
function refusal(current: object, patch: unknown): string {
  try {
    strategicMergePatch(current as Record<string, unknown>, patch, schema);
  } catch (error) {
    assert.ok(error instanceof StatusError && error.code === 400, String(error));
    return error.message;
  }
  throw new Error('the patch was accepted');
}

test('lists with a merge key merge item by item', () => {
  const current = {
    containers: [
      { name: 'a', image: 'a:1', args: ['x'] },
      { name: 'b', image: 'b:1' },
    ],
  };
  assert.deepEqual(patchSpec(current, { containers: [{ name: 'a', image: 'a:2' }] }), {
    containers: [
      { name: 'a', image: 'a:2', args: ['x'] },
      { name: 'b', image: 'b:1' },
    ],
  });
});

test('a new item comes before the items of the server, which keep their order', () => {
  const current = { containers: [{ name: 'a' }, { name: 'c' }] };
  assert.deepEqual(patchSpec(current, { containers: [{ name: 'b' }] }), {
    containers: [{ name: 'b' }, { name: 'a' }, { name: 'c' }],
  });
});

test('lists without a merge strategy are replaced', () => {
  assert.deepEqual(
    patchSpec({ containers: [{ name: 'a', args: ['x', 'y'] }] }, { containers: [{ name: 'a', args: ['z'] }] }),
    {
      containers: [{ name: 'a', args: ['z'] }],
    },
  );
});

test('$patch: delete removes an item or empties a map', () => {
  const current = { containers: [{ name: 'a' }, { name: 'b' }], nodeSelector: { x: '1' } };
  assert.deepEqual(
    patchSpec(current, { containers: [{ name: 'a', $patch: 'delete' }], nodeSelector: { $patch: 'delete' } }),
    { containers: [{ name: 'b' }], nodeSelector: {} },
  );
});

test('$patch: replace takes the patch as it stands', () => {
  const current = { containers: [{ name: 'a' }, { name: 'b' }], nodeSelector: { x: '1' } };
  assert.deepEqual(
    patchSpec(current, {
      containers: [{ $patch: 'replace' }, { name: 'c' }],
      nodeSelector: { $patch: 'replace', y: '2' },
    }),
    { containers: [{ name: 'c' }], nodeSelector: { y: '2' } },
  );
});

test('a map whose field says so is replaced', () => {
  assert.deepEqual(patchSpec({ selector: { x: '1' } }, { selector: { y: '2' } }), { selector: { y: '2' } });
});

test('what replaces something is taken as it stands, with directives in it', () => {
  const added = { name: 'b', ports: [{ $patch: 'replace' }] };
  assert.deepEqual(patchSpec({ containers: [{ name: 'a' }] }, { containers: [added] }), {
    containers: [added, { name: 'a' }],
  });
  const spec = { $patch: 'replace', containers: [{ name: 'a', $patch: 'delete' }] };
  assert.deepEqual(patchSpec({}, spec), { containers: [{ name: 'a', $patch: 'delete' }] });
});

test('an item that is deleted makes room for a new one, which then counts as having been there', () => {
  const current = { containers: [{ name: 'c' }, { name: 'a' }] };
  const patch = {
    containers: [{ name: 'b' }, { name: 'c', $patch: 'delete' }],
    '$setElementOrder/containers': [{ name: 'b' }],
  };
  assert.deepEqual(patchSpec(current, patch), { containers: [{ name: 'a' }, { name: 'b' }] });
});

test('what is deleted from a list with an order is deleted after it was merged', () => {
  const patch = {
    finalizers: ['b'],
    '$deleteFromPrimitiveList/finalizers': ['a', 'b'],
    '$setElementOrder/finalizers': ['b'],
  };
  const patched = strategicMergePatch({ metadata: { finalizers: ['a', 'c'] } }, { metadata: patch }, schema);
  assert.deepEqual(patched, { metadata: { finalizers: ['c'] } });
});

test('$deleteFromPrimitiveList and a merging list of primitives', () => {
  const patch = { metadata: { finalizers: ['c', 'a'], '$deleteFromPrimitiveList/finalizers': ['b'] } };
  const patched = strategicMergePatch({ metadata: { finalizers: ['a', 'b'] } }, patch, schema);
  assert.deepEqual(patched, { metadata: { finalizers: ['c', 'a'] } });
});

test('$setElementOrder sorts, with or without a change of the list', () => {
  const current = { containers: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] };
  const order = [{ name: 'c' }, { name: 'a' }];
  assert.deepEqual(patchSpec(current, { '$setElementOrder/containers': order }), {
    containers: [{ name: 'b' }, { name: 'c' }, { name: 'a' }],
  });
  const withNew = [{ name: 'n' }, { name: 'c' }, { name: 'b' }, { name: 'a' }];
  assert.deepEqual(
    patchSpec(current, { '$setElementOrder/containers': withNew, containers: [{ name: 'n', image: 'x' }] }),
    { containers: [{ name: 'n', image: 'x' }, { name: 'c' }, { name: 'b' }, { name: 'a' }] },
  );
  const unordered = { spec: { '$setElementOrder/containers': [{ name: 'a' }], containers: [{ name: 'b' }] } };
  assert.equal(
    refusal({ spec: current }, unordered),
    "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
  );
});

test('$retainKeys drops what it does not name', () => {
  const current = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } };
  const patch = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } };
  assert.deepEqual(strategicMergePatch(current, patch, schema), { spec: { strategy: { type: 'Recreate' } } });
  assert.match(
    refusal(current, { spec: { strategy: { $retainKeys: ['type'], type: 'x', other: 1 } } }),
    /invalid patch format of retainKeys/,
  );
});

test('ports that share a number stay apart', () => {
  const ports = [
    { containerPort: 53, protocol: 'UDP' },
    { containerPort: 53, protocol: 'TCP' },
  ];
  assert.deepEqual(
    patchSpec({ containers: [{ name: 'a', ports }] }, { containers: [{ name: 'a', ports: [{ containerPort: 80 }] }] }),
    { containers: [{ name: 'a', ports: [{ containerPort: 80 }, ...ports] }] },
  );
});

test('nulls remove, and are not stored where there is nothing to remove', () => {
  assert.deepEqual(
    patchSpec({ hostNetwork: true, nodeName: 'n' }, { hostNetwork: null, nodeSelector: { a: null, b: '1' } }),
    {
      nodeName: 'n',
      nodeSelector: { b: '1' },
    },
  );
});

test('where there is nothing to merge with, what has a directive is no part of the value', () => {
  const containers = [{ name: 'a', args: ['x', null] }, { name: 'b', $patch: 'delete' }, { $patch: 'replace' }];
  assert.deepEqual(patchSpec({}, { containers, nodeSelector: { $patch: 'replace', a: 'b' }, x: { $retainKeys: [] } }), {
    containers: [{ name: 'a', args: ['x', null] }],
    x: { $retainKeys: [] },
  });
});

test('malformed patches are a 400 with the reason', () => {
  const current = { spec: { containers: [{ name: 'a' }] }, metadata: { finalizers: ['x'] } };
  const spec = (patch: object): string => refusal(current, { spec: patch });
  assert.equal(refusal(current, []), 'invalid JSON document');
  assert.equal(spec({ $patch: 'x' }), 'unknown patch type: x in map: map[$patch:x]');
  assert.equal(spec({ $patch: 'merge' }), 'unknown patch type: merge in map: map[$patch:merge]');
  assert.equal(spec({ containers: [{ image: 'x' }] }), 'map: map[image:x] does not contain declared merge key: name');
  assert.equal(
    spec({ containers: [{ name: 'a', $patch: 'x' }] }),
    'unknown patch type: x in map: map[$patch:x name:a]',
  );
  assert.equal(
    spec({ containers: [{ name: 'a', $patch: 'merge' }] }),
    'merging lists cannot yet be specified in the patch',
  );
  assert.equal(spec({ containers: ['b'] }), 'list element types are not identical: [[map[name:a]] [b]]');
  assert.match(refusal({ spec: { containers: [] } }, { spec: { containers: [['a']] } }), /lists of lists/);
  assert.equal(spec({ '$setElementOrder/containers': 1 }), 'expected a []interface {}, but received a int64');
  assert.match(
    spec({ '$setElementOrder/containers': ['a'] }),
    /expected a map\[string\]interface {}, but received a string/,
  );
  assert.match(spec({ containers: null, '$setElementOrder/containers': [] }), /expected a \[\]interface {}/);
  assert.match(spec({ '$deleteFromPrimitiveList-x': [] }), /primitive list/);
  assert.match(
    spec({ '$deleteFromPrimitiveList/containers': [{ image: 'a' }] }),
    /does not contain declared merge key/,
  );
  assert.match(
    refusal({ spec: { containers: [] } }, { spec: { containers: [], '$setElementOrder/containers': [] } }),
    /no elements/,
  );
});

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const item = fc.record({ name, image: fc.constantFrom('x', 'y') }, { noNullPrototype: true });
const items = fc.uniqueArray(item, { selector: ({ name: key }) => key });

test('a patch is idempotent, merges by key, and changes neither argument', () => {
  fc.assert(
    fc.property(items, items, fc.subarray(['a', 'b', 'c']), (current, changes, gone) => {
      const deletions = gone
        .filter((key) => !changes.some((item) => item.name === key))
        .map((key) => ({ name: key, $patch: 'delete' }));
      const spec = { containers: current };
      const patch = { containers: [...changes, ...deletions] };
      const before = JSON.stringify([spec, patch]);
      const once = patchSpec(spec, patch) as typeof spec;
      assert.equal(JSON.stringify([spec, patch]), before);
      assert.deepEqual(patchSpec(once, patch), once);
      const model = new Map(current.map((item) => [item.name, item.image]));
      for (const { name: key } of deletions) model.delete(key as 'a');
      for (const item of changes) model.set(item.name, item.image);
      assert.deepEqual(new Map(once.containers.map((item) => [item.name, item.image])), model);
    }),
  );
});
