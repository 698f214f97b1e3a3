import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from './crash-backoff.js';
import { formatSeconds } from './duration-text.js';

test('the first restart is immediate, later ones wait 10 s doubling to 300 s', () => {
  const backoff = new Backoff();
  let nowMs = 0;
  const waits: number[] = [];
  for (let crash = 0; crash < 8; crash++) {
    const wait = backoff.waiting('a', nowMs, nowMs);
    waits.push((wait?.delayMs ?? 0) / 1000);
    nowMs = wait?.untilMs ?? nowMs;
    assert.equal(backoff.waiting('a', nowMs - (wait?.delayMs ?? 0), nowMs), undefined);
    backoff.next('a', nowMs);
  }
  assert.deepEqual(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
});

test('ten minutes without a restart start the count anew', () => {
  const backoff = new Backoff();
  backoff.next('a', 0);
  backoff.next('a', 1);
  assert.equal(backoff.waiting('a', 600_000, 600_000)?.delayMs, 20_000);
  assert.equal(backoff.waiting('a', 600_002, 600_002), undefined);
});

test('seconds are written as Go writes a duration', () => {
  assert.deepEqual([10, 80, 300, 3600].map(formatSeconds), ['10s', '1m20s', '5m0s', '1h0m0s']);
});
