import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { services } from '../../shared/api/generated/resources.js';
import type { Event, Service } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { eventually } from '../../shared/clock/eventually.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { AddressRange } from '../allocation/address-range.js';
import { serviceFaults } from '../allocation/service-faults.js';
import { storageKey } from '../registry/storage-keys.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { RawClient } from '../testing/raw-client.js';
import { startTestServer } from '../testing/test-server.js';

type StoredService = Service & KubernetesObject;

const service = (name: string, second: number, spec: NonNullable<Service['spec']>): StoredService => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name,
    namespace: 'default',
    uid: name,
    resourceVersion: '1',
    creationTimestamp: `2026-01-01T00:00:0${second}Z`,
  },
  spec,
});

describe('Services that hold what they could not have been given', () => {
  const limits = { ranges: [new AddressRange('10.96.0.0/16')], nodePorts: { first: 30_000, last: 32_767 } };
  const reasons = (...given: StoredService[]): string[] =>
    serviceFaults(given, limits).map(({ service: { metadata }, reason }) => `${metadata.name}: ${reason}`);

  it('are those that came later to the same address or port', () => {
    const port = { port: 80, nodePort: 30_001 };
    assert.deepEqual(
      reasons(
        service('young', 2, { clusterIP: '10.96.0.5', ports: [port] }),
        service('old', 1, { clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'], ports: [port] }),
        service('other', 3, { clusterIP: '10.96.0.6', healthCheckNodePort: 30_001 }),
      ),
      ['young: ClusterIPAlreadyAllocated', 'young: PortAlreadyAllocated', 'other: PortAlreadyAllocated'],
    );
  });

  it('are those of another range', () => {
    const ports = [{ port: 80, nodePort: 20_000 }];
    assert.deepEqual(reasons(service('far', 1, { clusterIP: '10.97.0.5', ports })), [
      'far: ClusterIPOutOfRange',
      'far: PortOutOfRange',
    ]);
  });

  it('are none where protocols share a port, or there is no address', () => {
    const shared = [
      { port: 53, protocol: 'UDP', nodePort: 30_053 },
      { port: 53, protocol: 'TCP', nodePort: 30_053 },
    ];
    assert.deepEqual(
      reasons(
        service('dns', 1, { clusterIP: '10.96.0.10', ports: shared }),
        service('headless', 1, { clusterIP: 'None' }),
        service('outside', 1, { type: 'ExternalName', externalName: 'example.com', clusterIP: '' }),
      ),
      [],
    );
  });

  it('are told by events, again every three minutes as one', async () => {
    const storage = new MemoryStorage();
    const stored = service('far', 1, { clusterIP: '10.250.0.5', ports: [{ port: 80 }] });
    const encode = (revision: number): Buffer =>
      Buffer.from(JSON.stringify({ ...stored, metadata: { ...stored.metadata, resourceVersion: String(revision) } }));
    await storage.put(storageKey(services, 'default', 'far'), encode, 0);
    const clock = new FakeClock(Date.parse('2026-02-01T00:00:00Z'));
    const server = await startTestServer({ storage, clock });
    const admin = new RawClient(server, server.admin);
    const told = async (): Promise<Event[]> => {
      const { json } = await admin.send('/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=far');
      return (json as unknown as { items: Event[] }).items;
    };
    try {
      await eventually(async () => assert.equal((await told()).length, 1));
      const [event] = await told();
      assert.equal(event?.reason, 'ClusterIPOutOfRange');
      assert.equal(
        event.message,
        'Cluster IP [IPv4]: 10.250.0.5 is not within any configured Service CIDR; please recreate service',
      );
      await clock.advance(180_000);
      await eventually(async () => assert.equal((await told())[0]?.count, 2));
    } finally {
      admin.close();
      await server.close();
    }
  });
});
