import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { ConfigMap, Secret, Volume } from '../../shared/api/generated/types.js';
import { podOf } from '../testing/pod-builder.js';
import { writeAtomically, type PayloadFile } from './atomic-writer.js';
import { PodDirectories } from './pod-directories.js';
import { resolveSubPath } from './sub-path.js';
import { VolumeManager } from './volume-manager.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'knarr-volumes-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const file = (text: string, mode = 0o644): PayloadFile => ({ data: Buffer.from(text), mode });
const files = (given: Readonly<Record<string, string>>): Map<string, PayloadFile> =>
  new Map(Object.entries(given).map(([path, text]) => [path, file(text)]));

test('a write swaps all files at once behind ..data and removes what is gone', async () => {
  assert.equal(await writeAtomically(root, files({ a: '1', 'sub/b': '2' }), undefined), true);
  const first = await readlink(join(root, '..data'));
  assert.equal(await readFile(join(root, 'a'), 'utf8'), '1');
  assert.equal(await readFile(join(root, 'sub', 'b'), 'utf8'), '2');
  assert.equal(await readlink(join(root, 'a')), '..data/a');
  assert.equal(await writeAtomically(root, files({ a: '3', c: '4' }), undefined), true);
  assert.notEqual(await readlink(join(root, '..data')), first);
  assert.deepEqual((await readdir(root)).filter((name) => !name.startsWith('..')).sort(), ['a', 'c']);
  assert.equal((await readdir(root)).filter((name) => name.startsWith('..2')).length, 1);
});

test('the same content is not written again', async () => {
  await writeAtomically(root, files({ a: '1' }), undefined);
  const before = await readlink(join(root, '..data'));
  assert.equal(await writeAtomically(root, files({ a: '1' }), undefined), false);
  assert.equal(await readlink(join(root, '..data')), before);
});

test('what a killed writer left behind is removed by the next write', async () => {
  await writeAtomically(root, files({ a: '1' }), undefined);
  await mkdir(join(root, '..2020_01_01_00_00_00.dead'));
  await symlink('..2020_01_01_00_00_00.dead', join(root, '..data_tmp'));
  await writeAtomically(root, files({ a: '2' }), undefined);
  assert.equal(await readFile(join(root, 'a'), 'utf8'), '2');
  assert.deepEqual(
    (await readdir(root)).filter((name) => /dead|tmp/.test(name)),
    [],
  );
});

test('modes are exact, and a group that owns the volume can read it', async () => {
  await writeAtomically(root, new Map([['key', file('x', 0o400)]]), undefined);
  assert.equal((await stat(join(root, 'key'))).mode & 0o777, 0o400);
  await writeAtomically(root, new Map([['key', file('x', 0o400)]]), process.getgid?.() ?? 0);
  assert.equal((await stat(join(root, 'key'))).mode & 0o777, 0o440);
});

test('paths that would leave the volume are refused', async () => {
  for (const path of ['../x', '/x', 'a/../../x', '..data/x', '']) {
    await assert.rejects(writeAtomically(root, files({ [path]: 'x' }), undefined), /invalid path/);
  }
});

test('a subPath is made where it is missing, with the mode of its volume, and may not lead out', async () => {
  await chmod(root, 0o2777);
  assert.equal(await resolveSubPath(root, 'logs/app'), join(root, 'logs', 'app'));
  for (const path of ['logs', 'logs/app']) assert.equal((await stat(join(root, path))).mode & 0o7777, 0o2777);
  await symlink('/etc', join(root, 'escape'));
  await assert.rejects(resolveSubPath(root, 'escape'), /points outside the volume/);
  await assert.rejects(resolveSubPath(root, 'escape/new'), /points outside the volume/);
  await assert.rejects(resolveSubPath(root, '../x'), /must not leave the volume/);
});

const metadata = { name: 'x', namespace: 'default', uid: 'u', resourceVersion: '1', creationTimestamp: '' };
const configMap: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: '1', b: '2' } };
const secret: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata,
  data: { s: Buffer.from('hidden').toString('base64') },
};

function manager(): VolumeManager {
  return new VolumeManager({
    directories: new PodDirectories(root),
    payload: () => ({
      source: {
        configMap: (_namespace, name) => Promise.resolve(name === 'settings' ? configMap : undefined),
        secret: (_namespace, name) => Promise.resolve(name === 'keys' ? secret : undefined),
      },
      tokens: { token: (_pod, audience, seconds) => Promise.resolve(`token-${audience}-${seconds}`) },
      allocatable: { memory: '1Gi' },
    }),
  });
}
const facts = { nodeName: 'node-1', hostIPs: ['192.0.2.1'], podIPs: [] };

async function mounted(volume: Omit<Volume, 'name'>): Promise<string> {
  const pod = podOf({ volumes: [{ name: 'v', ...volume }] });
  pod.metadata.labels = { app: 'web' };
  const found = (await manager().prepare(pod, facts)).get('v');
  assert.ok(found?.type === 'path');
  return found.path;
}

test('projected volumes join tokens, objects and facts of the pod', async () => {
  const path = await mounted({
    projected: {
      sources: [
        { serviceAccountToken: { path: 'token', audience: 'api' } },
        { configMap: { name: 'settings', items: [{ key: 'a', path: 'deep/a', mode: 0o600 }] } },
        { secret: { name: 'keys' } },
        { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      ],
    },
  });
  const read = (name: string): Promise<string> => readFile(join(path, name), 'utf8');
  assert.equal(await read('token'), 'token-api-3600');
  assert.equal(await read('deep/a'), '1');
  assert.equal((await stat(join(path, 'deep/a'))).mode & 0o777, 0o600);
  assert.equal(await read('s'), 'hidden');
  assert.equal(await read('labels'), 'app="web"');
});

test('a missing object is told by name, unless it is optional', async () => {
  await assert.rejects(mounted({ configMap: { name: 'none' } }), /volume "v" : configmap "none" not found/);
  assert.deepEqual(
    (await readdir(await mounted({ configMap: { name: 'none', optional: true } }))).filter((n) => !n.startsWith('..')),
    [],
  );
  await assert.rejects(
    mounted({ configMap: { name: 'settings', items: [{ key: 'zz', path: 'zz' }] } }),
    /non-existent configmap key: zz/,
  );
});

test('an emptyDir is open to every user of the pod and keeps its content', async () => {
  const path = await mounted({ emptyDir: {} });
  assert.equal((await stat(path)).mode & 0o777, 0o777);
  await writeFile(join(path, 'kept'), 'x');
  assert.equal(await mounted({ emptyDir: {} }), path);
  assert.equal(await readFile(join(path, 'kept'), 'utf8'), 'x');
});

test('a hostPath is checked as its type says', async () => {
  await writeFile(join(root, 'plain'), '');
  await assert.rejects(
    mounted({ hostPath: { path: join(root, 'plain'), type: 'Directory' } }),
    /hostPath type check failed: .*plain is not a directory/,
  );
  await mounted({ hostPath: { path: join(root, 'made'), type: 'DirectoryOrCreate' } });
  assert.ok((await stat(join(root, 'made'))).isDirectory());
});

test('a refresh brings what changed, and leaves other volumes alone', async () => {
  const pod = podOf({ volumes: [{ name: 'v', configMap: { name: 'settings' } }] });
  const volumes = manager();
  const found = (await volumes.prepare(pod, facts)).get('v');
  assert.ok(found?.type === 'path');
  assert.equal(await readFile(join(found.path, 'a'), 'utf8'), '1');
  const before = configMap.data;
  configMap.data = { a: 'new' };
  await volumes.refresh(pod, facts);
  configMap.data = before ?? {};
  assert.equal(await readFile(join(found.path, 'a'), 'utf8'), 'new');
  assert.deepEqual(
    (await readdir(found.path)).filter((name) => !name.startsWith('..')),
    ['a'],
  );
});
