import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { inClusterAccess, loadKubeconfig, resolveContext, type Kubeconfig } from './kubeconfig.js';

const config: Kubeconfig = {
  'current-context': 'a',
  clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443', 'certificate-authority': 'ca.pem' } }],
  users: [
    { name: 'u', user: { 'client-certificate-data': Buffer.from('CERT').toString('base64'), 'client-key': 'key.pem' } },
    { name: 'token', user: { tokenFile: 'token' } },
  ],
  contexts: [
    { name: 'a', context: { cluster: 'c', user: 'u', namespace: 'dev' } },
    { name: 'b', context: { cluster: 'c', user: 'token' } },
    { name: 'broken', context: { cluster: 'nowhere', user: 'u' } },
  ],
};

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  t.after(() => rm(path, { recursive: true }));
  await writeFile(join(path, 'ca.pem'), 'CA');
  await writeFile(join(path, 'key.pem'), 'KEY');
  await writeFile(join(path, 'config'), JSON.stringify(config));
  return path;
}

test('files of a kubeconfig are relative to its folder, inline data wins', async (t) => {
  const path = join(await folder(t), 'config');
  const access = await resolveContext(await loadKubeconfig(path), path);
  assert.equal(access.connection.server, 'https://10.0.0.1:6443');
  assert.deepEqual([access.connection.ca, access.connection.cert, access.connection.key].map(String), [
    'CA',
    'CERT',
    'KEY',
  ]);
  assert.equal(access.namespace, 'dev');
  const other = await resolveContext(await loadKubeconfig(path), path, 'b');
  assert.equal(other.tokenFile, join(path, '..', 'token'));
});

test('what is missing in a kubeconfig is named', async (t) => {
  const path = join(await folder(t), 'config');
  const loaded = await loadKubeconfig(path);
  await assert.rejects(resolveContext(loaded, path, 'z'), {
    message: `kubeconfig ${path}: context "z" does not exist`,
  });
  await assert.rejects(resolveContext(loaded, path, 'broken'), /cluster "nowhere" does not exist/);
  await assert.rejects(loadKubeconfig(`${path}x`), { message: `kubeconfig ${path}x: no such file` });
});

test('YAML is read too, and what is wrong with it is told with its place', async (t) => {
  const path = join(await folder(t), 'yaml');
  await writeFile(path, 'current-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\n');
  const loaded = await loadKubeconfig(path);
  assert.deepEqual([loaded['current-context'], loaded.contexts?.[0]?.context.cluster], ['a', 'c']);
  await writeFile(path, 'current-context: [');
  await assert.rejects(loadKubeconfig(path), (error: Error) => error.message.startsWith(`${path}:1:`));
});

test('a pod finds its server by the environment', async (t) => {
  const path = await folder(t);
  await writeFile(join(path, 'ca.crt'), 'CA');
  const access = await inClusterAccess({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }, path);
  assert.equal(access.connection.server, 'https://[fd00::1]:443');
  await assert.rejects(inClusterAccess({}, path), /not in a pod/);
});
