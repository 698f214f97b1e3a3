import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventCorrelator, type Occurrence } from './event-correlator.js';

const occurrence = (message: string, name = 'pod'): Occurrence => ({
  involvedObject: { kind: 'Pod', namespace: 'ns', name, uid: name },
  type: 'Warning',
  reason: 'BackOff',
  message,
});

test('the same again counts up, and is made anew once forgotten', () => {
  const correlator = new EventCorrelator();
  const first = correlator.correlate(occurrence('m'), 0);
  assert.equal(first.action, 'create');
  assert.ok(first.action === 'create');
  const recorded = { name: 'e', namespace: 'ns', firstTimestamp: 't', count: 1 };
  correlator.record(first.key, recorded);
  assert.deepEqual(correlator.correlate(occurrence('m'), 1), {
    action: 'patch',
    key: first.key,
    message: 'm',
    recorded,
  });
  correlator.forget(first.key);
  assert.equal(correlator.correlate(occurrence('m'), 2).action, 'create');
});

test('from the tenth different message of one reason on, they are combined', () => {
  const correlator = new EventCorrelator();
  const messages = Array.from({ length: 12 }, (_, i) => {
    const result = correlator.correlate(occurrence(`m${i}`), i);
    return result.action === 'drop' ? 'drop' : result.message;
  });
  assert.deepEqual(messages.slice(8), [
    'm8',
    '(combined from similar events): m9',
    '(combined from similar events): m10',
    '(combined from similar events): m11',
  ]);
});

test('an object that floods is cut after 25, and may say one more after five minutes; others are not hit', () => {
  const correlator = new EventCorrelator();
  const actions = Array.from({ length: 30 }, () => correlator.correlate(occurrence('m'), 0).action);
  assert.equal(actions.filter((action) => action !== 'drop').length, 25);
  assert.equal(correlator.correlate(occurrence('m', 'other'), 0).action, 'create');
  assert.notEqual(correlator.correlate(occurrence('m'), 300_000).action, 'drop');
  assert.equal(correlator.correlate(occurrence('m'), 300_000).action, 'drop');
});
