import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';

import { Exec, KubeConfig, type V1Status } from 'kubernetes-client-1.4';
import { WebSocket } from 'ws';

import { createKubeletWorld, type KubeletWorld } from './kubelet-world.js';

let world: KubeletWorld;
before(async () => {
  world = await createKubeletWorld();
});
after(() => world.close());

/** The path and names of the API as the kubelet has them; the apiserver does the same. */
function toKubelet(uri: string): string {
  const { searchParams: query } = new URL(uri);
  const renamed = { stdin: 'input', stdout: 'output', stderr: 'error' } as const;
  const own = new URLSearchParams();
  for (const [name, value] of query) {
    if (name !== 'container') own.append(renamed[name as keyof typeof renamed] ?? name, value === 'true' ? '1' : value);
  }
  const [, namespace, pod] = /namespaces\/([^/]+)\/pods\/([^/]+)\/exec/.exec(uri) ?? [];
  return `wss://127.0.0.1:${world.server.port}/exec/${namespace}/${pod}/${query.get('container')}?${own.toString()}`;
}

async function exec(command: string[], input?: string): Promise<{ out: string; err: string; status: V1Status }> {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'test', server: 'https://127.0.0.1:1', skipTLSVerify: true }, { name: 'test' });
  const client = new Exec(config);
  const tls = await world.client('kube-apiserver-kubelet-client', ['system:masters']);
  const socketFactory = (uri: string, protocols: string[]): WebSocket => new WebSocket(toKubelet(uri), protocols, tls);
  Object.assign(client.handler, { socketFactory });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const outputs = Promise.all([text(stdout), text(stderr)]);
  const stdin = input === undefined ? null : new PassThrough();
  const status = await new Promise<V1Status>((resolve, reject) => {
    client.exec('default', 'web', 'main', command, stdout, stderr, stdin, false, resolve).catch(reject);
    stdin?.end(input);
  });
  stdout.end();
  stderr.end();
  const [out, err] = await outputs;
  return { out, err, status };
}

test('the JavaScript client library runs commands, with input to its end', async () => {
  const { out, status } = await exec(['cat'], 'from the library');
  assert.deepEqual([out, status.status], ['from the library', 'Success']);
});

test('the JavaScript client library reads exit codes and the error output', async () => {
  const { err, status } = await exec(['fail', '9']);
  assert.equal(err, 'it went wrong\n');
  assert.equal(status.details?.causes?.[0]?.message, '9');
});
