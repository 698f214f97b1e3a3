import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { after, before, test } from 'node:test';
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  RECURSION_DESIRED,
  streamDecode,
  streamEncode,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import { connect, createServer, type Server } from 'node:net';
import { eventually } from '../../shared/clock/eventually.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { systemClock } from '../../shared/clock/clock.js';
import { Resolver } from './resolver.js';
import { TcpServer, UdpServer } from './servers.js';
import { parseResolvers, Upstream } from './upstream.js';
import { Zone, type ZoneSource } from './zone.js';

const filled = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
let clusterIP = '10.96.0.7';
let generation = 0;
const manyAddresses = Array.from({ length: 100 }, (_, i) => `10.244.0.${i + 1}`);
const hugeAddresses = Array.from({ length: 5000 }, (_, i) => `10.244.${i >> 8}.${i & 255}`);
const source: ZoneSource = {
  domain: 'cluster.local',
  hasNamespace: () => true,
  service: (namespace, name) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...filled, name, namespace },
    spec:
      name === 'far'
        ? { type: 'ExternalName', externalName: 'www.example.com' }
        : {
            type: 'ClusterIP',
            clusterIP: name === 'many' || name === 'huge' ? 'None' : clusterIP,
            ports: [{ port: 80, protocol: 'TCP' }],
          },
  }),
  slices: (namespace, name) => [
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...filled, name, namespace },
      addressType: 'IPv4',
      ports: [],
      endpoints: (name === 'huge' ? hugeAddresses : manyAddresses).map((address) => ({ addresses: [address] })),
    },
  ],
  servicesOf: () => [],
};

/** A resolver of the outside world on loopback. */
let outside: Socket;
let outsideTcp: Server;
let outsidePort: number;
let asked: string[] = [];
let isAway = false;

before(async () => {
  outside = createSocket('udp4');
  outside.on('message', (bytes, from) => {
    const { id = 0, questions: [question] = [] } = decode(bytes);
    if (!question || isAway) return;
    asked.push(`${question.name} ${question.type}`);
    const isBig = question.name === 'big.example.com';
    const answers: Answer[] =
      question.name === 'none.example.com' || isBig
        ? []
        : [{ type: 'A', name: question.name, ttl: 60, data: '192.0.2.80' }];
    const flags = RECURSION_DESIRED | (isBig ? TRUNCATED_RESPONSE : 0) | (question.name === 'none.example.com' ? 3 : 0);
    outside.send(encode({ type: 'response', id, flags, questions: [question], answers }), from.port, from.address);
  });
  await new Promise<void>((resolve) => outside.bind(0, '127.0.0.1', () => resolve()));
  outsidePort = outside.address().port;
  outsideTcp = createServer((socket) => {
    socket.once('data', (bytes: Buffer) => {
      const { id = 0, questions: [question] = [] } = streamDecode(bytes) ?? {};
      if (question)
        socket.end(
          streamEncode({
            type: 'response',
            id,
            questions: [question],
            answers: [{ type: 'A', name: question.name, ttl: 60, data: '192.0.2.81' }],
          }),
        );
    });
  });
  await new Promise<void>((resolve) => outsideTcp.listen(outsidePort, '127.0.0.1', () => resolve()));
});
after(() => {
  outside.close();
  outsideTcp.close();
});

function resolver(options: { servers?: string[]; clock?: FakeClock; timeoutMs?: number } = {}): Resolver {
  const servers = options.servers ?? [`127.0.0.1#${outsidePort}`];
  const { clock = systemClock, timeoutMs = 20_000 } = options;
  const upstream = new Upstream({ clock, servers: () => servers, timeoutMs });
  return new Resolver({ zone: new Zone(source), upstream, generation: () => generation, random: () => 0.5 });
}
const question = (name: string, type: 'A' | 'AAAA' | 'ANY' = 'A', more: Partial<Packet> = {}): Buffer =>
  encode({ type: 'query', id: 7, flags: RECURSION_DESIRED, questions: [{ type: type as 'A', name }], ...more });
async function ask(from: Resolver, bytes: Buffer, isUdp = true): Promise<Packet & { rcode: number; raw: Buffer }> {
  const raw = await from.answer(bytes, isUdp);
  assert.ok(raw);
  return { ...decode(raw), rcode: (raw[3] ?? 0) & 15, raw };
}
const data = (packet: Packet): unknown[] => (packet.answers ?? []).map((a) => ('data' in a ? a.data : undefined));

test('an answer repeats id and question in the case in which it was asked', async () => {
  const dns = resolver();
  for (const name of ['Web.shop.SVC.cluster.local', 'web.shop.svc.cluster.local']) {
    const reply = await ask(dns, question(name));
    assert.deepEqual([reply.id, reply.questions?.[0]?.name, data(reply)], [7, name, ['10.96.0.7']]);
    assert.ok((reply.flags ?? 0) & AUTHORITATIVE_ANSWER);
  }
});

test('a prebuilt answer goes when what it was made of changes', async () => {
  const dns = resolver();
  await ask(dns, question('web.shop.svc.cluster.local'));
  clusterIP = '10.96.0.8';
  generation++;
  assert.deepEqual(data(await ask(dns, question('web.shop.svc.cluster.local'))), ['10.96.0.8']);
});

test('a negative answer says for how long it holds', async () => {
  const reply = await ask(resolver(), question('web.shop.svc.cluster.local', 'AAAA'));
  assert.equal(reply.rcode, 0);
  assert.equal(reply.authorities?.[0]?.type, 'SOA');
  assert.equal((await ask(resolver(), question('else.cluster.local'))).rcode, 3);
});

test('an answer too large for UDP is truncated, and whole over TCP', async () => {
  const dns = resolver();
  const overUdp = await ask(dns, question('many.shop.svc.cluster.local'));
  assert.ok(overUdp.raw.length <= 512);
  assert.ok((overUdp.flags ?? 0) & TRUNCATED_RESPONSE);
  assert.equal(data(overUdp).length, 29, 'what fits is there for clients without TCP');
  assert.equal(data(await ask(dns, question('many.shop.svc.cluster.local'), false)).length, 100);
});

test('the addresses of a name are rotated', async () => {
  assert.equal(data(await ask(resolver(), question('many.shop.svc.cluster.local'), false))[0], '10.244.0.51');
});

test('other names are asked upstream once and remembered as long as they live', async () => {
  asked = [];
  const clock = new FakeClock();
  const dns = resolver({ clock });
  assert.deepEqual(data(await ask(dns, question('www.example.com'))), ['192.0.2.80']);
  await clock.advance(10_000);
  const again = await ask(dns, question('www.example.com'));
  assert.deepEqual(asked, ['www.example.com A']);
  const [answer] = again.answers ?? [];
  assert.equal(answer && 'ttl' in answer && answer.ttl, 50);
  await clock.advance(51_000);
  await ask(dns, question('www.example.com'));
  assert.equal(asked.length, 2);
});

test('an alias out of the cluster comes with the address it leads to', async () => {
  assert.deepEqual(data(await ask(resolver(), question('far.shop.svc.cluster.local'))), [
    'www.example.com',
    '192.0.2.80',
  ]);
});

test('a truncated answer from upstream is asked again over TCP', async () => {
  assert.deepEqual(data(await ask(resolver(), question('big.example.com'), false)), ['192.0.2.81']);
});

test('without an upstream that answers, the cluster is served and the rest fails', async () => {
  const silent = resolver({ servers: [] });
  assert.equal((await ask(silent, question('www.example.com'))).rcode, 2);
  assert.deepEqual(data(await ask(silent, question('web.shop.svc.cluster.local'))), [clusterIP]);
  isAway = true;
  assert.equal((await ask(resolver({ timeoutMs: 50 }), question('away.example.com'))).rcode, 2);
  isAway = false;
});

test('resolvers that cannot be reached fail at once, without waiting for the timeout', async () => {
  // Nobody serves tcpmux over UDP.
  const upstream = new Upstream({ clock: new FakeClock(), servers: () => ['127.0.0.1#1', '255.255.255.255'] });
  assert.equal((await upstream.resolve('www.example.com', 'A')).code, 2);
});

test('what nobody could answer is not asked again for a few seconds', async () => {
  const clock = new FakeClock();
  let asked = 0;
  const servers = (): string[] => (asked++, []);
  const upstream = new Upstream({ clock, servers });
  const code = async (): Promise<number> => (await upstream.resolve('www.example.com', 'A')).code;
  assert.equal(await code(), 2);
  const first = asked;
  await clock.advance(4_000);
  assert.deepEqual([await code(), asked], [2, first]);
  await clock.advance(2_000);
  assert.deepEqual([await code(), asked], [2, 2 * first]);
});

test('what cannot be served is refused, and what cannot be read is told so', async () => {
  assert.equal((await ask(resolver(), question('web.shop.svc.cluster.local', 'ANY'))).rcode, 5);
  const chaos = question('version.bind');
  chaos.writeUInt16BE(3, chaos.length - 2);
  assert.equal((await ask(resolver(), chaos)).rcode, 5);
  const cut = question('web.shop.svc.cluster.local').subarray(0, 20);
  assert.equal((await resolver().answer(cut, true))?.[3], 0x81);
  assert.equal(await resolver().answer(Buffer.alloc(5), true), undefined);
});

test('no bytes from the network make it throw', async () => {
  const dns = resolver({ servers: [] });
  const good = question('web.shop.svc.cluster.local');
  for (let round = 0; round < 3000; round++) {
    const bytes = round % 2 ? randomBytes(round % 90) : Buffer.from(good);
    if (round % 2 === 0) bytes[round % bytes.length] = round % 256;
    await dns.answer(bytes, round % 3 === 0);
  }
});

test('an answer too large even for TCP is cut', async () => {
  const reply = await ask(resolver(), question('huge.shop.svc.cluster.local'), false);
  assert.ok(reply.raw.length <= 65_535 && data(reply).length > 4000);
  assert.ok((reply.flags ?? 0) & TRUNCATED_RESPONSE);
});

test('before the zone is known its names fail instead of being denied', async () => {
  let isReady = false;
  const upstream = new Upstream({ clock: systemClock, servers: () => [] });
  const dns = new Resolver({
    zone: new Zone(source),
    upstream,
    generation: () => 1,
    random: () => 0,
    isReady: () => isReady,
  });
  assert.equal((await ask(dns, question('else.cluster.local'))).rcode, 2);
  isReady = true;
  assert.equal((await ask(dns, question('else.cluster.local'))).rcode, 3);
});

test('an answer that cannot be made is a failure of the server, and no end of it', async () => {
  const errors: unknown[] = [];
  const upstream = new Upstream({
    clock: systemClock,
    servers: () => {
      throw new Error('no file');
    },
  });
  const dns = new Resolver({
    zone: new Zone(source),
    upstream,
    generation: () => 1,
    random: () => 0,
    onError: (error) => errors.push(error),
  });
  assert.equal((await ask(dns, question('www.example.com'))).rcode, 2);
  assert.equal(errors.length, 1);
  const broken = { ...source, service: () => assert.fail('broken') };
  const options = { upstream, generation: () => 1, random: () => 0, onError: (error: unknown) => errors.push(error) };
  const local = new Resolver({ ...options, zone: new Zone(broken) });
  assert.equal((await ask(local, question('web.shop.svc.cluster.local'))).rcode, 2);
  assert.equal(errors.length, 2);
});

test('a later version of EDNS is told which one is spoken', async () => {
  const later = question('web.shop.svc.cluster.local', 'A', {
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 4096,
        extendedRcode: 0,
        ednsVersion: 1,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
  const [opt] = (await ask(resolver(), later)).additionals ?? [];
  assert.equal(opt?.type === 'OPT' && opt.extendedRcode, 1);
});

test('a client of TCP that asks without reading is not answered without bound', async () => {
  const dns = resolver();
  let answered = 0;
  const tcp = new TcpServer((bytes, isUdp) => {
    answered++;
    return dns.answer(bytes, isUdp);
  });
  const socket = connect(await tcp.start(0, '127.0.0.1'), '127.0.0.1');
  socket.pause();
  const one = question('huge.shop.svc.cluster.local');
  const framed = Buffer.concat([Buffer.from([0, one.length]), one]);
  socket.write(Buffer.concat(Array.from({ length: 1000 }, () => framed)));
  let before = -1;
  await eventually(
    () => {
      const isStill = answered > 0 && answered === before;
      before = answered;
      assert.ok(isStill);
    },
    20_000,
    100,
  );
  assert.ok(answered < 500, `${answered} answered`);
  socket.destroy();
  await tcp.stop();
});

test('the servers answer on the wire, several questions on one connection', async () => {
  const dns = resolver();
  const [udp, tcp] = [new UdpServer((b, u) => dns.answer(b, u)), new TcpServer((b, u) => dns.answer(b, u))];
  const [udpPort, tcpPort] = [await udp.start(0, '127.0.0.1'), await tcp.start(0, '127.0.0.1')];
  const client = createSocket('udp4');
  const received = new Promise<Buffer>((resolve) => client.once('message', resolve));
  client.send(question('web.shop.svc.cluster.local'), udpPort, '127.0.0.1');
  assert.deepEqual(data(decode(await received)), [clusterIP]);
  client.close();
  const socket = connect(tcpPort, '127.0.0.1');
  const framed = (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  const twice = Buffer.concat([
    framed(question('a.shop.svc.cluster.local')),
    framed(question('b.shop.svc.cluster.local')),
  ]);
  socket.write(twice.subarray(0, 3));
  socket.write(twice.subarray(3));
  let answers = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    answers = Buffer.concat([answers, chunk]);
    const first = answers.length >= 2 ? 2 + answers.readUInt16BE(0) : Number.POSITIVE_INFINITY;
    if (answers.length >= first + 2 && answers.length >= first + 2 + answers.readUInt16BE(first)) break;
  }
  await Promise.all([udp.stop(), tcp.stop()]);
  assert.equal(decode(answers.subarray(2)).questions?.[0]?.name, 'a.shop.svc.cluster.local');
});

test('resolvers that would lead back to us are left out', () => {
  assert.deepEqual(
    parseResolvers(
      'search x\nnameserver 127.0.0.11\nnameserver 10.0.0.2\nnameserver ::1\nnameserver 192.0.2.1 \n',
      new Set(['10.0.0.2']),
    ),
    ['192.0.2.1'],
  );
});
