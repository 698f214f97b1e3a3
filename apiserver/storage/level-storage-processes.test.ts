import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../shared/clock/clock.js';
import { eventually } from '../../shared/clock/eventually.js';
import { LevelStorage } from './level-storage.js';
import { StorageLockedError } from './storage.js';
import { ChildWriter, failingSyncs } from './testing/child-writer.js';
import { place } from './testing/place.js';

function start(t: TestContext, directory: string, prefix: string, wrapper: readonly string[] = []): ChildWriter {
  const writer = new ChildWriter(directory, prefix, wrapper);
  t.after(() => writer.kill());
  return writer;
}

async function verified(directory: string, writers: readonly ChildWriter[]): Promise<void> {
  const storage = await LevelStorage.open({ directory, clock: systemClock });
  for (const writer of writers) await writer.verify(storage);
  await storage.close();
}

test('kill -9 in the middle of writing, again and again, loses nothing that was acknowledged', async (t) => {
  const directory = place(t);
  const writers: ChildWriter[] = [];
  for (let round = 0; round < 4; round++) {
    const writer = start(t, directory, `/round-${round}/`);
    writers.push(writer);
    await writer.progress(50 + 37 * round);
    await writer.kill();
    await verified(directory, writers);
  }
});

test('a sync that fails on the disk makes the store read-only until it was reopened, and nothing is lost', async (t) => {
  const directory = place(t);
  const writer = start(t, directory, '/', failingSyncs('30'));
  await eventually(() => assert.match(writer.refused.join('\n'), /read-only: .*Input\/output error/), 20_000);
  await writer.progress(20);
  await writer.kill();
  await verified(directory, [writer]);
});

test('another process is refused while the owner lives, stopped or not, and told its pid', async (t) => {
  const directory = place(t);
  const writer = start(t, directory, '/');
  await writer.progress(1);
  const { pid } = JSON.parse(readFileSync(join(directory, 'owner.json'), 'utf8')) as { pid: number };
  process.kill(pid, 'SIGSTOP');
  await assert.rejects(LevelStorage.open({ directory, clock: systemClock }), (error: unknown) => {
    assert.ok(error instanceof StorageLockedError);
    assert.match(error.message, new RegExp(`in use by process ${pid} `));
    return true;
  });
  process.kill(pid, 'SIGCONT');
  await writer.progress(10);
});

test('an owner whose locks were removed by hand stops writing when another one opens', async (t) => {
  const directory = place(t);
  const writer = start(t, directory, '/first/');
  await writer.progress(10);
  const { pid } = JSON.parse(readFileSync(join(directory, 'owner.json'), 'utf8')) as { pid: number };
  // Stopped between two writes, as by a paused virtual machine; then somebody clears the locks that seem stale.
  process.kill(pid, 'SIGSTOP');
  rmSync(join(directory, 'owner.sock'));
  rmSync(join(directory, 'level/LOCK'));
  const storage = await LevelStorage.open({ directory, clock: systemClock });
  t.after(() => storage.close());
  process.kill(pid, 'SIGCONT');
  await eventually(() =>
    assert.match(writer.refused.join('\n'), new RegExp(`process ${process.pid} on .* has taken over`)),
  );
  await writer.kill();
  const { revision } = storage;
  await storage.put('/second', () => Buffer.from('x'), 0);
  assert.equal(storage.revision, revision + 1);
});
