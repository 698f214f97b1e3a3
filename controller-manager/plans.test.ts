import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import type { ConfigMap, Pod, ReplicaSet, Secret } from '../shared/api/generated/types.js';
import { selectorOfMap } from '../shared/api/selector.js';
import { FakeClock } from '../shared/clock/fake-clock.js';
import { expirationMs } from './bootstrap/bootstrap-token.js';
import { signedData } from './bootstrap/plan-signatures.js';
import { claimOf } from './child-claims.js';
import { planCollection, type OwnerState } from './garbage/plan-collection.js';
import { namespaceConditions } from './namespace/plan-conditions.js';
import { OwnWrites } from './own-writes.js';
import { planPodCollection } from './pod/plan-collection.js';

const metadata = { name: 'x', namespace: 'ns', uid: 'x', creationTimestamp: '', resourceVersion: '1' };

describe('garbage collection', () => {
  const owner = (
    state: OwnerState,
    uid: string = state,
  ): { owner: { apiVersion: string; kind: string; name: string; uid: string }; state: OwnerState } => ({
    owner: { apiVersion: 'v1', kind: 'ConfigMap', name: uid, uid },
    state,
  });
  const cases: [string, OwnerState[], string[], { isForeground: boolean }[], object][] = [
    ['no owner, no decision', [], [], [], { action: 'none' }],
    ['one owner is enough to live', ['solid'], [], [], { action: 'none' }],
    ['lost owners are taken off', ['solid', 'dangling'], [], [], { action: 'detach', uids: ['dangling'] }],
    [
      'no owner left: it goes',
      ['dangling'],
      [],
      [{ isForeground: false }],
      { action: 'delete', policy: 'Background', unblock: false },
    ],
    [
      'as its finalizers say',
      ['dangling'],
      ['orphan'],
      [{ isForeground: false }],
      { action: 'delete', policy: 'Orphan', unblock: false },
    ],
    [
      'in the foreground',
      ['dangling'],
      ['foregroundDeletion'],
      [],
      { action: 'delete', policy: 'Foreground', unblock: false },
    ],
    [
      'an owner waits for a whole tree',
      ['waiting'],
      [],
      [{ isForeground: false }],
      { action: 'delete', policy: 'Foreground', unblock: false },
    ],
    [
      'an owner waits for a tree that waits itself: they may form a circle',
      ['waiting'],
      [],
      [{ isForeground: true }],
      { action: 'delete', policy: 'Foreground', unblock: true },
    ],
    ['an owner waits for a leaf', ['waiting'], [], [], { action: 'delete', policy: 'Background', unblock: false }],
  ];
  for (const [title, states, finalizers, dependents, expected] of cases) {
    it(title, () =>
      assert.deepEqual(
        planCollection(
          states.map((state) => owner(state)),
          finalizers,
          dependents,
        ),
        expected,
      ),
    );
  }
});

describe('claims', () => {
  const parent: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { ...metadata, uid: 'parent' },
    spec: { selector: {} },
  };
  const selector = selectorOfMap({ app: 'a' });
  const child = (app: string, controller?: string, more: object = {}): Pod => {
    const ownerReferences = controller
      ? [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'p', uid: controller, controller: true }]
      : [];
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, labels: { app }, ownerReferences, ...more },
      spec: { containers: [] },
    };
  };
  it('keep, release, adopt and ignore as the ControllerRef rules say', () => {
    assert.equal(claimOf(parent, selector, child('a', 'parent')), 'keep');
    assert.equal(claimOf(parent, selector, child('b', 'parent')), 'release');
    assert.equal(claimOf(parent, selector, child('a', 'other')), 'ignore');
    assert.equal(claimOf(parent, selector, child('a')), 'adopt');
    assert.equal(claimOf(parent, selector, child('b')), 'ignore');
    assert.equal(claimOf(parent, selector, child('a', undefined, { deletionTimestamp: 't' })), 'ignore');
    const doomed = { ...parent, metadata: { ...parent.metadata, deletionTimestamp: 't' } };
    assert.equal(claimOf(doomed, selector, child('a')), 'ignore');
  });
});

describe('own writes', () => {
  const object = (name: string, resourceVersion: string, more: object = {}): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, name, uid: name, resourceVersion, ...more },
  });
  const cache = (): { objects: Map<string, ConfigMap>; informer: { resourceVersion: string; lister: never } } => {
    const objects = new Map<string, ConfigMap>();
    return { objects, informer: { resourceVersion: '9', lister: { get: (key: string) => objects.get(key) } as never } };
  };
  it('are pending until the cache shows them', () => {
    const { objects, informer } = cache();
    const writes = new OwnWrites<ConfigMap>(informer, new FakeClock());
    writes.created('o', object('a', '10'));
    assert.equal(writes.isPending('o'), true);
    objects.set('ns/a', object('a', '10'));
    assert.equal(writes.isPending('o'), false);
    writes.deleted('o', object('a', '10'));
    assert.equal(writes.isPending('o'), true);
    objects.set('ns/a', object('a', '11', { deletionTimestamp: 't' }));
    assert.equal(writes.isPending('o'), false);
  });
  it('that came and went are told by the version', () => {
    const { informer } = cache();
    const writes = new OwnWrites<ConfigMap>(informer, new FakeClock());
    writes.created('o', object('a', '10'));
    informer.resourceVersion = '12';
    assert.equal(writes.isPending('o'), false);
  });
  it('are not waited for longer than five minutes', async () => {
    const clock = new FakeClock();
    const writes = new OwnWrites<ConfigMap>(cache().informer, clock);
    writes.created('o', object('a', '10'));
    await clock.advance(300_000);
    assert.equal(writes.isPending('o'), false);
  });
});

describe('pods that nobody else removes', () => {
  const pod = (name: string, nodeName: string | undefined, phase: string, more: object = {}): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name, ...more },
    spec: { containers: [], ...(nodeName ? { nodeName } : {}) },
    status: { phase },
  });
  it('are finished ones beyond the threshold, orphans, and those deleted before they got a node', () => {
    const pods = [
      pod('old', 'n', 'Succeeded', { creationTimestamp: '2026-01-01T00:00:00Z' }),
      pod('new', 'n', 'Failed', { creationTimestamp: '2026-01-02T00:00:00Z' }),
      pod('running', 'n', 'Running'),
      pod('orphan', 'gone', 'Running'),
      pod('waiting', undefined, 'Pending'),
      pod('cancelled', undefined, 'Pending', { deletionTimestamp: 't' }),
    ];
    const plan = planPodCollection({ pods, hasNode: (name) => name === 'n', terminatedThreshold: 1 });
    assert.deepEqual(
      plan.map(({ pod: p, reason }) => [p.metadata.name, reason]),
      [
        ['orphan', 'orphaned'],
        ['cancelled', 'unscheduled-terminating'],
        ['old', 'terminated'],
      ],
    );
  });
});

it('a namespace tells what it waits for', () => {
  const report = {
    discoveryFailures: new Map([['metrics.k8s.io/v1', 'unavailable']]),
    deletionFailures: [],
    remaining: new Map([['pods.', 2]]),
    finalizers: new Map([['example.com/hold', 1]]),
  };
  const told = namespaceConditions(undefined, report, 'now').map(
    ({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`,
  );
  assert.deepEqual(told, [
    'NamespaceDeletionDiscoveryFailure True DiscoveryFailed: Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1: unavailable',
    'NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions: All legacy kube types successfully parsed',
    'NamespaceDeletionContentFailure False ContentDeleted: All content successfully deleted, may be waiting on finalization',
    'NamespaceContentRemaining True SomeResourcesRemain: Some resources are remaining: pods. has 2 resource instances',
    'NamespaceFinalizersRemaining True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
  ]);
});

describe('bootstrap tokens', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const token = (id: string, more: Record<string, string> = {}): Secret => {
    const fields = { 'token-id': id, 'token-secret': '0123456789abcdef', 'usage-bootstrap-signing': 'true', ...more };
    const data = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, base64(value)]));
    return { apiVersion: 'v1', kind: 'Secret', metadata: { ...metadata, name: `bootstrap-token-${id}` }, data };
  };
  const now = Date.UTC(2026, 0, 1);

  it('without an end never end, with an unreadable one have ended', () => {
    assert.equal(expirationMs({}), undefined);
    assert.equal(expirationMs({ expiration: base64('2026-01-01T00:00:00Z') }), now);
    assert.equal(expirationMs({ expiration: base64('soon') }), 0);
  });

  it('sign cluster-info in the form that kubeadm verifies', () => {
    const changes = signedData({ kubeconfig: 'config' }, [token('abcdef')], now);
    const header = Buffer.from('{"alg":"HS256","kid":"abcdef"}').toString('base64url');
    const body = Buffer.from('config').toString('base64url');
    const mac = createHmac('sha256', '0123456789abcdef').update(`${header}.${body}`).digest('base64url');
    assert.deepEqual(changes, { 'jws-kubeconfig-abcdef': `${header}..${mac}` });
    assert.equal(
      signedData({ kubeconfig: 'config', 'jws-kubeconfig-abcdef': `${header}..${mac}` }, [token('abcdef')], now),
      undefined,
    );
  });

  it('that are gone, expired or not for signing leave no signature', () => {
    const expired = token('abcdef', { expiration: '2025-12-31T00:00:00Z' });
    const other = token('ghijkl', { 'usage-bootstrap-signing': 'false' });
    const data = {
      kubeconfig: 'config',
      'jws-kubeconfig-abcdef': 'x',
      'jws-kubeconfig-ghijkl': 'y',
      'jws-kubeconfig-gone00': 'z',
      mine: 'm',
    };
    assert.deepEqual(signedData(data, [expired, other], now), {
      'jws-kubeconfig-abcdef': null,
      'jws-kubeconfig-ghijkl': null,
      'jws-kubeconfig-gone00': null,
    });
  });
});
