import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrapped } from './wrap.js';

test('a line is broken where a word begins, and the blanks there go', () => {
  assert.deepEqual(wrapped('one two  three', 7), ['one two', 'three']);
  assert.deepEqual(wrapped('one two', 6), ['one', 'two']);
});

test('lines and blanks of the text stay', () => {
  assert.deepEqual(wrapped('a:\n  * b  c\n\n\td', 20), ['a:', '  * b  c', '', '\td']);
});

test('a word that is longer than a line begins one of its own and is not cut', () => {
  assert.deepEqual(wrapped('see https://example.org/long for more', 10), [
    'see',
    'https://example.org/long',
    'for more',
  ]);
});
