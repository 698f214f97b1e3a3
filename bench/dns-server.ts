// The DNS add-on's answers over a zone in memory, or, with the argument `echo`, a UDP server that sends back what it gets.
// Started by dns.ts as a child process; tells its port and ends with its parent.
import { createSocket } from 'node:dgram';
import { Resolver } from '../addons/dns/resolver.js';
import { UdpServer } from '../addons/dns/servers.js';
import { Upstream } from '../addons/dns/upstream.js';
import { Zone, type ZoneSource } from '../addons/dns/zone.js';
import { systemClock } from '../shared/clock/clock.js';

const filled = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const source: ZoneSource = {
  domain: 'cluster.local',
  hasNamespace: () => true,
  service: (namespace, name) => {
    const index = Number(/^s-(\d+)$/.exec(name)?.[1]);
    if (Number.isNaN(index)) return undefined;
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...filled, name, namespace },
      spec: { type: 'ClusterIP', clusterIP: `10.96.${index >> 8}.${index & 255}`, ports: [{ port: 80 }] },
    };
  },
  slices: () => [],
  servicesOf: () => [],
};

async function startResolver(): Promise<number> {
  const resolver = new Resolver({
    zone: new Zone(source),
    upstream: new Upstream({ clock: systemClock, servers: () => [] }),
    generation: () => 0,
    random: Math.random,
  });
  return new UdpServer((bytes, isUdp) => resolver.answer(bytes, isUdp)).start(0, '127.0.0.1');
}

function startEcho(): Promise<number> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address, () => undefined));
  return new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket.address().port)));
}

const port = await (process.argv[2] === 'echo' ? startEcho() : startResolver());
process.send?.(port);
process.on('disconnect', () => process.exit(0));
