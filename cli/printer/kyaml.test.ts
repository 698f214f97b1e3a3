import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatKyaml } from './kyaml.js';

test('maps and lists have brackets, and keys stand in alphabetical order', () => {
  const text = formatKyaml({ b: [{ x: 1 }, { z: true }], a: { c: null, d: [] }, e: ['one', 'two'], g: {} });
  assert.equal(
    text,
    '---\n{\n  a: {\n    c: null,\n    d: [],\n  },\n  b: [{\n    x: 1,\n  }, {\n    z: true,\n  }],\n  e: [\n    "one",\n    "two",\n  ],\n  g: {},\n}',
  );
});

test('a key that YAML may take for something else is quoted, as every string is', () => {
  const keys = [
    'no',
    'y',
    '1',
    '0x1f',
    '1_000',
    '2026-01-01',
    '12:30:45',
    '',
    'a b',
    '-x',
    'x-',
    'null',
    '.5e3',
    'inf',
  ];
  for (const key of keys) assert.equal(formatKyaml({ [key]: 'v' }), `---\n{\n  ${JSON.stringify(key)}: "v",\n}`, key);
  const plain = ['name', 'app.kubernetes.io/name', 'a-b', '_x', 'x1'];
  for (const key of plain) assert.equal(formatKyaml({ [key]: '' }), `---\n{\n  ${key}: "",\n}`, key);
});

test('a text of several lines is shown line by line', () => {
  assert.equal(
    formatKyaml({ a: 'one\n  two\n\nlast' }),
    '---\n{\n  a: "\\\n     one\\n\\\n    \\  two\\n\\\n     \\n\\\n     last\\\n    ",\n}',
  );
});
