import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from '../apiserver/testing/test-server.js';
import { namespaces, nodes } from '../shared/api/generated/resources.js';
import type { Client } from '../shared/client/client.js';
import { clientFromKubeconfig } from '../shared/client/connect.js';
import { systemClock } from '../shared/clock/clock.js';
import { eventually } from '../shared/clock/eventually.js';
import { isAlreadyExists } from '../shared/errors/status-error.js';

const program = fileURLToPath(new URL('./main.js', import.meta.url));
let server: TestServer;
let client: Client;
let root: string;
before(async () => {
  server = await startTestServer();
  client = await clientFromKubeconfig(server.kubeconfigPath, { clock: systemClock });
  root = await mkdtemp(join(tmpdir(), 'knarr-main-'));
  await writeFile(join(root, 'ca.crt'), server.ca);
  await client.create(namespaces, { metadata: { name: 'kube-node-lease' }, spec: {} }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
});
after(async () => {
  client.close();
  await server.close();
  await rm(root, { recursive: true, force: true });
});

const flagsOf = (kubeconfig: string): string[] =>
  Object.entries({
    kubeconfig,
    'node-name': 'node-7',
    'node-ip': '127.0.0.1',
    'root-dir': root,
    'docker-host': `unix://${root}/none.sock`,
    'client-ca-file': join(root, 'ca.crt'),
    'health-port': '0',
    port: '0',
    'node-labels': 'zone=a,tier=',
    'node-cpu': '1500m',
  }).flatMap(([name, value]) => [`--${name}`, value]);

function start(args: readonly string[]): { ended: Promise<{ code: number | null; stderr: string }>; stop: () => void } {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, stderr }));
  });
  return { ended, stop: () => void child.kill('SIGTERM') };
}

test('without an engine the process registers its node, says in one sentence what is wrong, and ends on SIGTERM', async () => {
  const kubelet = start(flagsOf(await server.kubeconfigFor('system:node:node-7', ['system:nodes'])));
  try {
    const node = await eventually(async () => {
      const found = await client.get(nodes, 'node-7');
      const ready = found.status?.conditions?.find(({ type }) => type === 'Ready');
      assert.match(ready?.message ?? '', /^\[?container runtime is down: cannot reach the Docker Engine at unix:/);
      return found;
    });
    assert.equal(node.metadata.labels?.['zone'], 'a');
    assert.equal(node.status?.capacity?.['cpu'], '1500m');
    assert.equal(node.metadata.annotations?.['knarr.dev/link-address'], '127.0.0.1');
  } finally {
    kubelet.stop();
  }
  assert.deepEqual(await kubelet.ended, { code: 0, stderr: '' });
});

test('a kubeconfig that is not there ends the process with one sentence', async () => {
  const { code, stderr } = await start(flagsOf(join(root, 'none.conf'))).ended;
  assert.equal(code, 1);
  assert.match(stderr, /^kubeconfig \S+none\.conf: no such file, and no --bootstrap-kubeconfig was given\n$/);
});
