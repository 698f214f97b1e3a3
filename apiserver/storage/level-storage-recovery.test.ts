import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { systemClock } from '../../shared/clock/clock.js';
import { eventually } from '../../shared/clock/eventually.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { LevelDatabase, type Database, type Operation } from './database.js';
import { LevelStorage } from './level-storage.js';
import {
  StorageCompactedError,
  StorageConflictError,
  StorageLockedError,
  StorageOverloadedError,
  StorageReadOnlyError,
} from './storage.js';
import { opened, place, stamped } from './testing/place.js';

/** A database whose writes fail on demand: 'lost' before anything is written, 'late' after all of it was. */
class FaultyDisk {
  fault: 'none' | 'lost' | 'late' | 'closed' = 'none';
  opened = 0;

  readonly open = async (directory: string): Promise<Database> => {
    if (this.fault === 'closed') throw new Error('I/O error on open');
    this.opened++;
    const level = await LevelDatabase.open(directory);
    const write = async (operations: Operation[]): Promise<void> => {
      if (this.fault === 'lost') throw new Error('I/O error');
      await level.write(operations);
      if (this.fault === 'late') throw new Error('I/O error');
    };
    return new Proxy<Database>(level, {
      get: (_, name: keyof Database) => {
        if (name === 'write') return write;
        const member: unknown = level[name];
        return typeof member === 'function' ? (member.bind(level) as unknown) : member;
      },
    });
  };
}

describe('LevelDB: after a write error', () => {
  for (const fault of ['lost', 'late'] as const) {
    test(`the store is read-only until reopened and verified (the write was ${fault === 'lost' ? 'not kept' : 'kept'})`, async (t) => {
      const clock = new FakeClock();
      const disk = new FaultyDisk();
      const storage = await opened(t, { directory: place(t), clock, openDatabase: disk.open });
      const seen: string[] = [];
      await storage.watch('/', 0, (events) => seen.push(...events.map((event) => `${event.key} ${event.revision}`)));
      await storage.put('/a', stamped, 0);
      disk.fault = fault;
      const writes = Array.from({ length: 5 }, (_, i) => storage.put(`/b${i}`, stamped, 0));
      for (const write of writes) await assert.rejects(write, StorageReadOnlyError);
      assert.deepEqual([storage.health().mode, storage.health().reason], ['read-only', 'I/O error']);
      await assert.rejects(storage.put('/c', stamped, 0), StorageReadOnlyError);
      await assert.rejects(storage.delete('/a', 1), StorageReadOnlyError);
      assert.equal((await storage.get('/a'))?.revision, 1, 'reads go on');
      assert.equal((await storage.list('/')).items.length, 1, 'unacknowledged writes are not seen');
      disk.fault = 'none';
      await clock.advance(1000);
      await eventually(() => assert.equal(storage.health().mode, 'read-write'));
      assert.equal(disk.opened, 2);
      const kept = fault === 'late' ? 5 : 0;
      assert.equal(storage.revision, 1 + kept);
      assert.equal((await storage.put('/d', stamped, 0)).revision, 2 + kept);
      const expected = ['/a 1', ...writes.map((_, i) => `/b${i} ${i + 2}`).slice(0, kept), `/d ${2 + kept}`];
      assert.deepEqual(seen, expected, 'watchers are told exactly what was kept');
    });
  }

  test('a reopening that fails is tried again, with a growing delay', async (t) => {
    const clock = new FakeClock();
    const disk = new FaultyDisk();
    const storage = await opened(t, { directory: place(t), clock, openDatabase: disk.open });
    await storage.put('/a', stamped, 0);
    disk.fault = 'lost';
    await assert.rejects(storage.put('/b', stamped, 0), StorageReadOnlyError);
    disk.fault = 'closed';
    await clock.advance(1000);
    await eventually(() => assert.match(storage.health().reason ?? '', /on open/));
    await assert.rejects(storage.get('/a'), StorageReadOnlyError);
    disk.fault = 'none';
    await eventually(() => assert.equal(clock.pending, 2, 'back-off and age check'));
    await clock.advance(2000);
    await eventually(() => assert.equal(storage.health().mode, 'read-write'));
    assert.equal((await storage.get('/a'))?.revision, 1);
  });

  test('a conflict with a write that then fails is not reported as a conflict', async (t) => {
    const disk = new FaultyDisk();
    const storage = await opened(t, { directory: place(t), clock: new FakeClock(), openDatabase: disk.open });
    disk.fault = 'lost';
    const [first, second] = [storage.put('/a', stamped, 0), storage.put('/a', stamped, 0)];
    await assert.rejects(first, StorageReadOnlyError);
    await assert.rejects(second, StorageReadOnlyError);
  });
});

describe('LevelDB: one owner', () => {
  test('a second opener is refused and told who has it, and the first one goes on', async (t) => {
    const directory = place(t);
    const storage = await opened(t, { directory });
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(LevelStorage.open({ directory, clock: systemClock }), (error: unknown) => {
        assert.ok(error instanceof StorageLockedError);
        assert.match(error.message, new RegExp(`in use by process ${process.pid} on .*--state-dir`));
        return true;
      });
    }
    await storage.put('/a', stamped, 0);
    await storage.close();
    assert.equal((await opened(t, { directory })).revision, 1);
  });

  test('an owner whose place was taken stops writing for good', async (t) => {
    const directory = place(t);
    const clock = new FakeClock();
    const storage = await opened(t, { directory, clock });
    await storage.put('/a', stamped, 0);
    rmSync(join(directory, 'owner.json'));
    await assert.rejects(storage.put('/a', stamped, 1), StorageReadOnlyError);
    await clock.advance(100_000);
    assert.equal(storage.health().mode, 'read-only');
    assert.match(storage.health().reason ?? '', /owner.json was removed/);
  });
});

describe('LevelDB: bounds', () => {
  test('history is kept by number, whatever is written meanwhile', async (t) => {
    const storage = await opened(t, { directory: place(t), historyLimits: { maxRevisions: 320 } });
    let revision = 0;
    for (let i = 0; i < 500; i++) revision = (await storage.put('/a', stamped, revision)).revision;
    await storage.put('/b', stamped, 0);
    const { compactedRevision } = storage;
    assert.ok(501 - compactedRevision <= 340 && 501 - compactedRevision >= 320, `${compactedRevision}`);
    await assert.rejects(storage.getAt('/a', compactedRevision - 1), StorageCompactedError);
    assert.equal((await storage.getAt('/a', compactedRevision))?.revision, compactedRevision);
  });

  test('history is kept by size', async (t) => {
    const storage = await opened(t, { directory: place(t), historyLimits: { maxBytes: 100_000 } });
    for (let i = 0; i < 300; i++) await storage.put(`/${i}`, () => Buffer.alloc(1000), 0);
    assert.ok(storage.compactedRevision > 190 && storage.compactedRevision < 220, `${storage.compactedRevision}`);
    assert.equal((await storage.list('/')).items.length, 300, 'current values stay');
  });

  test('history is kept by age', async (t) => {
    const clock = new FakeClock();
    const directory = place(t);
    const storage = await opened(t, { directory, clock, historyLimits: { maxAgeMs: 3_600_000 } });
    for (let i = 0; i < 10; i++) await storage.put(`/old${i}`, stamped, 0);
    await storage.delete('/old0', 1);
    await clock.advance(1_800_000);
    await storage.put('/new', stamped, 0);
    await clock.advance(1_700_000);
    assert.equal(storage.compactedRevision, 0);
    await clock.advance(200_000);
    await eventually(() => assert.equal(storage.compactedRevision, 11));
    await storage.close();
    const again = await opened(t, { directory, clock });
    assert.deepEqual([again.health().keys, again.compactedRevision, again.revision], [10, 11, 12]);
  });

  test('a long compaction lets the event loop and writers pass', async (t) => {
    const storage = await opened(t, { directory: place(t) });
    await Promise.all(Array.from({ length: 3000 }, (_, i) => storage.put(`/${i}`, () => Buffer.alloc(500), 0)));
    let isCompacted = false;
    const compacting = storage.compact(3000).then(() => (isCompacted = true));
    await storage.put('/during', stamped, 0);
    assert.equal(isCompacted, false, 'a write does not wait for the whole compaction');
    await compacting;
    assert.equal(storage.compactedRevision, 3000);
  });

  test('too many waiting writes are refused at once', async (t) => {
    const storage = await opened(t, { directory: place(t), queueLimits: { maxWrites: 10 } });
    const results = await Promise.allSettled(Array.from({ length: 15 }, (_, i) => storage.put(`/${i}`, stamped, 0)));
    const refused = results.filter((result) => result.status === 'rejected');
    assert.equal(refused.length, 5);
    for (const { reason } of refused) assert.ok(reason instanceof StorageOverloadedError);
    assert.equal((await storage.put('/later', stamped, 0)).revision, 11);
  });

  test('a deleted key that is written again while its delete is compacted stays consistent', async (t) => {
    const directory = place(t);
    const storage = await opened(t, { directory });
    for (let round = 0; round < 30; round++) {
      const { revision } = await storage.put('/a', stamped, 0);
      const deleted = await storage.delete('/a', revision);
      await Promise.all([storage.compact(deleted.revision), storage.put('/a', stamped, 0)]);
      await assert.rejects(storage.put('/a', stamped, 0), StorageConflictError);
      assert.equal(await storage.getAt('/a', deleted.revision), undefined);
      await storage.delete('/a', storage.revision);
    }
    const { revision } = storage;
    await storage.close();
    assert.equal((await opened(t, { directory })).revision, revision);
  });
});
