import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { systemClock } from '../../shared/clock/clock.js';
import { encodeRecord } from './change-record.js';
import { LevelDatabase, recordKey } from './database.js';
import { LevelStorage } from './level-storage.js';
import { StorageCorruptError } from './storage.js';
import { ChildReader } from './testing/child-reader.js';
import { opened, place, stamped } from './testing/place.js';
import { stateOf } from './testing/served-state.js';

describe('LevelDB: what was acknowledged', () => {
  test('is there after a reopening, with history, watches and the epoch of a new owner', async (t) => {
    const directory = place(t);
    const first = await LevelStorage.open({ directory, clock: systemClock });
    for (let i = 1; i <= 20; i++) await first.put(`/k${i % 5}`, stamped, i > 5 ? i - 5 : 0);
    await first.delete('/k0', 20);
    await first.compact(8);
    const before = await first.list('/');
    await first.close();
    const second = await opened(t, { directory });
    assert.deepEqual(await second.list('/'), before);
    assert.deepEqual([second.revision, second.compactedRevision, second.health().keys], [21, 8, 4]);
    assert.equal((await second.getAt('/k0', 12))?.value.toString(), 'value of 10');
    const seen: number[] = [];
    await second.watch('/', 8, (events) => seen.push(...events.map((event) => event.revision)));
    assert.deepEqual(seen, [9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]);
    assert.equal((JSON.parse(readFileSync(join(directory, 'owner.json'), 'utf8')) as { epoch: number }).epoch, 2);
  });

  test('is missed when the files fall back to an earlier state, as LevelDB does with a damaged log', async (t) => {
    const directory = place(t);
    const storage = await LevelStorage.open({ directory, clock: systemClock });
    await storage.put('/a', stamped, 0);
    cpSync(join(directory, 'level'), join(directory, 'early'), { recursive: true });
    await storage.put('/a', stamped, 1);
    await storage.close();
    rmSync(join(directory, 'level'), { recursive: true });
    cpSync(join(directory, 'early'), join(directory, 'level'), { recursive: true });
    await assert.rejects(LevelStorage.open({ directory, clock: systemClock }), (error: unknown) => {
      assert.ok(error instanceof StorageCorruptError);
      assert.match(error.message, /acknowledged writes 2 to 2 are missing.*Recovery/);
      return true;
    });
  });

  test('is missed when a record was exchanged for another valid one', async (t) => {
    const directory = place(t);
    const storage = await LevelStorage.open({ directory, clock: systemClock });
    for (let i = 0; i < 3; i++) await storage.put(`/${i}`, stamped, 0);
    await storage.close();
    const database = await LevelDatabase.open(join(directory, 'level'));
    const record = database.readRecord(2) ?? assert.fail();
    const { bytes } = encodeRecord({ ...record, value: Buffer.from('forged') });
    await database.write([{ type: 'put', key: recordKey(2), value: bytes }]);
    await database.close();
    await assert.rejects(LevelStorage.open({ directory, clock: systemClock }), /revision 2 is not the one/);
  });

  test('is served as it was or not at all after a flipped bit anywhere in the files', async (t) => {
    const directory = place(t);
    const storage = await LevelStorage.open({ directory, clock: systemClock });
    for (let i = 1; i <= 30; i++) await storage.put(`/k${i % 10}`, stamped, i > 10 ? i - 10 : 0);
    const truth = await stateOf(storage);
    assert.equal(truth.items.length, 10);
    assert.deepEqual(
      truth.events,
      Array.from({ length: 30 }, (_, i) => `value of ${i + 1}`),
    );
    const reader = new ChildReader();
    t.after(() => reader.close());
    const killed = readFiles(directory);
    await storage.close();
    await (await LevelStorage.open({ directory, clock: systemClock })).close();
    const closed = readFiles(directory);
    const detected = { log: 0, ldb: 0 };
    for (const files of [killed, closed]) {
      for (const [name, bytes] of files) {
        const kind = /\.(log|ldb)$/.exec(name)?.[1] as 'log' | 'ldb' | undefined;
        if (!kind || bytes.length === 0) continue;
        for (let flip = 0; flip < 16; flip++) {
          const bent = Buffer.from(bytes);
          const at = Math.floor((bytes.length * (flip + 0.5)) / 16);
          bent[at] = (bent[at] ?? 0) ^ (1 << (flip % 8));
          const damaged = writeFiles(place(t), new Map([...files, [name, bent]]));
          if (!(await reader.serves({ directory: damaged, truth }))) detected[kind]++;
        }
      }
    }
    assert.ok(detected.log >= 16 && detected.ldb >= 4, `flips noticed: ${JSON.stringify(detected)}`);
  });
});

type Files = ReadonlyMap<string, Buffer>;

/** The files as kill -9 would leave them now. */
function readFiles(directory: string): Files {
  const names = readdirSync(join(directory, 'level')).map((name) => `level/${name}`);
  return new Map([...names, 'acknowledged'].map((name) => [name, readFileSync(join(directory, name))]));
}

function writeFiles(directory: string, files: Files): string {
  mkdirSync(join(directory, 'level'));
  for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes);
  return directory;
}
