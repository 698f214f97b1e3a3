import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ipaddresses, servicecidrs, services } from '../../shared/api/generated/resources.js';
import type { IPAddress, ServiceCIDR } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { startManager, type TestManager } from '../testing/manager.js';
import {
  containing,
  deletionGraceMs,
  overlapping,
  planServiceCidr,
  readyCondition,
  serviceCidrFinalizer,
} from './plan-service-cidr.js';
import { canGive, containsPrefix, parseAddress, parsePrefix } from './prefix.js';
import { serviceCidrControllerWith } from './service-cidr-controller.js';

const now = Date.UTC(2026, 5, 1);
const ago = (ms: number): string => new Date(now - ms).toISOString();

function cidr(name: string, cidrs: string[], given: { deletedMs?: number; isReady?: boolean } = {}): ServiceCIDR {
  const metadata = { name, uid: name, creationTimestamp: '', resourceVersion: '1', finalizers: [serviceCidrFinalizer] };
  const deletion = given.deletedMs === undefined ? {} : { deletionTimestamp: ago(given.deletedMs) };
  const status = given.isReady === undefined ? {} : { status: { conditions: [readyCondition(given.isReady, ago(0))] } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { ...metadata, ...deletion },
    spec: { cidrs },
    ...status,
  };
}
function address(name: string, manager = 'ipallocator'): IPAddress {
  const labels = { 'ipaddress.kubernetes.io/managed-by': manager };
  const metadata = { name, uid: name, creationTimestamp: '', resourceVersion: '1', labels };
  const spec = { parentRef: { resource: 'services', namespace: 'default', name: 's' } };
  return { apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', metadata, spec };
}

describe('a ServiceCIDR that is deleted', () => {
  const gone = cidr('gone', ['10.1.0.0/24'], { deletedMs: 60_000 });
  const cases: [string, ServiceCIDR, ServiceCIDR[], IPAddress[], object][] = [
    ['goes when no address is of it', gone, [], [address('10.2.0.5')], { action: 'release' }],
    ['stays while one is', gone, [], [address('10.1.0.5')], { action: 'block', needsCondition: true }],
    [
      'says so once',
      cidr('gone', ['10.1.0.0/24'], { deletedMs: 60_000, isReady: false }),
      [],
      [address('10.1.0.5')],
      { action: 'block', needsCondition: false },
    ],
    ['does not mind addresses of others', gone, [], [address('10.1.0.5', 'me')], { action: 'release' }],
    [
      'goes when another contains it',
      gone,
      [cidr('big', ['10.1.0.0/16'])],
      [address('10.1.0.5')],
      { action: 'release' },
    ],
    [
      'goes when others contain the addresses',
      gone,
      [cidr('part', ['10.1.0.0/28'])],
      [address('10.1.0.5')],
      { action: 'release' },
    ],
    [
      'stays when others contain only some of them',
      gone,
      [cidr('part', ['10.1.0.0/28'])],
      [address('10.1.0.5'), address('10.1.0.77')],
      { action: 'block', needsCondition: true },
    ],
    [
      'stays when only one of its two ranges is contained',
      cidr('dual', ['10.1.0.0/24', 'fd00::/64'], { deletedMs: 60_000 }),
      [cidr('big', ['10.1.0.0/16'])],
      [address('fd00::5')],
      { action: 'block', needsCondition: true },
    ],
    [
      'leaves the servers time to learn of it',
      cidr('gone', ['10.1.0.0/24'], { deletedMs: 4_000 }),
      [],
      [],
      { action: 'wait', delayMs: deletionGraceMs - 4_000 },
    ],
  ];
  for (const [title, one, others, addresses, expected] of cases) {
    it(title, () => {
      assert.deepEqual(planServiceCidr(one, { cidrs: [one, ...others], addresses }, now, deletionGraceMs), expected);
    });
  }
});

describe('ranges of addresses', () => {
  const prefix = (text: string): NonNullable<ReturnType<typeof parsePrefix>> => {
    const found = parsePrefix(text);
    assert.ok(found, text);
    return found;
  };
  const gives = (range: string, text: string): boolean => {
    const found = parseAddress(text);
    assert.ok(found, text);
    return canGive(prefix(range), found);
  };
  it('give all but their first and last address, of IPv6 all but the first', () => {
    assert.deepEqual(
      ['10.0.0.0', '10.0.0.1', '10.0.0.14', '10.0.0.15', '10.0.0.16'].map((each) => gives('10.0.0.0/28', each)),
      [false, true, true, false, false],
    );
    assert.deepEqual(
      ['fd00::', 'fd00::1', 'fd00::ffff:ffff:ffff:ffff', 'fd00:0:0:1::', '::ffff:10.0.0.1'].map((each) =>
        gives('fd00::/64', each),
      ),
      [false, true, true, false, false],
    );
    assert.equal(gives('::ffff:a00:0/104', '::ffff:10.0.0.1'), true);
  });
  it('contain others of their family', () => {
    assert.equal(containsPrefix(prefix('10.0.0.0/8'), prefix('10.1.0.0/16')), true);
    assert.equal(containsPrefix(prefix('10.1.0.0/16'), prefix('10.0.0.0/8')), false);
    assert.equal(containsPrefix(prefix('::/0'), prefix('10.0.0.0/8')), false);
    assert.deepEqual(
      ['10.0.0.0/33', '10.0.0/8', 'x', 'fd00::/129', 'fd00::'].map(parsePrefix),
      Array(5).fill(undefined),
    );
  });
  it('are looked at again with those that they share addresses with', () => {
    const all = [cidr('a', ['10.0.0.0/8']), cidr('b', ['10.1.0.0/16']), cidr('c', ['10.2.0.0/16'])];
    assert.deepEqual(overlapping(cidr('b', ['10.1.0.0/16']), all), ['b', 'a']);
    assert.deepEqual(containing(address('10.2.0.1'), all), ['a', 'c']);
    assert.deepEqual(containing(address('10.2.0.1', 'me'), all), []);
  });
});

describe('ServiceCIDRs', () => {
  let manager: TestManager;
  before(async () => {
    manager = await startManager([serviceCidrControllerWith(0)]);
  });
  after(() => manager.close());
  const make = (name: string, ...cidrs: string[]): Promise<ServiceCIDR> =>
    manager.admin.create(servicecidrs, { metadata: { name }, spec: { cidrs } });
  const ready = (name: string, expected: readonly string[]): Promise<void> =>
    eventually(async () => {
      const { metadata, status } = await manager.admin.get(servicecidrs, name);
      assert.deepEqual(metadata.finalizers, [serviceCidrFinalizer]);
      const [condition] = status?.conditions ?? [];
      assert.deepEqual([condition?.status, condition?.reason], expected);
    });
  const gone = (name: string): Promise<void> =>
    eventually(() => assert.rejects(manager.admin.get(servicecidrs, name), isNotFound));

  it('are protected and ready, that of the server too', async () => {
    await make('fresh', '10.98.0.0/28');
    await ready('fresh', ['True', 'Ready']);
    await ready('kubernetes', ['True', 'Ready']);
    await manager.admin.delete(servicecidrs, 'fresh');
    await gone('fresh');
  });

  it('stay after their deletion until the last Service has no address of them, and take no more', async () => {
    await make('used', '10.97.0.0/28');
    const service = (name: string, clusterIP: string): Promise<object> =>
      manager.admin.create(services, {
        metadata: { name, namespace: 'default' },
        spec: { ports: [{ port: 80 }], clusterIP },
      });
    await service('one', '10.97.0.5');
    await eventually(() => manager.admin.get(ipaddresses, '10.97.0.5'));
    await ready('used', ['True', 'Ready']);
    await manager.admin.delete(servicecidrs, 'used');
    await ready('used', ['False', 'Terminating']);
    await assert.rejects(service('two', '10.97.0.6'), /not in the valid range/);
    await manager.admin.delete(services, 'one', 'default');
    await gone('used');
  });

  it('go one after the other where two hold the same range', async () => {
    await Promise.all([make('twin-1', '10.99.0.0/28'), make('twin-2', '10.99.0.0/28')]);
    await Promise.all(['twin-1', 'twin-2'].map((name) => ready(name, ['True', 'Ready'])));
    await manager.admin.create(services, {
      metadata: { name: 'twins', namespace: 'default' },
      spec: { ports: [{ port: 80 }], clusterIP: '10.99.0.3' },
    });
    await eventually(() => manager.admin.get(ipaddresses, '10.99.0.3'));
    await Promise.all(['twin-1', 'twin-2'].map((name) => manager.admin.delete(servicecidrs, name)));
    await eventually(async () => {
      const left = (await manager.admin.list(servicecidrs)).items.filter(
        ({ metadata }) => metadata.name !== 'kubernetes',
      );
      assert.equal(left.length, 1);
      assert.equal(left[0]?.status?.conditions?.[0]?.reason, 'Terminating');
    });
    await manager.admin.delete(services, 'twins', 'default');
    await Promise.all(['twin-1', 'twin-2'].map(gone));
  });
});
