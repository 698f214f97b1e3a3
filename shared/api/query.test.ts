import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isQueryFlagSet } from './query.js';

test('a flag of a query is set unless it is absent, 0 or false in any case', () => {
  const read = (text: string): boolean => isQueryFlagSet(new URLSearchParams(text), 'a');
  for (const text of ['a=true', 'a=True', 'a=1', 'a', 'a=', 'a=yes']) assert.equal(read(text), true, text);
  for (const text of ['', 'b=1', 'a=false', 'a=False', 'a=0']) assert.equal(read(text), false, text);
});
