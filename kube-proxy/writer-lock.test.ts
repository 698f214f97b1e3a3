import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../shared/clock/clock.js';
import { acquireWriterLock } from './writer-lock.js';

const never = new AbortController().signal;
const name = (of: string): string => `\0knarr-test-${process.pid}-${of}`;

test('a second process waits until the first lets go, although it is connected', async () => {
  const first = await acquireWriterLock(systemClock, never, name('wait'));
  let isHeld = false;
  const second = acquireWriterLock(systemClock, never, name('wait')).then((lock) => {
    isHeld = true;
    return lock;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isHeld, false);
  await first.release();
  await (await second).release();
  assert.equal(isHeld, true);
});

test('a process that waits can be told to end', async () => {
  const first = await acquireWriterLock(systemClock, never, name('end'));
  const ending = new AbortController();
  const second = acquireWriterLock(systemClock, ending.signal, name('end'));
  ending.abort();
  await assert.rejects(second, { name: 'AbortError' });
  await first.release();
});
