import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../shared/clock/clock.js';
import { eventually } from '../../shared/clock/eventually.js';
import { LevelStorage } from './level-storage.js';
import { ChildWriter, failingSyncs } from './testing/child-writer.js';
import { place } from './testing/place.js';

/** A disk of its own, of 48 MB; needs root. */
function smallDisk(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'knarr-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', directory]);
  t.after(() => {
    execFileSync('umount', ['-l', directory]);
    rmSync(directory, { recursive: true });
  });
  return directory;
}

/** Takes all the space there is, in pieces of a size of its own each round, so that the end comes at different moments. */
function fill(path: string, round: number): void {
  const piece = Buffer.alloc(4096 * round);
  const fd = openSync(path, 'w');
  try {
    for (;;) if (writeSync(fd, piece) < piece.length) return;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    closeSync(fd);
  }
}

async function verified(directory: string, writer: ChildWriter): Promise<void> {
  const storage = await LevelStorage.open({ directory, clock: systemClock });
  await writer.verify(storage);
  await storage.close();
}

for (let round = 1; round <= 5; round++) {
  test(`a disk that fills up and is freed loses nothing that was acknowledged (round ${round})`, async (t) => {
    const disk = smallDisk(t);
    const directory = join(disk, 'store');
    const ballast = join(disk, 'ballast');
    const writer = new ChildWriter(directory, '/');
    t.after(() => writer.kill());
    await writer.progress(100 * round);
    fill(ballast, round);
    await eventually(() => assert.match(writer.refused.join('\n'), /No space left/), 30_000);
    rmSync(ballast);
    await writer.progress(300, 40_000);
    await writer.kill();
    await verified(directory, writer);
  });
}

for (const when of ['9', '10+7', '50', '20..25']) {
  test(`syncs that fail (${when}) lose nothing that was acknowledged`, async (t) => {
    const directory = join(smallDisk(t), 'store');
    const writer = new ChildWriter(directory, '/', failingSyncs(when));
    t.after(() => writer.kill());
    await eventually(() => assert.ok(writer.refused.length > 0), 30_000);
    await writer.progress(when.includes('+') ? 1 : 100, 60_000);
    await writer.kill();
    await verified(directory, writer);
  });
}

test('kill -9 in a hundred moments loses nothing that was acknowledged', async (t) => {
  const directory = place(t);
  const writers: ChildWriter[] = [];
  for (let round = 0; round < 100; round++) {
    const writer = new ChildWriter(directory, `/round-${round}/`);
    t.after(() => writer.kill());
    writers.push(writer);
    await writer.progress((round * 7) % 200);
    await writer.kill();
  }
  const storage = await LevelStorage.open({ directory, clock: systemClock });
  for (const writer of writers) await writer.verify(storage);
  await storage.close();
});
