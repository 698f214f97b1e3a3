import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goText } from './go-text.js';

test('values are printed as Go prints them, the keys of maps in order', () => {
  assert.equal(goText({ b: ['x', 1, true], a: { c: null } }), 'map[a:map[c:<nil>] b:[x 1 true]]');
  assert.equal(goText(undefined), '<nil>');
  assert.equal(goText([]), '[]');
});
