import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../shared/clock/clock.js';
import { LevelStorage } from './level-storage.js';
import { ChildWriter, verifyAcknowledged } from './testing/child-writer.js';
import { readTrace, traceCommand, type DiskOperation } from './testing/disk-trace.js';
import { rebuild, type UnsyncedFate } from './testing/power-loss.js';
import { seededRandom } from '../../shared/clock/seeded-random.js';

/** Enough to fill LevelDB's log twice: new logs, tables, manifests, and the removal of old files are among it. */
const writes = 8_000;
const cutsAnywhere = 15;

/** What the writer had been told of when the power went. */
function acknowledgedBefore(operations: readonly DiskOperation[], cut: number): Map<string, number> {
  const acknowledged = new Map<string, number>();
  for (const operation of operations.slice(0, cut)) {
    if (operation.type !== 'said') continue;
    const [word, key = '', revision] = operation.text.trim().split(' ');
    if (word === 'ack') acknowledged.set(key, Number(revision));
  }
  return acknowledged;
}

/** Around each change of a name, where a store is most likely to be wrong, and anywhere else. */
function cutsOf(operations: readonly DiskOperation[], random: () => number): number[] {
  const cuts = new Set<number>([operations.length]);
  operations.forEach(({ type }, at) => {
    if (type === 'create' || type === 'rename' || type === 'unlink') {
      cuts.add(at).add(at + 1);
      cuts.add(Math.min(operations.length, at + 2 + Math.floor(random() * 20)));
    }
  });
  for (let i = 0; i < cutsAnywhere; i++) cuts.add(Math.floor(random() * operations.length));
  return [...cuts].sort((a, b) => a - b);
}

/** Opens (which verifies the chain), reads all of the history, and goes on writing. */
async function assertWhole(directory: string, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  const storage = await LevelStorage.open({ directory, clock: systemClock });
  try {
    await assertHolds(storage, acknowledged);
  } finally {
    await storage.close();
  }
}

async function assertHolds(storage: LevelStorage, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  await verifyAcknowledged(storage, acknowledged);
  let revision = storage.compactedRevision;
  const stop = await storage.watch('', revision, (events) => {
    for (const event of events) {
      assert.equal(event.revision, ++revision, 'no revision is missing');
      assert.equal(event.value.toString(), `${event.key} ${event.revision} ${'x'.repeat(1000)}`);
    }
  });
  stop();
  assert.equal(revision, storage.revision);
  const { items } = await storage.list('/');
  const unfinished = items.length - acknowledged.size;
  assert.ok(unfinished >= 0 && unfinished <= 4, `${unfinished} writes are there that nobody was told of`);
  await storage.put('/after', (at) => Buffer.from(`/after ${at} `), 0);
  assert.equal(storage.health().mode, 'read-write');
}

describe('a power loss', { timeout: 600_000 }, () => {
  const place = mkdtempSync(join(tmpdir(), 'knarr-power-'));
  const source = join(place, 'store');
  const seed = Number(process.env['KNARR_SEED'] ?? Date.now() % 1_000_000);
  const random = seededRandom(seed);
  let operations: readonly DiskOperation[];
  let cuts: number[];

  before(async () => {
    const file = join(place, 'trace');
    const writer = new ChildWriter(source, '/', traceCommand(file));
    await writer.progress(writes, 240_000);
    await writer.kill();
    operations = await readTrace(file, source);
    cuts = cutsOf(operations, random);
  });
  after(() => rmSync(place, { recursive: true }));

  test('is replayed from a trace that holds what matters', () => {
    const count = (type: DiskOperation['type']): number => operations.filter((one) => one.type === type).length;
    assert.ok(count('sync') > writes / 10, `${count('sync')} syncs`);
    assert.ok(count('rename') >= 1, 'CURRENT is put in place by a rename');
    assert.ok(count('unlink') >= 2, 'logs are removed when their content lies in tables');
    assert.ok(acknowledgedBefore(operations, operations.length).size >= writes);
  });

  for (const fate of ['lost', 'kept', 'torn', 'zeroed'] satisfies UnsyncedFate[]) {
    test(`loses nothing that was acknowledged, in any of many moments, when what was not synced is ${fate}`, async () => {
      for (const cut of cuts) {
        const target = join(place, fate);
        rebuild(operations, cut, fate, { source, target }, random);
        try {
          await assertWhole(target, acknowledgedBefore(operations, cut));
        } catch (error) {
          throw new Error(`cut at ${cut} of ${operations.length}, seed ${seed}`, { cause: error });
        }
      }
    });
  }

  test('would be noticed by this replay: without its syncs the store loses what it acknowledged', async () => {
    const target = join(place, 'unsynced');
    // The first ones are those of an empty store; without them there would be no store to look into.
    const first = operations.findIndex(({ type }) => type === 'said');
    const unsynced = operations.filter(({ type }, at) => type !== 'sync' || at < first);
    rebuild(unsynced, unsynced.length, 'lost', { source, target }, random);
    await assert.rejects(assertWhole(target, acknowledgedBefore(unsynced, unsynced.length)));
  });
});
