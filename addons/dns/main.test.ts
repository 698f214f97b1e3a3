import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { decode, encode } from 'dns-packet';
import { startTestServer, type TestServer } from '../../apiserver/testing/test-server.js';
import { eventually } from '../../shared/clock/eventually.js';
import { Said } from '../../shared/log/testing/said.js';

type Child = ChildProcessByStdio<null, Readable, Readable>;

const main = fileURLToPath(new URL('./main.js', import.meta.url));

async function addressOf(name: string, port: number): Promise<unknown> {
  const socket = createSocket('udp4');
  try {
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(20_000) }) as Promise<[Buffer]>;
    socket.send(encode({ type: 'query', id: 7, flags: 256, questions: [{ type: 'A', name }] }), port, '127.0.0.1');
    const [found] = decode((await answer)[0]).answers ?? [];
    return found && 'data' in found ? found.data : undefined;
  } finally {
    socket.close();
  }
}

describe('the dns process', () => {
  let server: TestServer;
  const children: Child[] = [];
  before(async () => {
    server = await startTestServer();
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await server.close();
  });
  const start = (...args: string[]): Child => {
    // Outside a pod, wherever the test runs.
    const { KUBERNETES_SERVICE_HOST: _, ...env } = process.env;
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
    children.push(child);
    return child;
  };

  it('answers for the domain that it is given, tells its health and numbers, and ends with code 0', async () => {
    const ports = ['--port', '0', '--health-port', '0', '--metrics-port', '0'];
    const where = ['--host', '127.0.0.1', '--domain', 'example.test', '--lame-duck', '0'];
    const child = start('--kubeconfig', server.kubeconfigPath, ...where, ...ports);
    const said = new Said(child.stdout);
    const [healthPort, metricsPort] = [await said.portOf('serves its health'), await said.portOf('serves its metrics')];
    const get = (from: number, path: string): Promise<Response> => fetch(`http://127.0.0.1:${from}${path}`);
    await eventually(async () => assert.equal((await get(healthPort, '/readyz')).status, 200), 20_000, 50);
    const name = 'kubernetes.default.svc.example.test';
    assert.equal(await addressOf(name, await said.portOf('answers over UDP')), '10.96.0.1');
    assert.equal((await get(healthPort, '/livez')).status, 200);
    assert.match(await (await get(metricsPort, '/metrics')).text(), /^# TYPE /m);
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    assert.deepEqual(await exit, [0, null]);
  });

  it('says in one sentence what is wrong with its flags, and ends with code 1', async () => {
    for (const [args, sentence] of [
      [['--kubeconfig', `${server.kubeconfigPath}.missing`], /^kubeconfig \S+\.missing: no such file\n$/],
      [['--port', 'x'], /argument 'x' is invalid. x is not a port\.\n$/],
      [['--lame-duck', '-1'], /-1 is not a number of seconds\.\n$/],
      [[], /^[^\n]+\n$/],
    ] as const) {
      const child = start(...args);
      let text = '';
      child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const [code] = (await once(child, 'close')) as [number];
      assert.equal(code, 1, text);
      assert.match(text, sentence);
    }
  });
});
