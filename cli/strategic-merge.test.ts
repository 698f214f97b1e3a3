import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonMerge, strategicMerge } from './strategic-merge.js';

test('lists of pods are merged by their keys, others are replaced', () => {
  const base = {
    containers: [
      { name: 'a', image: 'x', env: [{ name: 'K', value: '1' }], args: ['1'] },
      { name: 'b', image: 'y' },
    ],
    tolerations: [{ key: 'a' }],
  };
  const patch = {
    containers: [
      { name: 'b', image: 'z' },
      { name: 'a', args: ['2'] },
    ],
    tolerations: [{ key: 'b' }],
  };
  assert.deepEqual(strategicMerge(base, patch), {
    containers: [
      { name: 'a', image: 'x', env: [{ name: 'K', value: '1' }], args: ['2'] },
      { name: 'b', image: 'z' },
    ],
    tolerations: [{ key: 'b' }],
  });
});

test('directives delete an item, replace a list or an object, and null removes a field', () => {
  const env = [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ];
  assert.deepEqual(strategicMerge({ env }, { env: [{ name: 'A', $patch: 'delete' }] }), { env: [env[1]] });
  assert.deepEqual(strategicMerge({ env }, { env: [{ name: 'C' }, { $patch: 'replace' }] }), { env: [{ name: 'C' }] });
  assert.deepEqual(strategicMerge({ selector: { a: 'b' } }, { selector: { c: 'd', $patch: 'replace' } }), {
    selector: { c: 'd' },
  });
  assert.deepEqual(strategicMerge({ a: 1, b: 2 }, { a: null, '$setElementOrder/env': [] }), { b: 2 });
});

test('ports have the key that all of them have', () => {
  const ports = [{ port: 80 }, { port: 443 }];
  assert.deepEqual(strategicMerge({ ports }, { ports: [{ port: 443, name: 's' }] }), {
    ports: [{ port: 80 }, { port: 443, name: 's' }],
  });
});

test('a JSON merge patch replaces lists, removes by null, and makes what is not there', () => {
  assert.deepEqual(jsonMerge({ a: { b: 1, c: [1] } }, { a: { b: null, c: [2] }, d: { e: null, f: 1 } }), {
    a: { c: [2] },
    d: { f: 1 },
  });
});
