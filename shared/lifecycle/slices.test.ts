import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapInSlices } from './slices.js';

test('a long piece of work lets others have their turn, and is finished in order', async () => {
  let others = 0;
  const timer = setInterval(() => (others += 1), 1);
  const items = Array.from({ length: 8 }, (_, i) => i);
  const mapped = await mapInSlices(items, (item) => {
    const untilMs = performance.now() + 8;
    while (performance.now() < untilMs);
    return item * 2;
  });
  clearInterval(timer);
  assert.deepEqual(mapped, [0, 2, 4, 6, 8, 10, 12, 14]);
  assert.ok(others >= 2, `others had ${others} turns`);
});

test('what a step throws rejects', async () => {
  const failing = mapInSlices([1], () => {
    throw new Error('no');
  });
  await assert.rejects(failing, /no/);
});
