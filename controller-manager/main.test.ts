import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../apiserver/testing/test-server.js';
import { leases, serviceaccounts } from '../shared/api/generated/resources.js';
import { clientFromKubeconfig } from '../shared/client/connect.js';
import type { HttpsClient } from '../shared/client/https-client.js';
import { eventually } from '../shared/clock/eventually.js';
import { systemClock } from '../shared/clock/clock.js';
import { Said } from '../shared/log/testing/said.js';

type Child = ChildProcessByStdio<null, Readable, Readable>;

const main = fileURLToPath(new URL('./main.js', import.meta.url));

describe('the controller-manager process', () => {
  let server: TestServer;
  let admin: HttpsClient;
  let kubeconfig: string;
  const children: Child[] = [];
  before(async () => {
    server = await startTestServer();
    admin = await clientFromKubeconfig(server.kubeconfigPath, { clock: systemClock });
    kubeconfig = await server.kubeconfigFor('system:kube-controller-manager');
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    admin.close();
    await server.close();
  });

  const start = (...args: string[]): Child => {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    return child;
  };
  const startAs = (identity: string): Child =>
    start('--kubeconfig', kubeconfig, '--health-port', '0', '--leader-elect-identity', identity);
  const holder = async (): Promise<string | undefined> =>
    (await admin.get(leases, 'kube-controller-manager', 'kube-system')).spec?.holderIdentity;
  const readyz = async (port: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}/readyz`)).text();

  it('leads, hands over when it is stopped, and ends with code 0', async () => {
    const first = startAs('first');
    const firstPort = await new Said(first.stdout).portOf('serves its health');
    await eventually(async () => assert.equal(await holder(), 'first'), 20_000, 50);
    await eventually(async () => assert.equal(await readyz(firstPort), 'ok'));
    await eventually(() => admin.get(serviceaccounts, 'default', 'kube-public'));
    const second = startAs('second');
    const secondPort = await new Said(second.stdout).portOf('serves its health');
    await eventually(async () => assert.equal(await readyz(secondPort), 'ok'), 20_000, 50);
    assert.equal(await holder(), 'first');
    const exit = once(first, 'exit');
    first.kill('SIGTERM');
    assert.deepEqual(await exit, [0, null]);
    assert.equal(await holder(), '');
    await eventually(async () => assert.equal(await holder(), 'second'), 20_000, 50);
    await eventually(async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${secondPort}/metrics`)).text();
      assert.match(metrics, /^workqueue_adds_total\{name="namespace"\} \d+$/m);
    });
    // Killed, it leaves its Lease; its successor under the same name goes on at once.
    const killed = once(second, 'exit');
    second.kill('SIGKILL');
    await killed;
    await admin.delete(serviceaccounts, 'default', 'kube-public');
    const third = startAs('second');
    third.stdout.resume();
    await eventually(() => admin.get(serviceaccounts, 'default', 'kube-public'), 20_000, 50);
    const ended = once(third, 'exit');
    third.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  });

  it('says in one sentence what is wrong with its flags, and ends with code 1', async () => {
    for (const [args, sentence] of [
      [['--kubeconfig', '/no/such/file'], /^kubeconfig \/no\/such\/file: no such file\n$/],
      [['--kubeconfig', kubeconfig, '--cluster-signing-key-file', '/x'], /belong together\n$/],
      [[], /required option '--kubeconfig <file>' not specified/],
    ] as const) {
      const child = start(...args);
      let text = '';
      child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const [code] = (await once(child, 'close')) as [number];
      assert.equal(code, 1);
      assert.match(text, sentence);
    }
  });
});
