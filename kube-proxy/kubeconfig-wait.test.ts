import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually } from '../shared/clock/eventually.js';
import { FakeClock } from '../shared/clock/fake-clock.js';
import { silentLog } from '../shared/log/log.js';
import { waitForKubeconfig } from './kubeconfig-wait.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubeconfig-wait-'));
});
after(() => rm(folder, { recursive: true }));

const isAsleep = (clock: FakeClock) => (): void => assert.equal(clock.pending, 1);

test('a proxy waits for the kubeconfig that the kubelet of a joining host writes', async () => {
  const clock = new FakeClock();
  const path = join(folder, 'kubelet.conf');
  let isDone = false;
  const waiting = waitForKubeconfig(path, { clock, log: silentLog, signal: new AbortController().signal }).then(() => {
    isDone = true;
  });
  await eventually(isAsleep(clock));
  await clock.advance(50);
  await eventually(isAsleep(clock));
  assert.equal(isDone, false);
  await writeFile(path, '{}');
  await clock.advance(1_000);
  await waiting;
});

test('a proxy that is stopped while it waits ends', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const waiting = waitForKubeconfig(join(folder, 'none'), { clock, log: silentLog, signal: stop.signal });
  await eventually(isAsleep(clock));
  stop.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
});
