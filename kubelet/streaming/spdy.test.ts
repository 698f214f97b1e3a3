import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';

import spdyTransport from 'spdy-transport';
import { WebSocket } from 'ws';

import { createKubeletWorld, type KubeletWorld } from './kubelet-world.js';

let world: KubeletWorld;
before(async () => {
  world = await createKubeletWorld();
});
after(() => world.close());

/** An independent SPDY client on an upgraded connection. */
class SpdyClient {
  readonly socket: Duplex;
  readonly #connection: spdyTransport.Connection;

  constructor(socket: Duplex) {
    this.socket = socket;
    this.#connection = spdyTransport.connection.create(socket, { protocol: 'spdy', isServer: false });
    this.#connection.start(3.1);
    this.#connection.on('error', () => undefined);
  }

  close(): void {
    this.socket.destroy();
  }

  async open(headers: Readonly<Record<string, string>>): Promise<{ stream: Duplex; output: Promise<string> }> {
    const stream = this.#connection.request({ method: 'POST', host: 'kubelet', path: '/', headers });
    stream.on('error', () => undefined);
    const output = read(stream);
    await once(stream, 'response');
    return { stream, output };
  }
}

/** Bytes inside binary messages: ws refuses to ask for a protocol with a slash. Good for short messages only. */
class MessageTunnel extends Duplex {
  readonly #socket: Duplex;
  #pending = Buffer.alloc(0);

  constructor(socket: Duplex) {
    super();
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  override _read(): void {
    // Pushed as it comes.
  }

  /** A mask of zeros leaves the data as it is. */
  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const length = Buffer.from([0x82, 0x80 | 126, chunk.length >> 8, chunk.length & 0xff]);
    this.#socket.write(Buffer.concat([length, Buffer.alloc(4), chunk]), callback);
  }

  #receive(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (let length = this.#pending[1] ?? 0; this.#pending.length >= 2 + length; length = this.#pending[1] ?? 0) {
      if (this.#pending.length < 2) return;
      this.push(this.#pending.subarray(2, 2 + length));
      this.#pending = this.#pending.subarray(2 + length);
    }
  }
}

/** Reads to the end of the other side; node's own consumers would wait for this side too. */
function read(stream: Duplex): Promise<string> {
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) => {
    stream.once('end', () => resolve(text));
    stream.once('close', () => resolve(text));
  });
}

async function connect(path: string, protocol: string): Promise<{ client: SpdyClient; negotiated: unknown }> {
  const headers = { upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol };
  const upgraded = await world.upgrade('POST', path, headers);
  assert.ok('socket' in upgraded, JSON.stringify(upgraded));
  return { client: new SpdyClient(upgraded.socket), negotiated: upgraded.headers['x-stream-protocol-version'] };
}

test('exec over SPDY: input is half-closed, output and the exit status come back', async () => {
  const { client, negotiated } = await connect(
    '/exec/default/web/main?command=cat&input=1&output=1',
    'v5.channel.k8s.io, v4.channel.k8s.io',
  );
  assert.equal(negotiated, 'v4.channel.k8s.io');
  const error = await client.open({ streamtype: 'error' });
  const stdin = await client.open({ streamtype: 'stdin' });
  const stdout = await client.open({ streamtype: 'stdout' });
  stdin.stream.write('through ');
  stdin.stream.end('spdy');
  const [output, status] = await Promise.all([stdout.output, error.output]);
  assert.equal(output, 'through spdy');
  assert.deepEqual(JSON.parse(status), { metadata: {}, status: 'Success' });
  client.close();
});

test('exec over SPDY carries exit codes, and much output', async () => {
  const run = async (command: string): Promise<{ output: string; status: string }> => {
    const { client } = await connect(`/exec/default/web/main?${command}&output=1`, 'v4.channel.k8s.io');
    const [error, stdout] = [await client.open({ streamtype: 'error' }), await client.open({ streamtype: 'stdout' })];
    const [output, status] = await Promise.all([stdout.output, error.output]);
    client.close();
    return { output, status };
  };
  const failed = await run('command=fail&command=42');
  assert.match(failed.status, /"causes":\[\{"reason":"ExitCode","message":"42"\}\]/);
  assert.equal((await run('command=fill&command=900000')).output.length, 900_000);
});

test('the first version of the protocol tells failures in plain text', async () => {
  const { client } = await connect('/exec/default/web/main?command=fail&command=2&output=1', 'channel.k8s.io');
  const error = await client.open({ streamtype: 'error' });
  await client.open({ streamtype: 'stdout' });
  assert.match(await error.output, /^command terminated with non-zero exit code/);
  client.close();
});

test('a stream that nobody asked for is reset, and the session goes on', async () => {
  const { client } = await connect('/exec/default/web/main?command=fill&command=4&output=1', 'v4.channel.k8s.io');
  await (
    await client.open({ streamtype: 'nonsense' })
  ).output;
  await client.open({ streamtype: 'error' });
  assert.equal(await (await client.open({ streamtype: 'stdout' })).output, 'xxxx');
  client.close();
});

async function forward(client: SpdyClient, port: number, requestId: string, input: string): Promise<[string, string]> {
  const headers = { port: String(port), requestid: requestId };
  const error = await client.open({ ...headers, streamtype: 'error' });
  const data = await client.open({ ...headers, streamtype: 'data' });
  error.stream.end();
  data.stream.end(input);
  return Promise.all([data.output, error.output]);
}

test('port-forward over SPDY carries several connections at once, and tells a refused port', async () => {
  const { client } = await connect('/portForward/default/web', 'portforward.k8s.io');
  const [first, second] = await Promise.all([forward(client, 80, '0', 'one'), forward(client, 80, '1', 'two')]);
  assert.deepEqual(
    [first, second],
    [
      ['ONE', ''],
      ['TWO', ''],
    ],
  );
  const [, refused] = await forward(client, 81, '2', '');
  assert.match(refused, /^error forwarding port 81: .*connection refused$/);
  client.close();
});

test('port-forward works through SPDY tunnelled in a WebSocket', async () => {
  const upgraded = await world.upgrade('GET', '/portForward/default/web', {
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==',
    'sec-websocket-protocol': 'SPDY/3.1+portforward.k8s.io',
  });
  assert.ok('socket' in upgraded, JSON.stringify(upgraded));
  assert.equal(upgraded.headers['sec-websocket-protocol'], 'SPDY/3.1+portforward.k8s.io');
  const client = new SpdyClient(new MessageTunnel(upgraded.socket));
  assert.deepEqual(await forward(client, 80, '0', 'tunnel'), ['TUNNEL', '']);
  upgraded.socket.destroy();
});

test('port-forward works over plain WebSocket channels, as client libraries use it', async () => {
  const url = `wss://127.0.0.1:${world.server.port}/portForward/default/web?ports=80`;
  const tls = await world.client('kube-apiserver-kubelet-client', ['system:masters']);
  const socket = new WebSocket(url, ['v4.channel.k8s.io'], tls);
  const frames: Buffer[] = [];
  socket.on('message', (data: Buffer) => void frames.push(data));
  await once(socket, 'open');
  socket.send(Buffer.from('\0channels'));
  while (frames.length < 3) await once(socket, 'message');
  assert.deepEqual(frames.map(String), ['\0P\0', '\u0001P\0', '\0CHANNELS']);
  socket.terminate();
});
