import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnyCondition, getCondition, isConditionTrue, removeCondition, setCondition } from './condition.js';

const T0 = '2024-01-01T00:00:00Z';
const T1 = '2024-01-01T00:01:00Z';

test('the transition time is kept while the status stays, and changes with it', () => {
  let conditions: readonly AnyCondition[] = setCondition<AnyCondition>(
    undefined,
    { type: 'Ready', status: 'False' },
    T0,
  );
  assert.deepEqual(conditions, [{ type: 'Ready', status: 'False', lastTransitionTime: T0 }]);
  conditions = setCondition<AnyCondition>(conditions, { type: 'Ready', status: 'False', reason: 'Slow' }, T1);
  assert.deepEqual(conditions, [{ type: 'Ready', status: 'False', reason: 'Slow', lastTransitionTime: T0 }]);
  conditions = setCondition<AnyCondition>(conditions, { type: 'Ready', status: 'True' }, T1);
  assert.deepEqual(conditions, [{ type: 'Ready', status: 'True', lastTransitionTime: T1 }]);
  assert.equal(isConditionTrue(conditions, 'Ready'), true);
});

test('setting what is there already gives the same array', () => {
  const conditions: AnyCondition[] = [{ type: 'Ready', status: 'True', lastTransitionTime: T0 }];
  assert.equal(setCondition<AnyCondition>(conditions, { type: 'Ready', status: 'True' }, T1), conditions);
  assert.equal(removeCondition(conditions, 'Other'), conditions);
  assert.deepEqual(removeCondition(conditions, 'Ready'), []);
  assert.equal(getCondition(conditions, 'Other'), undefined);
});
