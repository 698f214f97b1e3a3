import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, formatTable, type Original } from './comparison.js';
import type { Calibration } from './figure.js';

const calibration = (tls: number): Calibration => ({
  fdatasyncPerSecond: 1,
  tlsPostPerSecond: tls,
  tlsGetPerSecond: tls,
  stringifyPerSecond: 1,
  parsePerSecond: 1,
});
const original: Original = {
  calibration: calibration(100),
  measures: {
    rate: { value: 10, unit: '/s', limit: 'tlsPostPerSecond', target: { atLeast: 2 } },
    time: { value: 10, unit: 'ms', limit: 'tlsPostPerSecond', target: { atMost: 0.3 } },
    start: { unit: 's', target: { below: 2 } },
    memory: { value: 500, unit: 'MB', target: { below: 240 } },
  },
};

test('a machine of half the speed halves the rates and doubles the times of the original', () => {
  const slow = calibration(50);
  const rate = compare({ measure: 'rate', value: 10, unit: '/s' }, original, slow);
  assert.deepEqual([rate.original, rate.ratio, rate.isReached], [5, 2, true]);
  const time = compare({ measure: 'time', value: 7, unit: 'ms' }, original, slow);
  assert.deepEqual([time.original, time.ratio, time.isReached], [20, 0.35, false]);
  const memory = compare({ measure: 'memory', value: 241, unit: 'MB' }, original, slow);
  assert.deepEqual([memory.original, memory.target, memory.isReached], [500, '< 240', false]);
});

test('a figure that the original lacks stands alone in the table', () => {
  const rows = [compare({ measure: 'ours', value: 12345.6, unit: '/s' }, original, calibration(100))];
  assert.equal(formatTable(rows).split('\n')[1], 'ours     12,346  /s');
});

test('a target can stand without a figure of the original', () => {
  const {
    original: scaled,
    target,
    isReached,
  } = compare({ measure: 'start', value: 1.9, unit: 's' }, original, calibration(100));
  assert.deepEqual([scaled, target, isReached], [undefined, '< 2', true]);
});
