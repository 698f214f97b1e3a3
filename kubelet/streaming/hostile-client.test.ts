import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';

import fc from 'fast-check';

import { eventually } from '../../shared/clock/eventually.js';
import { connectTls, createKubeletWorld, type KubeletWorld } from './kubelet-world.js';
import { controlFrame, dataFrame, FrameReader, frameType, uint32s } from './spdy-frame.js';
import { HeaderReader, HeaderWriter } from './spdy-header.js';

let world: KubeletWorld;
before(async () => {
  world = await createKubeletWorld({ idleTimeoutMs: 500 });
});
after(() => world.close());

const exec = '/exec/default/web/main?command=cat&input=1&output=1';
const webSocket = {
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==',
  'sec-websocket-protocol': 'v5.channel.k8s.io',
};
const endpoints: [string, string, Record<string, string>][] = [
  ['POST', exec, { upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' }],
  ['POST', '/portForward/default/web', { upgrade: 'SPDY/3.1' }],
  ['GET', exec, webSocket],
  ['GET', '/portForward/default/web', { ...webSocket, 'sec-websocket-protocol': 'SPDY/3.1+portforward.k8s.io' }],
];

async function open(index: number): Promise<Duplex> {
  const [method, path, headers] = endpoints[index % endpoints.length] ?? ['', '', {}];
  const upgraded = await world.upgrade(method, path, headers);
  assert.ok('socket' in upgraded, JSON.stringify(upgraded));
  upgraded.socket.on('error', () => undefined).resume();
  return upgraded.socket;
}

/** Bytes that look like frames more often than noise does. */
const frames = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 3 }), fc.uint8Array({ maxLength: 40 }))
    .map(([type, flags, payload]) => controlFrame(type, flags, Buffer.from(payload))),
  fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 3 }), fc.uint8Array({ maxLength: 40 }))
    .map(([id, flags, data]) => dataFrame(id, flags, Buffer.from(data))),
);

test('whatever bytes come on any streaming endpoint, the connection ends and the server lives', async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(frames, { maxLength: 8 }), async (chunks) => {
      const socket = await open(count++);
      for (const chunk of chunks) if (socket.writable) socket.write(chunk);
      socket.end();
      await once(socket, 'close');
    }),
    { numRuns: 60, endOnFailure: true },
  );
  assert.equal((await world.get('/healthz')).code, 200);
});

test('a connection on which nothing happens is closed after the idle timeout', async () => {
  const sockets = await Promise.all([open(0), open(1), open(2), open(3)]);
  await Promise.all(sockets.map((socket) => once(socket, 'close')));
});

test('a header block that inflates without bound closes the connection', async () => {
  const socket = await open(0);
  const closed = once(socket, 'close');
  const bomb = new HeaderWriter().write({ streamtype: 'x'.repeat(1_000_000) });
  socket.write(controlFrame(frameType.synStream, 0, uint32s(1, 0), Buffer.alloc(2), bomb));
  await closed;
});

test('streams beyond the bound are refused, and reused stream ids close the connection', async () => {
  const open = (await world.upgrade('POST', '/portForward/default/web', { upgrade: 'SPDY/3.1' })) as { socket: Duplex };
  const resets = new Set<number>();
  const reader = new FrameReader();
  open.socket.on('data', (chunk: Buffer) => {
    for (const frame of reader.push(chunk)) {
      if (frame.kind === 'control' && frame.type === frameType.reset) resets.add(frame.payload.readUInt32BE(4));
    }
  });
  const writer = new HeaderWriter();
  const headers = (id: number): Buffer => writer.write({ streamtype: 'data', port: '80', requestid: String(id) });
  const syn = (id: number): Buffer =>
    controlFrame(frameType.synStream, 0, uint32s(id, 0), Buffer.alloc(2), headers(id));
  for (let id = 1; id < 1201; id += 2) open.socket.write(syn(id));
  await eventually(() => assert.ok(resets.has(3), 'REFUSED_STREAM'));
  open.socket.write(syn(1));
  await once(open.socket, 'close');
});

test('noise instead of HTTP or TLS does no harm', async () => {
  const socket = await connectTls(world);
  socket.on('error', () => undefined).resume();
  socket.write(randomBytes(4096));
  await once(socket, 'close');
  assert.equal((await world.get('/healthz')).code, 200);
});

test('header blocks survive the way through the compressed stream', () => {
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.stringMatching(/^[a-z]{1,12}$/), fc.string(), { maxKeys: 5 }), { maxLength: 6 }),
      (blocks) => {
        const [writer, reader] = [new HeaderWriter(), new HeaderReader()];
        for (const block of blocks)
          assert.deepEqual(Object.fromEntries(reader.read(writer.write(block))), { ...block });
      },
    ),
  );
});
