import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManifestError, readManifests } from './manifest.js';

const values = (text: string): unknown[] => readManifests(text).map(({ value }) => value);
function failure(text: string): ManifestError {
  try {
    readManifests(text, { file: 'pod.yaml' });
  } catch (error) {
    assert.ok(error instanceof ManifestError, String(error));
    return error;
  }
  throw new Error('the manifest was accepted');
}

test('scalars mean what they mean to kubectl', () => {
  const cases: [text: string, value: unknown][] = [
    ['0644', 420],
    ['0x1F', 31],
    ['no', false],
    ['On', true],
    ['~', undefined],
    ['22:22', '22:22'],
    ['2001-01-01', '2001-01-01'],
    ['2001-01-01T00:00:00Z', '2001-01-01T00:00:00Z'],
    ['12e4567', '12e4567'],
    ['1e3', 1000],
    ['"no"', 'no'],
    ['1_000', 1000],
  ];
  for (const [text, value] of cases) assert.deepEqual(values(`a: ${text}`), [{ a: value ?? null }], text);
});

test('several documents, comments and empty ones', () => {
  assert.deepEqual(values('# first\n---\na: 1\n---\n---\n# none\n---\nb: 2\n...\n'), [{ a: 1 }, { b: 2 }]);
  assert.deepEqual(values(''), []);
  assert.deepEqual(values('{"a": [1, "x", null]}'), [{ a: [1, 'x', null] }]);
});

test('anchors and merge keys are resolved', () => {
  assert.deepEqual(values('a: &a {x: 1, z: 2}\nb:\n  <<: *a\n  z: 3\n'), [{ a: { x: 1, z: 2 }, b: { x: 1, z: 3 } }]);
});

test('errors carry file, line and column', () => {
  assert.equal(failure('kind: Pod\nspec:\n  a: b: c\n').message.slice(0, 14), 'pod.yaml:3:6: ');
  assert.match(failure('a: 1\nb:\n\t- x\n').message, /^pod\.yaml:3:\d+: /);
  assert.equal(failure('a: 1\nb: 2\na: 3\n').message, 'pod.yaml:3:1: the key "a" is already set above');
  assert.match(failure('a: *nope').message, /^pod\.yaml:1:4: .*nope/);
  assert.match(failure('a: {b: 1\n').message, /^pod\.yaml:2:1: /);
});

test('a value can be found again in the text', () => {
  const [document] = readManifests('---\nspec:\n  containers:\n  - name: a\n    image: x\n');
  assert.ok(document);
  assert.deepEqual(document.position, { line: 2, column: 1 });
  assert.deepEqual(document.locate(['spec', 'containers', 0, 'image']), { line: 5, column: 12 });
  assert.deepEqual(document.locate(['spec', 'containers', 0, 'imag']), { line: 4, column: 5 });
});

test('__proto__ is a key like any other', () => {
  assert.equal(JSON.stringify(values('__proto__: {a: 1}\nb: 2')), '[{"__proto__":{"a":1},"b":2}]');
});

test('bombs and deep nesting are refused quickly', () => {
  const bomb = ['a0: &a0 [x, x]', ...Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)];
  const texts = [
    bomb.join('\n'),
    '['.repeat(500_000),
    '{a: '.repeat(100_000),
    '- '.repeat(400_000),
    Array.from({ length: 2000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    `[${"'[', ".repeat(300)}${'['.repeat(300)}`,
    '&a [*a]',
    'a\n---\n'.repeat(20_000),
  ];
  for (const text of texts) {
    const before = process.cpuUsage();
    failure(text);
    // CPU time: other processes of the machine do not count. A bomb that goes off takes minutes.
    assert.ok(process.cpuUsage(before).user < 5_000_000, text.slice(0, 20));
  }
});

test('a mapping of many keys is read in linear time', () => {
  const cpuTime = (keys: number): number => {
    const text = Array.from({ length: keys }, (_, i) => `k${i}: 1`).join('\n');
    const before = process.cpuUsage();
    readManifests(text);
    return process.cpuUsage(before).user;
  };
  cpuTime(5_000); // compiled by now
  // Eight times the keys: 64 times the work, were it quadratic.
  assert.ok(cpuTime(40_000) < 32 * cpuTime(5_000));
});

test('numbers are read by the rules of Go, which kubectl reads with, and what is none stays text', () => {
  const read = (word: string): unknown => (readManifests(`a: ${word}`)[0]?.value as { a: unknown } | undefined)?.a;
  const numbers = { '0644': 420, '0o644': 420, '08': 8, '1_000': 1000, '0b11': 3, '-0x1': -1, '.5': 0.5, '5.': 5 };
  for (const [word, value] of Object.entries(numbers)) assert.equal(read(word), value, word);
  for (const word of ['.', '1e', '0b12', '1e400', '1.2.3', '22:22', '_1']) assert.equal(read(word), word);
  assert.equal(read('!!float 1'), 1);
  assert.equal(read('!!binary aGk='), 'hi');
});

test('keys are what their words stand for', () => {
  const [manifest] = readManifests('on: 1\nNo: 2\n007: 3\n1.50: 4\n1e6: 5\n"yes": 6\n2001-01-01: 7');
  const keys = ['true', 'false', '7', '1.5', '1e+06', 'yes', '2001-01-01'];
  assert.deepEqual(manifest?.value, Object.fromEntries(keys.map((key, index) => [key, index + 1])));
});

test('keys stay the words that they are for a reader that wants text', () => {
  const [manifest] = readManifests('y: 1\nno: off', { hasTextKeys: true });
  assert.deepEqual(manifest?.value, { y: 1, no: false });
});
