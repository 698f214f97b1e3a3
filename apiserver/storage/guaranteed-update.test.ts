import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guaranteedUpdate } from './guaranteed-update.js';
import { MemoryStorage } from './memory-storage.js';
import { StorageConflictError, type StoredValue } from './storage.js';

const increment = (current: StoredValue | undefined) => (): Buffer =>
  Buffer.from(String(Number(current?.value.toString() ?? 0) + 1));

test('concurrent updates of one key all take effect', async () => {
  const storage = new MemoryStorage();
  const options = { maxAttempts: 100 };
  await Promise.all(Array.from({ length: 50 }, () => guaranteedUpdate(storage, '/n', increment, options)));
  assert.equal((await storage.get('/n'))?.value.toString(), '50');
});

test('a stale suggestion costs a round, not a wrong result', async () => {
  const storage = new MemoryStorage();
  const suggestion = await storage.put('/n', () => Buffer.from('1'), 0);
  await storage.put('/n', () => Buffer.from('7'), 1);
  assert.equal((await guaranteedUpdate(storage, '/n', increment, { suggestion }))?.value.toString(), '8');
});

test('what mutate makes of a stale suggestion is not believed: neither its error nor its "no change"', async () => {
  const storage = new MemoryStorage();
  const suggestion = await storage.put('/n', () => Buffer.from('1'), 0);
  await storage.put('/n', () => Buffer.from('2'), 1);
  const fails = (current: StoredValue | undefined) => {
    if (current?.revision === 1) throw new Error('too old');
    return increment(current);
  };
  assert.equal((await guaranteedUpdate(storage, '/n', fails, { suggestion }))?.value.toString(), '3');
  const idle = (current: StoredValue | undefined) => (current?.revision === 1 ? undefined : increment(current));
  assert.equal((await guaranteedUpdate(storage, '/n', idle, { suggestion }))?.value.toString(), '4');
});

test('no change writes nothing, and an error of mutate comes out', async () => {
  const storage = new MemoryStorage();
  assert.equal(await guaranteedUpdate(storage, '/n', () => undefined), undefined);
  await assert.rejects(
    guaranteedUpdate(storage, '/n', () => assert.fail('no')),
    /no/,
  );
  assert.equal(storage.revision, 0);
});

test('an update that always loses gives up after its attempts', async () => {
  const storage = new MemoryStorage();
  let attempts = 0;
  const loser = async (): Promise<unknown> =>
    guaranteedUpdate(
      storage,
      '/n',
      (current) => {
        attempts++;
        // Another write gets in between each time.
        void storage.put('/n', () => Buffer.from('x'), current?.revision ?? 0);
        return () => Buffer.from('mine');
      },
      { maxAttempts: 3 },
    );
  await assert.rejects(loser, StorageConflictError);
  assert.equal(attempts, 3);
});
