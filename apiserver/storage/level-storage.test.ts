import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../shared/clock/clock.js';
import { LevelStorage } from './level-storage.js';
import type { StorageEvent } from './storage.js';
import { storageSuite } from './storage-suite.js';

storageSuite('LevelDB', (cleanup) => {
  const directory = mkdtempSync(join(tmpdir(), 'knarr-store-'));
  cleanup(() => rmSync(directory, { recursive: true }));
  return LevelStorage.open({ directory, clock: systemClock });
});

test('who knows the former states is not told them, and nobody reads them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'knarr-store-'));
  const store = await LevelStorage.open({ directory, clock: systemClock });
  const told: (string | undefined)[] = [];
  const stop = await store.watch('/', 0, (events) => told.push(...events.map(before)), { knowsPrevious: true });
  await store.put('/a', () => Buffer.from('one'), 0);
  await store.put('/a', () => Buffer.from('two'), 1);
  assert.deepEqual([...told], [undefined, undefined]);
  stop();
  await store.watch('/', 2, (events) => told.push(...events.map(before)));
  await store.put('/a', () => Buffer.from('three'), 2);
  assert.equal(told.at(-1), 'two');
  await store.close();
  rmSync(directory, { recursive: true });
});

const before = ({ previous }: StorageEvent): string | undefined => previous?.value.toString();
