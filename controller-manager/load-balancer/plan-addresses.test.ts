import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Service } from '../../shared/api/generated/types.js';
import { planAddresses } from './plan-addresses.js';

function node(name: string, address: string, given: { busy?: string; ready?: boolean; link?: string } = {}): Node {
  const annotations = {
    ...(given.busy ? { 'knarr.dev/busy-ports': given.busy } : {}),
    ...(given.link ? { 'knarr.dev/link-address': given.link } : {}),
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z', annotations },
    spec: {},
    status: {
      addresses: [{ type: 'InternalIP', address }],
      conditions: [{ type: 'Ready', status: given.ready === false ? 'False' : 'True' }],
    },
  };
}
function service(name: string, second: number, ports: number[], more: Partial<Service['spec']> = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace: 'd',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: `2026-01-01T00:00:0${second}Z`,
    },
    spec: { type: 'LoadBalancer', ports: ports.map((port) => ({ port, protocol: 'TCP' })), ...more },
  };
}
const hosts = [node('a', '192.0.2.1'), node('a2', '10.245.0.2', { link: '192.0.2.1' }), node('b', '192.0.2.2')];

test('a load balancer gets the address of every host with a Ready node, once', () => {
  assert.deepEqual(
    planAddresses([service('s', 1, [80])], [...hosts, node('c', '192.0.2.3', { ready: false })]).get('d/s'),
    { ips: ['192.0.2.1', '192.0.2.2'], holders: [] },
  );
});

test('the older Service has the port; the later one is told who', () => {
  const plan = planAddresses([service('late', 2, [443, 80]), service('early', 1, [80])], hosts.slice(0, 1));
  assert.deepEqual(plan.get('d/early')?.ips, ['192.0.2.1']);
  assert.deepEqual(plan.get('d/late'), { ips: [], holders: ['port 80/TCP of 192.0.2.1 belongs to Service d/early'] });
});

test('a Service that could not have all its ports on a host takes none of them there', () => {
  const plan = planAddresses(
    [service('one', 1, [80]), service('two', 2, [80, 81]), service('three', 3, [81])],
    hosts.slice(0, 1),
  );
  assert.deepEqual(plan.get('d/three')?.ips, ['192.0.2.1']);
});

test("a port on which a process of the host listens is the process's", () => {
  const plan = planAddresses(
    [service('s', 1, [80])],
    [node('a', '192.0.2.1', { busy: '["tcp 80"]' }), node('b', '192.0.2.2', { busy: 'nonsense' })],
  );
  assert.deepEqual(plan.get('d/s'), {
    ips: ['192.0.2.2'],
    holders: ['port 80/TCP of 192.0.2.1 belongs to a process of host 192.0.2.1'],
  });
});

test("a Service with a class is another controller's", () => {
  assert.equal(planAddresses([service('s', 1, [80], { loadBalancerClass: 'x.example/y' })], hosts).size, 0);
});

test('with no Ready node at all every host keeps its address: pods go on serving while kubelets are away', () => {
  const away = [node('a', '192.0.2.1', { ready: false }), node('b', '192.0.2.2', { ready: false })];
  assert.deepEqual(planAddresses([service('s', 1, [80])], away).get('d/s')?.ips, ['192.0.2.1', '192.0.2.2']);
});
