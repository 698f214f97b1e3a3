import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { decode, encode, type Packet } from 'dns-packet';
import { startTestServer, type TestServer } from '../../apiserver/testing/test-server.js';
import { endpointslices, namespaces, services } from '../../shared/api/generated/resources.js';
import type { Endpoint, ServiceSpec } from '../../shared/api/generated/types.js';
import type { Client } from '../../shared/client/client.js';
import { clientFromKubeconfig } from '../../shared/client/connect.js';
import { systemClock } from '../../shared/clock/clock.js';
import { eventually } from '../../shared/clock/eventually.js';
import { silentLog } from '../../shared/log/log.js';
import { build } from './build.js';

let server: TestServer;
let client: Client;
/** Where it listens, by what it says of it. */
const ports = new Map<string, number>();
let end: () => Promise<void>;
before(async () => {
  server = await startTestServer();
  const connect = (): ReturnType<typeof clientFromKubeconfig> =>
    clientFromKubeconfig(server.kubeconfigPath, { clock: systemClock });
  client = await connect();
  const stop = new AbortController();
  const group = build({
    client: await connect(),
    clock: systemClock,
    log: { ...silentLog, info: (message, fields) => ports.set(message, Number(fields?.port)) },
    random: () => 0,
    domain: 'cluster.local',
    host: '127.0.0.1',
    port: 0,
    healthPort: 0,
    metricsPort: 0,
    resolvers: () => [],
    lameDuckMs: 0,
  });
  const done = group.run(stop.signal);
  done.catch(() => undefined);
  end = async () => {
    stop.abort();
    await done;
  };
  await client.create(namespaces, { metadata: { name: 'shop' }, spec: {} });
});
after(async () => {
  await end();
  client.close();
  await server.close();
});

/** The answers' data, or the code when it is an error. */
async function ask(name: string, type: 'A' | 'SRV' | 'PTR' | 'CNAME' = 'A'): Promise<unknown> {
  const port = ports.get('answers over UDP');
  assert.ok(port, 'it does not listen yet');
  const socket = createSocket('udp4');
  try {
    socket.send(encode({ type: 'query', id: 7, questions: [{ type, name }] }), port, '127.0.0.1');
    const timer = AbortSignal.timeout(2_000);
    const [bytes] = (await once(socket, 'message', { signal: timer })) as [Buffer];
    const packet: Packet & { rcode?: string } = decode(bytes);
    if (packet.rcode !== 'NOERROR') return packet.rcode;
    return (packet.answers ?? []).map((answer) => ('data' in answer ? answer.data : undefined));
  } finally {
    socket.close();
  }
}

const becomes = (name: string, expected: unknown, type: 'A' | 'SRV' | 'PTR' | 'CNAME' = 'A'): Promise<void> =>
  eventually(async () => assert.deepEqual(await ask(name, type), expected));

const createService = (name: string, spec: Partial<ServiceSpec>): Promise<unknown> =>
  client.create(services, {
    metadata: { name, namespace: 'shop' },
    spec: { type: 'ClusterIP', ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec },
  });
const slice = (name: string, endpoints: Endpoint[]) => ({
  metadata: { name: `${name}-1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4' as const,
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints,
});

test('a Service is answered for as soon as it is there, by name, port and address, and not when it is gone', async () => {
  const zone = 'shop.svc.cluster.local';
  await becomes(`web.${zone}`, 'NXDOMAIN');
  await createService('web', { clusterIP: '10.96.0.77' });
  await becomes(`web.${zone}`, ['10.96.0.77']);
  await becomes(`_http._tcp.web.${zone}`, [{ priority: 0, weight: 100, port: 80, target: `web.${zone}` }], 'SRV');
  await becomes('77.0.96.10.in-addr.arpa', [`web.${zone}`], 'PTR');
  await client.delete(services, 'web', 'shop');
  await becomes(`web.${zone}`, 'NXDOMAIN');
  // An address that is nobody's here is for others to answer, and there are none.
  await becomes('77.0.96.10.in-addr.arpa', 'SERVFAIL', 'PTR');
});

test('a headless Service follows its endpoints, although answers are kept', async () => {
  const zone = 'heads.shop.svc.cluster.local';
  await createService('heads', { clusterIP: 'None' });
  const created = await client.create(
    endpointslices,
    slice('heads', [{ addresses: ['10.244.0.3'], hostname: 'one', conditions: { ready: true } }]),
  );
  await becomes(zone, ['10.244.0.3']);
  await becomes(`one.${zone}`, ['10.244.0.3']);
  const moved = slice('heads', [{ addresses: ['10.244.0.4'], hostname: 'one', conditions: { ready: true } }]);
  await client.update(endpointslices, { ...created, endpoints: moved.endpoints });
  await becomes(zone, ['10.244.0.4']);
  await becomes('4.0.244.10.in-addr.arpa', [`one.${zone}`], 'PTR');
  await client.update(endpointslices, {
    ...(await client.get(endpointslices, 'heads-1', 'shop')),
    endpoints: [{ addresses: ['10.244.0.4'], conditions: { ready: false } }],
  });
  await becomes(zone, 'NXDOMAIN');
});

test('an ExternalName is an alias; a namespace that is not there has no names', async () => {
  await createService('far', { type: 'ExternalName', externalName: 'www.example.com', ports: [] });
  await becomes('far.shop.svc.cluster.local', ['www.example.com'], 'CNAME');
  await becomes('web.nowhere.svc.cluster.local', 'NXDOMAIN');
});
