import assert from 'node:assert/strict';
import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Container, Pod, Volume } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { silentLog } from '../../shared/log/log.js';
import { containerOf, podOf } from '../testing/pod-builder.js';
import { PodDirectories } from '../volume/pod-directories.js';
import { diskUse } from './disk-use.js';
import { StorageEvictor } from './storage-evictor.js';
import { measuredContainers, measuredVolumes, storageExcess } from './storage-limits.js';

const mebibyte = 1024 * 1024;
const limited = (name: string, limit?: string): Container =>
  containerOf(name, limit ? { resources: { limits: { 'ephemeral-storage': limit } } } : {});
const emptyDir = (name: string, sizeLimit?: string, medium?: string): Volume => ({
  name,
  emptyDir: { ...(sizeLimit ? { sizeLimit } : {}), ...(medium ? { medium } : {}) },
});
const excess = (pod: Pod, volumes: Record<string, number>, containers: Record<string, number> = {}): unknown =>
  storageExcess(pod, { volumes: new Map(Object.entries(volumes)), containers: new Map(Object.entries(containers)) });

test('a volume, a container and all containers together are held to what they said', () => {
  const volumes = [emptyDir('cache', '1Mi'), emptyDir('free'), emptyDir('memory', '1Mi', 'Memory')];
  const plain = podOf({ volumes });
  assert.equal(excess(plain, { cache: mebibyte, free: 2 ** 40 }), undefined);
  assert.equal(excess(plain, { cache: mebibyte + 1 }), 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". ');
  const pod = podOf({ volumes, containers: [limited('a', '1Mi'), limited('b', '2Mi')] });
  assert.equal(excess(pod, { free: mebibyte }, { a: mebibyte, b: mebibyte }), undefined);
  assert.equal(
    excess(pod, { free: mebibyte }, { a: mebibyte, b: mebibyte + 1 }),
    'Pod ephemeral local storage usage exceeds the total limit of containers 3145728. ',
  );
  assert.equal(excess(pod, {}, { a: mebibyte + 1 }), 'Container a exceeded its local ephemeral storage limit "1Mi". ');
});

test('only what has a limit is measured', () => {
  const volumes = [emptyDir('cache', '1Mi'), emptyDir('free'), emptyDir('memory', '1Mi', 'Memory')];
  assert.deepEqual(measuredVolumes(podOf({ volumes })), ['cache']);
  assert.deepEqual(measuredContainers(podOf({ volumes })), []);
  const pod = podOf({ volumes, containers: [limited('a', '1Mi'), limited('b')] });
  assert.deepEqual(measuredVolumes(pod), ['cache', 'free']);
  assert.deepEqual(measuredContainers(pod), ['a', 'b']);
});

test('a pod that fills its volume beyond the limit is evicted, its neighbour is not', async () => {
  const root = await mkdtemp(join(tmpdir(), 'evictor-'));
  const directories = new PodDirectories(root);
  const podNamed = (uid: string): Pod => {
    const pod = podOf({ volumes: [emptyDir('cache', '64Ki')] });
    return { ...pod, metadata: { ...pod.metadata, uid } };
  };
  const pods = [podNamed('greedy'), podNamed('modest')];
  for (const { metadata } of pods)
    await mkdir(join(directories.volume(metadata.uid, 'empty-dir', 'cache'), 'sub'), { recursive: true });
  const greedy = directories.volume('greedy', 'empty-dir', 'cache');
  await writeFile(join(greedy, 'sub', 'file'), Buffer.alloc(100_000, 1));
  const before = await diskUse(greedy);
  await link(join(greedy, 'sub', 'file'), join(greedy, 'again'));
  assert.ok(before >= 100_000 && (await diskUse(greedy)) === before, 'a second link takes nothing');
  const evicted: string[] = [];
  const clock = new FakeClock();
  const stop = new AbortController();
  const running = new StorageEvictor({
    clock,
    log: silentLog,
    runtime: { listContainers: () => Promise.resolve([]), containerDiskBytes: () => Promise.resolve(0) },
    directories,
    pods: () => pods,
    evict: (pod, message) => evicted.push(`${pod.metadata.uid}: ${message}`),
  }).run(stop.signal);
  await clock.advance(10_000);
  await eventually(() =>
    assert.deepEqual(evicted, ['greedy: Usage of EmptyDir volume "cache" exceeds the limit "64Ki". ']),
  );
  stop.abort();
  await running.catch(() => undefined);
  await rm(root, { recursive: true });
});
