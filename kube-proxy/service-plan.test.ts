import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint, EndpointSlice, Service, ServiceSpec } from '../shared/api/generated/types.js';
import type { ProxyContext } from './rule-set.js';
import { planService } from './service-plan.js';

const filled = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const context: ProxyContext = {
  localNodes: new Set(['n1']),
  localPodCIDRs: ['10.244.0.0/24'],
  linkAddress: '192.0.2.1',
};

function service(spec: Partial<ServiceSpec> = {}, ingress: string[] = []): Service {
  const ports = [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }];
  const status = ingress.length > 0 ? { status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } } } : {};
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...filled, name: 's', namespace: 'd' },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.5', ports, ...spec },
    ...status,
  };
}
function slice(...endpoints: Endpoint[]): EndpointSlice {
  const metadata = { ...filled, name: 's-1', namespace: 'd', labels: { 'kubernetes.io/service-name': 's' } };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata,
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints,
  };
}
const endpoint = (address: string, node: string, conditions: Endpoint['conditions'] = { ready: true }): Endpoint => ({
  addresses: [address],
  nodeName: node,
  conditions,
});
const lines = (s: Service, ...slices: EndpointSlice[]): string[] =>
  planService(s, slices, context).elements.map(
    (e) => `${e.set}: ${e.key}${e.value === undefined ? '' : ` -> ${e.value}`}`,
  );

const two = slice(endpoint('10.244.0.2', 'n1'), endpoint('10.244.1.2', 'n2'));

test('a ClusterIP is balanced over its ready endpoints, and a local one may reach itself', () => {
  assert.deepEqual(lines(service(), two), [
    'cluster_ips: 10.96.0.5',
    'hairpin: 10.244.0.2 . 10.244.0.2',
    'service_ports: 10.96.0.5 . tcp . 80 -> goto service_2',
    'service_endpoints: 10.96.0.5 . tcp . 80 . 0 -> 10.244.0.2 . 8080',
    'service_endpoints: 10.96.0.5 . tcp . 80 . 1 -> 10.244.1.2 . 8080',
  ]);
  assert.deepEqual([...planService(service(), [two], context).balancers], [2]);
});

test('an endpoint that is not ready is left out; when none is ready, those that end but still serve are used', () => {
  const ending = endpoint('10.244.1.3', 'n2', { ready: false, serving: true, terminating: true });
  const waiting = endpoint('10.244.1.4', 'n2', { ready: false });
  assert.equal(lines(service(), slice(endpoint('10.244.1.2', 'n2'), ending, waiting)).length, 3);
  assert.deepEqual(
    lines(service(), slice(ending, waiting)).at(-1),
    'service_endpoints: 10.96.0.5 . tcp . 80 . 0 -> 10.244.1.3 . 8080',
  );
});

test('the same endpoint in two slices counts once', () => {
  assert.equal(lines(service(), two, two).length, lines(service(), two).length);
});

test('a port without any endpoint is refused', () => {
  assert.deepEqual(lines(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] })), [
    'cluster_ips: 10.96.0.5',
    'rejected_ports: 10.96.0.5 . tcp . 80',
    'rejected_node_ports: tcp . 30080',
  ]);
});

test("a load balancer is served at this host's address and on its node port", () => {
  const s = service({ type: 'LoadBalancer', ports: [{ name: 'http', port: 80, nodePort: 30_080 }] }, [
    '192.0.2.1',
    '192.0.2.9',
  ]);
  const text = lines(s, two);
  assert.ok(text.includes('service_ports: 192.0.2.1 . tcp . 80 -> goto service_2'));
  assert.ok(text.includes('node_ports: tcp . 30080 -> goto node_2'));
  assert.ok(text.includes('node_endpoints: tcp . 30080 . 1 -> 10.244.1.2 . 8080'));
  assert.ok(!text.some((line) => line.includes('192.0.2.9')), "another host's address is that host's");
});

test('the policy Local keeps outside traffic on this host, and drops it where there is no endpoint', () => {
  const s = (policy: Partial<ServiceSpec>) =>
    service({ type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30_080 }], ...policy });
  const external = lines(s({ externalTrafficPolicy: 'Local' }), two);
  assert.ok(external.includes('service_ports: 10.96.0.5 . tcp . 80 -> goto service_2'));
  assert.ok(external.includes('node_ports: tcp . 30080 -> goto node_1'));
  assert.ok(
    lines(s({ externalTrafficPolicy: 'Local' }), slice(endpoint('10.244.1.2', 'n2'))).includes(
      'dropped_node_ports: tcp . 30080',
    ),
  );
  assert.ok(
    lines(s({ internalTrafficPolicy: 'Local' }), slice(endpoint('10.244.1.2', 'n2'))).includes(
      'dropped_ports: 10.96.0.5 . tcp . 80',
    ),
  );
});

test('headless and ExternalName Services need no rules', () => {
  assert.deepEqual(lines(service({ clusterIP: 'None' }), two), []);
  assert.deepEqual(lines(service({ type: 'ExternalName', externalName: 'x.example' }), two), []);
});

test('session affinity gets a chain whose name tells its backends', () => {
  const sticky = (s: EndpointSlice) => planService(service({ sessionAffinity: 'ClientIP' }), [s], context);
  const [[name, object] = []] = [...sticky(two).objects];
  assert.ok(sticky(two).elements.some((e) => e.value === `goto ${String(name)}`));
  assert.ok(object?.create.some((c) => c.includes('timeout 10800s')));
  assert.notDeepEqual([...sticky(slice(endpoint('10.244.0.2', 'n1'))).objects.keys()], [String(name)]);
});

test('a load balancer for certain sources guards its address, not the cluster address and not the node port', () => {
  const spec = {
    type: 'LoadBalancer' as const,
    ports: [{ name: 'http', port: 80, nodePort: 30_080 }],
    loadBalancerSourceRanges: ['203.0.113.7/24', ' 203.0.113.128/25', '198.51.100.1/32', '2001:db8::/32'],
  };
  const guards = lines(service(spec, ['192.0.2.1']), two).filter((l) => /guarded|allowed/.test(l));
  assert.deepEqual(guards, [
    'guarded_ports: 192.0.2.1 . tcp . 80',
    'allowed_sources: 203.0.113.0/24 . 192.0.2.1 . tcp . 80',
    'allowed_sources: 198.51.100.1/32 . 192.0.2.1 . tcp . 80',
  ]);
});

test('ranges that hold everybody, or only the other family, guard nothing', () => {
  for (const ranges of [['0.0.0.0/0', '10.0.0.0/8'], ['2001:db8::/32'], []]) {
    const spec = { type: 'LoadBalancer' as const, loadBalancerSourceRanges: ranges };
    assert.deepEqual(
      lines(service(spec, ['192.0.2.1']), two).filter((l) => /guarded|allowed/.test(l)),
      [],
    );
  }
});

test("a Service of another proxy is not ours, whatever the label's value", () => {
  const other = service();
  const labels = { 'service.kubernetes.io/service-proxy-name': '' };
  assert.deepEqual(lines({ ...other, metadata: { ...other.metadata, labels } }, two), []);
});

test('the cluster address is claimed once whatever its ports, and whether they have endpoints; other addresses are not', () => {
  const ports = [
    { name: 'http', port: 80 },
    { name: 'dns', port: 53, protocol: 'UDP' as const },
  ];
  const spec = { type: 'LoadBalancer' as const, ports, externalIPs: ['203.0.113.9'] };
  for (const slices of [[], [two]]) {
    const claims = lines(service(spec, ['192.0.2.1']), ...slices).filter((l) => l.startsWith('cluster_ips'));
    assert.deepEqual(claims, ['cluster_ips: 10.96.0.5']);
  }
});
