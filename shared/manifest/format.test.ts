import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { formatManifest } from './format.js';

test('keys are sorted, lists stand at the level of their key, and nothing is folded', () => {
  const value = {
    spec: { containers: [{ name: 'a', args: ['-c', 'x'.repeat(200)] }] },
    apiVersion: 'v1',
    empty: {},
    none: [],
  };
  assert.equal(
    formatManifest(value),
    `apiVersion: v1\nempty: {}\nnone: []\nspec:\n  containers:\n  - args:\n    - -c\n    - ${'x'.repeat(200)}\n    name: a\n`,
  );
});

test('a string that YAML 1.1 would read as a number, a truth value or nothing is quoted', () => {
  const strings = [
    '1',
    '0644',
    'no',
    'yes',
    'on',
    'null',
    '~',
    '1e3',
    '1_000',
    '12:30',
    '2026-01-01',
    '',
    ' x',
    'true',
    '.5',
    '0x1f',
    '=',
    '- a',
    'a: b',
    '#x',
    'two\nlines\n',
  ];
  assert.deepEqual(parse(formatManifest({ strings }), { version: '1.1' }), { strings });
});
