import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldSelectorError, parseFieldSelector } from './field-selector.js';

test('terms come sorted, with their values unescaped', () => {
  const shown = parseFieldSelector('b!=2,,a==x\\,y').map(({ field, operator, value }) => [field, operator, value]);
  assert.deepEqual(shown, [
    ['a', '=', 'x,y'],
    ['b', '!=', '2'],
  ]);
  assert.deepEqual(parseFieldSelector('a>\\=1'), [{ field: 'a>\\', operator: '=', value: '1' }]);
});

test('what is no selector is refused in the words of the original', () => {
  const table: [string, string][] = [
    ['b=1,!x,a', "invalid selector: 'b=1,!x,a'; can't understand '!x'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=\\b', 'invalid field selector: invalid escape sequence: \\b'],
  ];
  for (const [text, message] of table)
    assert.throws(
      () => parseFieldSelector(text),
      (error) => error instanceof FieldSelectorError && error.message === message,
      text,
    );
});
