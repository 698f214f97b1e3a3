import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../../shared/clock/clock.js';
import { LevelStorage } from './level-storage.js';
import type { StorageEvent } from './storage.js';
import { storageSuite } from './storage-suite.js';
import { opened, place } from './testing/place.js';
import { testFolder } from '../testing/test-folder.js';

storageSuite('LevelDB', (cleanup) => {
  const directory = testFolder('store');
  cleanup(() => rmSync(directory, { recursive: true }));
  return LevelStorage.open({ directory, clock: systemClock });
});

test('who knows the former states is not told them, and nobody reads them', async (t) => {
  const store = await opened(t, { directory: place(t) });
  const told: (string | undefined)[] = [];
  const stop = await store.watch('/', 0, (events) => told.push(...events.map(before)), { knowsPrevious: true });
  await store.put('/a', () => Buffer.from('one'), 0);
  await store.put('/a', () => Buffer.from('two'), 1);
  assert.deepEqual([...told], [undefined, undefined]);
  stop();
  await store.watch('/', 2, (events) => told.push(...events.map(before)));
  await store.put('/a', () => Buffer.from('three'), 2);
  assert.equal(told.at(-1), 'two');
});

const before = ({ previous }: StorageEvent): string | undefined => previous?.value.toString();
