import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Service } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { EncodedObjects } from '../cache/cached-object.js';
import { WatchCache } from '../cache/watch-cache.js';
import { AddressRange } from './address-range.js';
import { ServiceAllocator } from './service-allocator.js';

type Stored = Service & KubernetesObject;

function setup(
  cidr = '10.0.0.0/28',
  last = 30_003,
): { allocator: ServiceAllocator; store: (service: Stored) => void; drop: (name: string) => void } {
  const services = new WatchCache({ prefix: '/registry/core/services/', encoded: new EncodedObjects(), revision: 0 });
  const allocator = new ServiceAllocator({
    ranges: { all: [new AddressRange(cidr)] },
    nodePorts: { first: 30_000, last },
    services,
    random: () => 0.5,
  });
  let revision = 0;
  const change = (type: 'put' | 'delete', name: string, service: object): void => {
    const value = Buffer.from(JSON.stringify(service));
    services.apply({ type, key: `/registry/core/services/default/${name}`, value, revision: ++revision });
  };
  return {
    allocator,
    store: (service) => change('put', service.metadata.name, service),
    drop: (name) => change('delete', name, {}),
  };
}

const service = (name: string, spec: Service['spec'] = {}): Stored =>
  ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { type: 'ClusterIP', ...spec } }) as Stored;

describe('ServiceAllocator', () => {
  it('gives every write under way another address, until the range is empty', () => {
    const { allocator } = setup();
    const given = Array.from({ length: 14 }, (_, i) => {
      const one = service(`s${i}`);
      allocator.reserve(one, undefined);
      return one.spec?.clusterIP;
    });
    assert.equal(new Set(given).size, 14);
    assert.ok(!given.includes('10.0.0.0') && !given.includes('10.0.0.15'));
    assert.throws(() => allocator.reserve(service('more'), undefined), /range is full/);
  });

  it('takes back what a failed write held, and what a deleted Service used', () => {
    const { allocator, store, drop } = setup('10.0.0.0/30');
    const first = service('first', { clusterIP: '10.0.0.1' });
    allocator.reserve(first, undefined)?.rollback();
    const held = allocator.reserve(first, undefined);
    store(first);
    held?.commit();
    assert.throws(() => allocator.reserve(service('second', { clusterIP: '10.0.0.1' }), undefined), {
      message:
        'Service "second" is invalid: spec.clusterIPs: Invalid value: ["10.0.0.1"]: failed to allocate IP 10.0.0.1: provided IP is already allocated',
    });
    drop('first');
    assert.doesNotThrow(() => allocator.reserve(service('second', { clusterIP: '10.0.0.1' }), undefined));
  });

  it('refuses addresses and ports outside its ranges', () => {
    const { allocator } = setup();
    assert.throws(
      () => allocator.reserve(service('a', { clusterIP: '10.1.0.1' }), undefined),
      /not in the valid range/,
    );
    const ports = [{ port: 80, nodePort: 80 }];
    assert.throws(() => allocator.reserve(service('b', { type: 'NodePort', ports }), undefined), {
      message:
        'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-30003',
    });
  });

  it('gives no address to headless and external ones', () => {
    const { allocator } = setup();
    const headless = service('h', { clusterIP: 'None' });
    assert.equal(allocator.reserve(headless, undefined) !== undefined, true);
    assert.deepEqual(headless.spec?.clusterIPs, ['None']);
    const external = service('e', { type: 'ExternalName', externalName: 'example.com' });
    allocator.reserve(external, undefined);
    assert.equal(external.spec?.clusterIP, undefined);
  });

  it('lets TCP and UDP of one port share a node port, and keeps ports over updates', () => {
    const { allocator, store } = setup();
    const dns = service('dns', {
      type: 'NodePort',
      ports: [
        { name: 't', port: 53, protocol: 'TCP' },
        { name: 'u', port: 53, protocol: 'UDP' },
      ],
    });
    const held = allocator.reserve(dns, undefined);
    store(dns);
    held?.commit();
    const [tcp, udp] = dns.spec?.ports ?? [];
    assert.equal(tcp?.nodePort, udp?.nodePort);
    const update = structuredClone(dns);
    allocator.reserve(update, dns);
    assert.deepEqual(update.spec?.ports, dns.spec?.ports);
    const other = service('other', { type: 'NodePort', ports: [{ port: 1, nodePort: tcp?.nodePort ?? 0 }] });
    assert.throws(() => allocator.reserve(other, undefined), /provided port is already allocated/);
  });
});
