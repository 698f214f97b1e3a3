import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../shared/api/generated/types.js';
import { parseRoutes, planRoutes, syncRoutes } from './host-routes.js';
import { parseListening } from './listening-ports.js';

function node(name: string, podCIDR: string, address: string, link?: string): Node {
  const annotations = link ? { annotations: { 'knarr.dev/link-address': link } } : {};
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z', ...annotations },
    spec: { podCIDR },
    status: { addresses: [{ type: 'InternalIP', address }] },
  };
}

test("other hosts' pods and further node addresses are reached through their link address; our own need no route", () => {
  const nodes = [
    node('a', '10.244.0.0/24', '192.0.2.1', '192.0.2.1'),
    node('a2', '10.244.1.0/24', '10.245.0.2', '192.0.2.1'),
    node('b', '10.244.2.0/24', '192.0.2.2'),
  ];
  assert.deepEqual(planRoutes(nodes, '192.0.2.1'), [{ destination: '10.244.2.0/24', via: '192.0.2.2' }]);
  assert.deepEqual(planRoutes(nodes, '192.0.2.2'), [
    { destination: '10.244.0.0/24', via: '192.0.2.1' },
    { destination: '10.244.1.0/24', via: '192.0.2.1' },
    { destination: '10.245.0.2', via: '192.0.2.1' },
  ]);
});

test('only differences are carried out', async () => {
  const calls: string[] = [];
  const execute = (_file: string, args: readonly string[]): Promise<string> => {
    calls.push(args.join(' '));
    return Promise.resolve('10.244.2.0/24 via 192.0.2.2 dev eth0 \n10.244.9.0/24 via 192.0.2.9 dev eth0 \n');
  };
  const changed = await syncRoutes(execute, [
    { destination: '10.244.2.0/24', via: '192.0.2.2' },
    { destination: '10.244.3.0/24', via: '192.0.2.3' },
  ]);
  assert.equal(changed, 2);
  assert.deepEqual(calls.slice(1), [
    '-4 route del 10.244.9.0/24 proto 107',
    '-4 route replace 10.244.3.0/24 via 192.0.2.3 proto 107',
  ]);
  assert.deepEqual(parseRoutes('default dev x\n10.1.0.0/24 via 10.0.0.1 dev e \n'), [
    { destination: '10.1.0.0/24', via: '10.0.0.1' },
  ]);
});

test('listening sockets of all addresses and of ours are told apart from connections and other addresses', () => {
  const text = [
    '  sl  local_address rem_address   st',
    '   0: 00000000:0050 00000000:0000 0A 0',
    '   1: 010200C0:01BB 00000000:0000 0A 0',
    '   2: 0100007F:1F90 00000000:0000 0A 0',
    '   3: 010200C0:0051 0200000A:1234 01 0',
  ].join('\n');
  assert.deepEqual(parseListening(text, 'tcp', '192.0.2.1'), ['tcp 80', 'tcp 443']);
  assert.deepEqual(parseListening('h\n 0: 00000000000000000000000000000000:0050 0:0 0A', 'tcp', '192.0.2.1'), [
    'tcp 80',
  ]);
});
