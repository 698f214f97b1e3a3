import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takenOver, updatersOf, type FieldSet, type ManagedFieldsEntry } from './field-ownership.js';

const entry = (
  manager: string,
  operation: 'Apply' | 'Update',
  fieldsV1: FieldSet,
  rest: Partial<ManagedFieldsEntry> = {},
): ManagedFieldsEntry => ({ manager, operation, apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1, ...rest });
const data = (...keys: string[]): FieldSet => ({ 'f:data': Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) });

test('whoever updated a field is found, once, and those who applied it are not', () => {
  const entries = [
    entry('one', 'Update', data('a')),
    entry('one', 'Update', data('a', 'b'), { apiVersion: 'v2' }),
    entry('two', 'Update', data('b')),
    entry('three', 'Apply', data('a')),
  ];
  assert.deepEqual(updatersOf(entries, ['f:data', 'f:a']), ['one']);
  assert.deepEqual(updatersOf(entries, ['f:data', 'f:constructor']), []);
});

test('what was updated is joined to what the manager applies', () => {
  const entries = [entry('kubectl', 'Apply', data('a')), entry('csa', 'Update', data('a', 'b'), { time: 't' })];
  assert.deepEqual(takenOver(entries, ['csa'], 'kubectl'), [entry('kubectl', 'Apply', data('a', 'b'))]);
});

test('the newest update becomes the apply where there is none', () => {
  const entries = [
    entry('other', 'Update', data('z')),
    entry('csa', 'Update', data('b'), { time: 'new' }),
    entry('csa', 'Update', data('a'), { time: 'old' }),
  ];
  assert.deepEqual(takenOver(entries, ['csa'], 'kubectl'), [
    entry('other', 'Update', data('z')),
    entry('kubectl', 'Apply', data('b'), { time: 'new' }),
  ]);
});

test('fields of another version are dropped, those of a subresource are left alone', () => {
  const status = entry('csa', 'Update', data('s'), { subresource: 'status' });
  const entries = [
    entry('kubectl', 'Apply', data('a')),
    entry('csa', 'Update', data('old'), { apiVersion: 'v1beta1' }),
    status,
  ];
  assert.deepEqual(takenOver(entries, ['csa'], 'kubectl'), [entry('kubectl', 'Apply', data('a')), status]);
});

test('of several updaters each is taken over', () => {
  const entries = [entry('one', 'Update', data('a')), entry('two', 'Update', data('b'))];
  assert.deepEqual(takenOver(entries, ['one', 'two'], 'kubectl'), [entry('kubectl', 'Apply', data('a', 'b'))]);
});

test('entries stay what they are where nobody updated', () => {
  const entries = [entry('kubectl', 'Apply', data('a'))];
  assert.equal(takenOver(entries, ['csa'], 'kubectl'), entries);
});
