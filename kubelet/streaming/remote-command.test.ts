import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import { WebSocket } from 'ws';

import { eventually } from '../../shared/clock/eventually.js';
import { createKubeletWorld, type KubeletWorld } from './kubelet-world.js';

let world: KubeletWorld;
before(async () => {
  world = await createKubeletWorld();
});
after(() => world.close());

/** A client of the channel protocols: collects what comes by channel. */
class ChannelClient {
  readonly received = new Map<number, string>();
  readonly frames: number[] = [];
  readonly socket: WebSocket;
  readonly #isBase64: boolean;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.#isBase64 = socket.protocol.includes('base64');
    socket.on('message', (data: Buffer) => {
      const channel = this.#isBase64 ? Number(String.fromCharCode(data[0] ?? 0)) : (data[0] ?? 0);
      const body = this.#isBase64 ? Buffer.from(data.toString('latin1', 1), 'base64') : data.subarray(1);
      this.frames.push(channel);
      this.received.set(channel, (this.received.get(channel) ?? '') + body.toString());
    });
  }

  send(channel: number, data: string): void {
    this.socket.send(
      this.#isBase64
        ? `${channel}${Buffer.from(data).toString('base64')}`
        : Buffer.concat([Buffer.from([channel]), Buffer.from(data)]),
    );
  }

  closed(): Promise<unknown> {
    return this.socket.readyState === WebSocket.CLOSED ? Promise.resolve() : once(this.socket, 'close');
  }
}

async function open(path: string, protocols: string[]): Promise<ChannelClient> {
  const client = await world.client('kube-apiserver-kubelet-client', ['system:masters']);
  const socket = new WebSocket(`wss://127.0.0.1:${world.server.port}${path}`, protocols, client);
  const channels = new Promise<ChannelClient>((resolve) =>
    socket.once('upgrade', () => queueMicrotask(() => resolve(new ChannelClient(socket)))),
  );
  await once(socket, 'open');
  return channels;
}

const execPath = (command: string, options: string): string => {
  const words = command.split(' ').map((word) => `command=${encodeURIComponent(word)}`);
  return `/exec/default/web/main?${words.join('&')}&${options}`;
};

test('v5: input is half-closed by the close signal, and the command ends with Success', async () => {
  const client = await open(execPath('cat', 'input=1&output=1'), ['v5.channel.k8s.io', 'v4.channel.k8s.io']);
  assert.equal(client.socket.protocol, 'v5.channel.k8s.io');
  client.send(0, 'one ');
  client.send(0, 'two');
  client.socket.send(Buffer.from([255, 0]));
  await client.closed();
  assert.equal(client.frames[0], 1, 'an empty message on stdout comes first');
  assert.equal(client.received.get(1), 'one two');
  assert.deepEqual(JSON.parse(client.received.get(3) ?? ''), { metadata: {}, status: 'Success' });
});

test('an exit code comes as a Status with the cause ExitCode, stderr on its own channel', async () => {
  const client = await open(execPath('fail 7', 'output=1&error=1'), ['v4.channel.k8s.io']);
  await client.closed();
  assert.equal(client.received.get(2), 'it went wrong\n');
  const status = JSON.parse(client.received.get(3) ?? '') as Record<string, unknown>;
  assert.equal(status['reason'], 'NonZeroExitCode');
  assert.deepEqual(status['details'], { causes: [{ reason: 'ExitCode', message: '7' }] });
});

test('the base64 variant and the first version work, the latter with a plain text error', async () => {
  const base64 = await open(execPath('fill 5', 'output=1'), ['v4.base64.channel.k8s.io']);
  await base64.closed();
  assert.equal(base64.received.get(1), 'xxxxx');
  assert.match(base64.received.get(3) ?? '', /"Success"/);
  const first = await open(execPath('fail 2', 'output=1'), ['channel.k8s.io']);
  await first.closed();
  assert.match(first.received.get(3) ?? '', /^command terminated with non-zero exit code: .*exit code 2$/);
  const unnamed = await open(execPath('fill 3', 'output=1'), []);
  await unnamed.closed();
  assert.deepEqual([unnamed.received.get(1), unnamed.received.get(3)], ['xxx', undefined]);
});

test('a command that cannot be run is an InternalError that says why', async () => {
  const client = await open(execPath('nonsense', 'output=1'), ['v5.channel.k8s.io']);
  await client.closed();
  const status = JSON.parse(client.received.get(3) ?? '') as Record<string, unknown>;
  assert.equal(status['reason'], 'InternalError');
  assert.match(
    String(status['message']),
    /^Internal error occurred: error executing command in container: exec: "nonsense"/,
  );
});

test('terminal sizes reach the command', async () => {
  const client = await open(execPath('size', 'input=1&output=1&tty=1'), ['v5.channel.k8s.io']);
  client.send(4, '{"Width":80,"Height":24}\n');
  client.send(4, '{"Width":120,');
  client.send(4, '"Height":50}');
  await client.closed();
  assert.equal(client.received.get(1), '80x24\n120x50\n');
});

test('attach carries the process’s streams and ends with it', async () => {
  const own = await createKubeletWorld();
  const path = `/attach/default/web/main?input=1&output=1`;
  const tls = await own.client('kube-apiserver-kubelet-client', ['system:masters']);
  const socket = new WebSocket(`wss://127.0.0.1:${own.server.port}${path}`, ['v5.channel.k8s.io'], tls);
  await once(socket, 'open');
  const client = new ChannelClient(socket);
  client.send(0, 'to the process\n');
  client.socket.send(Buffer.from([255, 0]));
  await client.closed();
  assert.match(client.received.get(1) ?? '', /to the process\n$/);
  await own.close();
});

test('large output is carried whole and in order', async () => {
  const client = await open(execPath('fill 3000000', 'output=1'), ['v5.channel.k8s.io']);
  await client.closed();
  assert.equal(client.received.get(1)?.length, 3_000_000);
});

test('a client that leaves ends the session', async () => {
  const client = await open(execPath('forever', 'output=1'), ['v5.channel.k8s.io']);
  client.socket.terminate();
  await eventually(async () => assert.equal((await world.get('/healthz')).code, 200));
});

test('unknown protocols, missing streams and absent containers are refused with a plain answer', async () => {
  const refused = async (path: string, headers: Record<string, string>): Promise<[number, string]> => {
    const answer = await world.upgrade('GET', path, headers);
    assert.ok('code' in answer);
    return [answer.code, answer.body];
  };
  const webSocket = {
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==',
  };
  const wrong = { ...webSocket, 'sec-websocket-protocol': 'v9.channel.k8s.io' };
  assert.match(
    (await refused(execPath('cat', 'output=1'), wrong)).join(),
    /^403,unable to upgrade: unable to negotiate protocol/,
  );
  assert.match((await refused(execPath('cat', ''), webSocket)).join(), /^400,you must specify at least 1 of stdin/);
  assert.match((await refused('/exec/default/web/main?output=1', webSocket)).join(), /^400,you must specify a command/);
  assert.match(
    (await refused('/exec/default/web/waiting?output=1&command=ls', webSocket)).join(),
    /^404,container not found \("waiting"\)/,
  );
  assert.match(
    (await refused(execPath('cat', 'output=1'), { upgrade: 'h2c' })).join(),
    /^400,unable to upgrade: unsupported protocol "h2c"/,
  );
});
