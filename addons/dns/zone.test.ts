import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from 'dns-packet';
import type { Endpoint, EndpointSlice, Service, ServiceSpec } from '../../shared/api/generated/types.js';
import { Zone, type ZoneSource } from './zone.js';

const filled = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const service = (name: string, spec: Partial<ServiceSpec>): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...filled, name, namespace: 'shop' },
  spec: {
    type: 'ClusterIP',
    ports: [
      { name: 'http', port: 80, protocol: 'TCP' },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ],
    ...spec,
  },
});
const slice = (name: string, endpoints: Endpoint[]): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { ...filled, name: `${name}-1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints,
});

const services = [
  service('web', { clusterIP: '10.96.0.7' }),
  service('db', { clusterIP: 'None' }),
  service('empty', { clusterIP: 'None' }),
  service('far', { type: 'ExternalName', externalName: 'www.example.com.' }),
  service('numeric', { type: 'ExternalName', externalName: '192.0.2.1' }),
];
const slices: Record<string, EndpointSlice[]> = {
  db: [
    slice('db', [
      { addresses: ['10.244.0.3'], hostname: 'db-0', conditions: { ready: true } },
      { addresses: ['10.244.1.3'], conditions: { ready: true } },
      { addresses: ['10.244.1.4'], conditions: { ready: false } },
    ]),
  ],
};
const source: ZoneSource = {
  domain: 'cluster.local',
  hasNamespace: (name) => name === 'shop',
  service: (namespace, name) => (namespace === 'shop' ? services.find((s) => s.metadata.name === name) : undefined),
  slices: (_, name) => slices[name] ?? [],
  servicesOf: (address) =>
    services.filter(
      (s) =>
        s.spec.clusterIP === address ||
        (slices[s.metadata.name] ?? []).some((e) => e.endpoints?.some((p) => p.addresses.includes(address))),
    ),
};
const zone = new Zone(source);

function show(answer: Answer): string {
  switch (answer.type) {
    case 'SRV':
      return `SRV ${answer.data.port} ${answer.data.target}`;
    case 'A':
    case 'CNAME':
    case 'PTR':
    case 'NS':
      return `${answer.type} ${answer.data}`;
    default:
      return answer.type;
  }
}
/** Answers as text, or the kind of the outcome. */
function ask(name: string, type = 'A'): string {
  const found = zone.lookup(name, type);
  return found.kind === 'records' ? found.answers.map(show).join(', ') : found.kind;
}

const cases: [question: string, type: string, answer: string][] = [
  ['web.shop.svc.cluster.local', 'A', 'A 10.96.0.7'],
  ['web.shop.svc.cluster.local', 'AAAA', 'nodata'],
  ['web.shop.svc.cluster.local', 'SRV', 'SRV 80 web.shop.svc.cluster.local, SRV 53 web.shop.svc.cluster.local'],
  ['_http._tcp.web.shop.svc.cluster.local', 'SRV', 'SRV 80 web.shop.svc.cluster.local'],
  ['_http._udp.web.shop.svc.cluster.local', 'SRV', 'nxdomain'],
  ['_tcp.web.shop.svc.cluster.local', 'SRV', 'nodata'],
  ['db.shop.svc.cluster.local', 'A', 'A 10.244.0.3, A 10.244.1.3'],
  ['db-0.db.shop.svc.cluster.local', 'A', 'A 10.244.0.3'],
  ['10-244-1-3.db.shop.svc.cluster.local', 'A', 'A 10.244.1.3'],
  ['10-244-1-4.db.shop.svc.cluster.local', 'A', 'nxdomain'],
  [
    '_http._tcp.db.shop.svc.cluster.local',
    'SRV',
    'SRV 8080 db-0.db.shop.svc.cluster.local, SRV 8080 10-244-1-3.db.shop.svc.cluster.local',
  ],
  ['empty.shop.svc.cluster.local', 'A', 'nxdomain'],
  ['far.shop.svc.cluster.local', 'A', 'CNAME www.example.com'],
  ['empty.shop.svc.cluster.local', 'SRV', 'nxdomain'],
  ['numeric.shop.svc.cluster.local', 'A', 'nxdomain'],
  ['nobody.shop.svc.cluster.local', 'A', 'nxdomain'],
  ['shop.svc.cluster.local', 'A', 'nodata'],
  ['nowhere.svc.cluster.local', 'A', 'nxdomain'],
  ['svc.cluster.local', 'A', 'nodata'],
  ['cluster.local', 'A', 'nodata'],
  ['cluster.local', 'SOA', 'SOA'],
  ['cluster.local', 'NS', 'NS ns.dns.cluster.local'],
  ['else.cluster.local', 'A', 'nxdomain'],
  ['10-244-0-3.shop.pod.cluster.local', 'A', 'A 10.244.0.3'],
  ['10-244-0-300.shop.pod.cluster.local', 'A', 'nxdomain'],
  ['10-244-0-3.nowhere.pod.cluster.local', 'A', 'nxdomain'],
  ['dns-version.cluster.local', 'TXT', 'TXT'],
  ['7.0.96.10.in-addr.arpa', 'PTR', 'PTR web.shop.svc.cluster.local'],
  ['3.0.244.10.in-addr.arpa', 'PTR', 'PTR db-0.db.shop.svc.cluster.local'],
  ['3.1.244.10.in-addr.arpa', 'PTR', 'PTR 10-244-1-3.db.shop.svc.cluster.local'],
  ['1.2.0.192.in-addr.arpa', 'PTR', 'outside'],
  ['www.example.com', 'A', 'outside'],
  ['notcluster.local', 'A', 'outside'],
];
for (const [question, type, answer] of cases) {
  test(`${type} ${question} is ${answer}`, () => assert.equal(ask(question, type), answer));
}

test('a service record comes with the address of its target', () => {
  const found = zone.lookup('_http._tcp.db.shop.svc.cluster.local', 'SRV');
  assert.deepEqual(found.kind === 'records' && found.additionals.map((a) => `${a.name} ${show(a)}`), [
    'db-0.db.shop.svc.cluster.local A 10.244.0.3',
    '10-244-1-3.db.shop.svc.cluster.local A 10.244.1.3',
  ]);
});
