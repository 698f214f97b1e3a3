import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  configmaps,
  deployments,
  events,
  namespaces,
  pods,
  replicasets,
  replicationcontrollers,
  resourcequotas,
  secrets,
  serviceaccounts,
  services,
} from '../shared/api/generated/resources.js';
import type { Pod } from '../shared/api/generated/types.js';
import type { Resource } from '../shared/api/resource.js';
import { eventually } from '../shared/clock/eventually.js';
import { isNotFound } from '../shared/errors/status-error.js';
import { controllers } from './controllers.js';
import { startManager, type TestManager } from './testing/manager.js';

const namespace = 'default';
const template = (labels: Record<string, string>): object => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image: 'i' }] },
});
const settle = 15_000;

/** What conformance asks of controllers, against the real API server with all of them; nobody plays a kubelet. */
describe('controllers as conformance wants them', { concurrency: 4 }, () => {
  let manager: TestManager;
  before(async () => {
    manager = await startManager(controllers);
    await eventually(() => manager.admin.get(serviceaccounts, 'default', namespace));
  });
  after(() => manager.close());

  const gone = (resource: Resource<object>, name: string, within = namespace): Promise<void> =>
    eventually(() => assert.rejects(manager.admin.get(resource, name, within), isNotFound), settle);
  const owned = async (uid: string): Promise<string[]> => {
    const sets = (await manager.admin.list(replicasets, { namespace })).items;
    return sets
      .filter(({ metadata }) => metadata.ownerReferences?.some((one) => one.uid === uid))
      .map(({ metadata }) => metadata.name);
  };
  const deploy = async (name: string): Promise<{ uid: string; set: string }> => {
    const { metadata } = await manager.admin.create(deployments, {
      metadata: { name, namespace },
      spec: { replicas: 2, selector: { matchLabels: { app: name } }, template: template({ app: name }) as never },
    });
    const set = await eventually(async () => {
      const [first] = await owned(metadata.uid);
      assert.ok(first);
      const { items } = await manager.admin.list(pods, { namespace, labelSelector: `app=${name}` });
      assert.equal(items.length, 2);
      return first;
    }, settle);
    return { uid: metadata.uid, set };
  };

  it('a Deployment that is deleted in the background takes its ReplicaSet and pods along', async () => {
    const { set } = await deploy('background');
    await manager.admin.delete(deployments, 'background', namespace, { propagationPolicy: 'Background' });
    await gone(replicasets, set);
    await eventually(async () => {
      const { items } = await manager.admin.list(pods, { namespace, labelSelector: 'app=background' });
      assert.equal(items.length, 0);
    }, settle);
  });

  it('a Deployment that is deleted as an orphaning one leaves its ReplicaSet and pods', async () => {
    const { uid, set } = await deploy('orphaning');
    await manager.admin.delete(deployments, 'orphaning', namespace, { propagationPolicy: 'Orphan' });
    await gone(deployments, 'orphaning');
    const left = await manager.admin.get(replicasets, set, namespace);
    assert.ok(!left.metadata.ownerReferences?.some((one) => one.uid === uid));
    const { items } = await manager.admin.list(pods, { namespace, labelSelector: 'app=orphaning' });
    assert.equal(items.length, 2);
  });

  const replicate = async (name: string, replicas = 2): Promise<{ uid: string; pods: () => Promise<Pod[]> }> => {
    const { metadata } = await manager.admin.create(replicationcontrollers, {
      metadata: { name, namespace },
      spec: { replicas, selector: { app: name }, template: template({ app: name }) as never },
    });
    const found = async (): Promise<Pod[]> =>
      (await manager.admin.list(pods, { namespace, labelSelector: `app=${name}` })).items;
    await eventually(async () => assert.equal((await found()).length, replicas), settle);
    return { uid: metadata.uid, pods: found };
  };

  it('a ReplicationController that is deleted in the background takes its pods along', async () => {
    const { pods: left } = await replicate('rc-background');
    await manager.admin.delete(replicationcontrollers, 'rc-background', namespace, { propagationPolicy: 'Background' });
    await gone(replicationcontrollers, 'rc-background');
    await eventually(async () => assert.deepEqual(await left(), []), settle);
  });

  it('a ReplicationController that is deleted in the foreground is there until its last pod is gone', async () => {
    const { pods: left } = await replicate('rc-foreground');
    const [held] = await left();
    assert.ok(held);
    const { name } = held.metadata;
    await manager.admin.patch(pods, name, namespace, 'merge', { metadata: { finalizers: ['example.com/held'] } });
    await manager.admin.delete(replicationcontrollers, 'rc-foreground', namespace, { propagationPolicy: 'Foreground' });
    await eventually(
      async () =>
        assert.deepEqual(
          (await left()).map(({ metadata }) => metadata.name),
          [name],
        ),
      settle,
    );
    const { metadata } = await manager.admin.get(replicationcontrollers, 'rc-foreground', namespace);
    assert.ok(metadata.deletionTimestamp);
    assert.deepEqual(metadata.finalizers, ['foregroundDeletion']);
    await manager.admin.patch(pods, name, namespace, 'merge', { metadata: { finalizers: null } });
    await gone(replicationcontrollers, 'rc-foreground');
    assert.deepEqual(await left(), []);
  });

  it('a ReplicationController that is deleted as an orphaning one leaves its pods, and the next one adopts them', async () => {
    const { pods: left } = await replicate('rc-orphaning', 3);
    const uids = (found: readonly Pod[]): string[] => found.map(({ metadata }) => metadata.uid).sort();
    const before = uids(await left());
    await manager.admin.delete(replicationcontrollers, 'rc-orphaning', namespace, { propagationPolicy: 'Orphan' });
    await gone(replicationcontrollers, 'rc-orphaning');
    const orphans = await left();
    assert.deepEqual(uids(orphans), before);
    assert.ok(orphans.every(({ metadata }) => (metadata.ownerReferences ?? []).length === 0));
    const { uid } = await replicate('rc-orphaning', 3);
    await eventually(async () => {
      const adopted = await left();
      assert.deepEqual(uids(adopted), before);
      for (const { metadata } of adopted) {
        const [owner] = metadata.ownerReferences ?? [];
        assert.deepEqual([owner?.apiVersion, owner?.kind, owner?.uid], ['v1', 'ReplicationController', uid]);
      }
    }, settle);
  });

  it('a ReplicationController releases a pod that no longer matches, and makes another', async () => {
    const { pods: left } = await replicate('rc-release', 1);
    const [released] = await left();
    const name = released?.metadata.name ?? '';
    await manager.admin.patch(pods, name, namespace, 'merge', { metadata: { labels: { app: 'released' } } });
    await eventually(async () => {
      assert.deepEqual((await manager.admin.get(pods, name, namespace)).metadata.ownerReferences ?? [], []);
      assert.equal((await left()).length, 1);
    }, settle);
  });

  it('a ReplicationController follows its scale, and says so in its status and in events', async () => {
    const { pods: left } = await replicate('rc-scaled', 1);
    const scaled = await manager.admin.patch(
      replicationcontrollers,
      'rc-scaled',
      namespace,
      'merge',
      { spec: { replicas: 3 } },
      { subresource: 'scale' },
    );
    assert.equal((scaled as unknown as { kind: string }).kind, 'Scale');
    await eventually(async () => {
      assert.equal((await left()).length, 3);
      const { status, metadata } = await manager.admin.get(replicationcontrollers, 'rc-scaled', namespace);
      const { replicas, fullyLabeledReplicas, readyReplicas = 0, observedGeneration } = status ?? {};
      assert.deepEqual([replicas, fullyLabeledReplicas, readyReplicas], [3, 3, 0]);
      assert.equal(observedGeneration, metadata.generation);
      assert.ok(!('terminatingReplicas' in (status ?? {})), 'not a field of the kind');
    }, settle);
    await manager.admin.patch(replicationcontrollers, 'rc-scaled', namespace, 'merge', { spec: { replicas: 0 } });
    await eventually(async () => assert.deepEqual(await left(), []), settle);
    await eventually(async () => {
      const fieldSelector = 'involvedObject.kind=ReplicationController,involvedObject.name=rc-scaled';
      const { items } = await manager.admin.list(events, { namespace, fieldSelector });
      assert.deepEqual(new Set(items.map(({ reason }) => reason)), new Set(['SuccessfulCreate', 'SuccessfulDelete']));
      assert.ok(items.every(({ source }) => source?.component === 'replication-controller'));
    }, settle);
  });

  it('a ReplicationController shows that a quota refuses its pods, and no longer once there is room', async () => {
    const home = 'rc-quota';
    await manager.admin.create(namespaces, { metadata: { name: home }, spec: {} });
    await eventually(() => manager.admin.get(serviceaccounts, 'default', home));
    await manager.admin.create(resourcequotas, {
      metadata: { name: 'q', namespace: home },
      spec: { hard: { pods: '1' } },
    });
    await eventually(async () => {
      assert.equal((await manager.admin.get(resourcequotas, 'q', home)).status?.hard?.['pods'], '1');
    }, settle);
    await manager.admin.create(replicationcontrollers, {
      metadata: { name: 'r', namespace: home },
      spec: { replicas: 2, selector: { app: 'r' }, template: template({ app: 'r' }) as never },
    });
    const conditions = async (): Promise<(string | undefined)[][]> => {
      const { status } = await manager.admin.get(replicationcontrollers, 'r', home);
      return (status?.conditions ?? []).map(({ type, status: state, reason }) => [type, state, reason]);
    };
    await eventually(
      async () => assert.deepEqual(await conditions(), [['ReplicaFailure', 'True', 'FailedCreate']]),
      settle,
    );
    await manager.admin.patch(replicationcontrollers, 'r', home, 'merge', { spec: { replicas: 1 } });
    await eventually(async () => assert.deepEqual(await conditions(), []), settle);
  });

  it('a circle of owners blocks nobody', async () => {
    const names = ['circle-1', 'circle-2', 'circle-3'];
    const uids = new Map<string, string>();
    for (const name of names) {
      const { metadata } = await manager.admin.create(pods, {
        metadata: { name, namespace },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      });
      uids.set(name, metadata.uid);
    }
    for (const [i, name] of names.entries()) {
      const owner = names[(i + 2) % 3] ?? '';
      const reference = { apiVersion: 'v1', kind: 'Pod', name: owner, uid: uids.get(owner), blockOwnerDeletion: true };
      await manager.admin.patch(pods, name, namespace, 'merge', { metadata: { ownerReferences: [reference] } });
    }
    await manager.admin.delete(pods, 'circle-1', namespace, { propagationPolicy: 'Foreground' });
    for (const name of names) await gone(pods, name);
  });

  it('what also has an owner that stays is kept while the other waits for its dependents', async () => {
    const owner = async (name: string): Promise<object> => {
      const { metadata } = await manager.admin.create(configmaps, { metadata: { name, namespace } });
      return { apiVersion: 'v1', kind: 'ConfigMap', name, uid: metadata.uid, blockOwnerDeletion: true };
    };
    const [going, staying] = [await owner('going'), await owner('staying')];
    const create = (name: string, ...references: object[]): Promise<unknown> =>
      manager.admin.create(secrets, { metadata: { name, namespace, ownerReferences: references as never } });
    await create('of-one', going);
    await create('of-both', going, staying);
    await manager.admin.delete(configmaps, 'going', namespace, { propagationPolicy: 'Foreground' });
    await gone(configmaps, 'going');
    await gone(secrets, 'of-one');
    const { metadata } = await manager.admin.get(secrets, 'of-both', namespace);
    assert.equal(metadata.deletionTimestamp, undefined);
    assert.deepEqual(
      metadata.ownerReferences?.map(({ name }) => name),
      ['staying'],
    );
  });

  it('a deleted namespace takes its Services along', async () => {
    await manager.admin.create(namespaces, { metadata: { name: 'served' }, spec: {} });
    await manager.admin.create(services, {
      metadata: { name: 's', namespace: 'served' },
      spec: { selector: { a: 'b' }, ports: [{ port: 80 }] },
    });
    await manager.admin.delete(namespaces, 'served');
    await gone(namespaces, 'served', undefined as never);
    await manager.admin.create(namespaces, { metadata: { name: 'served' }, spec: {} });
    assert.deepEqual((await manager.admin.list(services, { namespace: 'served' })).items, []);
  });

  it('a deleted namespace waits for its pods before it touches the rest', async () => {
    const home = 'ordered';
    await manager.admin.create(namespaces, { metadata: { name: home }, spec: {} });
    await eventually(() => manager.admin.get(serviceaccounts, 'default', home));
    await manager.admin.create(pods, {
      metadata: { name: 'p', namespace: home, finalizers: ['example.com/held'] },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    await manager.admin.create(configmaps, { metadata: { name: 'm', namespace: home } });
    await manager.admin.delete(namespaces, home);
    await eventually(async () => {
      const { status } = await manager.admin.get(namespaces, home);
      assert.ok(status?.conditions?.some(({ type }) => type === 'NamespaceFinalizersRemaining'));
      assert.ok((await manager.admin.get(pods, 'p', home)).metadata.deletionTimestamp);
    }, settle);
    const { metadata } = await manager.admin.get(configmaps, 'm', home);
    assert.equal(metadata.deletionTimestamp, undefined);
    await manager.admin.patch(pods, 'p', home, 'merge', { metadata: { finalizers: null } });
    await gone(namespaces, home, undefined as never);
  });

  it('the root certificate of a namespace is written again when somebody has changed it', async () => {
    const authority = async (): Promise<unknown> =>
      (await manager.admin.get(configmaps, 'kube-root-ca.crt', namespace)).data;
    await eventually(async () => assert.deepEqual(await authority(), { 'ca.crt': manager.server.ca }));
    await manager.admin.patch(configmaps, 'kube-root-ca.crt', namespace, 'merge', { data: { 'ca.crt': 'other' } });
    await eventually(async () => assert.deepEqual(await authority(), { 'ca.crt': manager.server.ca }));
  });

  const counted: readonly [what: string, resource: Resource<object>, body: object][] = [
    ['configmaps', configmaps, {}],
    ['secrets', secrets, {}],
    ['services', services, { spec: { ports: [{ port: 80 }] } }],
    ['pods', pods, { spec: { containers: [{ name: 'c', image: 'i' }] } }],
    [
      'replicationcontrollers',
      replicationcontrollers,
      { spec: { replicas: 0, selector: { a: 'b' }, template: template({ a: 'b' }) } },
    ],
    [
      'count/replicasets.apps',
      replicasets,
      { spec: { replicas: 0, selector: { matchLabels: { a: 'b' } }, template: template({ a: 'b' }) } },
    ],
  ];
  for (const [what, resource, body] of counted) {
    it(`a quota of ${what} counts one when it comes and when it goes`, async () => {
      const home = `counts-${what.replaceAll(/[/.]/g, '-')}`;
      await manager.admin.create(namespaces, { metadata: { name: home }, spec: {} });
      await eventually(() => manager.admin.get(serviceaccounts, 'default', home));
      await eventually(() => manager.admin.get(configmaps, 'kube-root-ca.crt', home));
      await manager.admin.create(resourcequotas, {
        metadata: { name: 'q', namespace: home },
        spec: { hard: { [what]: '5' } },
      });
      const used = async (): Promise<number> => {
        const { status } = await manager.admin.get(resourcequotas, 'q', home);
        assert.equal(status?.hard?.[what], '5');
        return Number(status.used?.[what]);
      };
      const start = await eventually(async () => {
        const now = await used();
        assert.ok(Number.isInteger(now));
        return now;
      });
      await manager.admin.create(resource, { metadata: { name: 'one', namespace: home }, ...body });
      await eventually(async () => assert.equal(await used(), start + 1), settle);
      await manager.admin.delete(resource, 'one', home);
      await eventually(async () => assert.equal(await used(), start), settle);
    });
  }

  it('a quota counts what a pod asks for while it is there; more than the rest, or a change, is refused', async () => {
    const home = 'counts-resources';
    await manager.admin.create(namespaces, { metadata: { name: home }, spec: {} });
    await eventually(() => manager.admin.get(serviceaccounts, 'default', home));
    const dongles = 'requests.example.com/dongle';
    const hard = { cpu: '1', memory: '500Mi', 'ephemeral-storage': '50Gi', [dongles]: '3' };
    await manager.admin.create(resourcequotas, { metadata: { name: 'q', namespace: home }, spec: { hard } });
    const areUsed = (used: Record<string, string>): Promise<void> =>
      eventually(async () => {
        const { status } = await manager.admin.get(resourcequotas, 'q', home);
        assert.deepEqual([status?.hard, status?.used], [hard, used]);
      }, settle);
    const none = { cpu: '0', memory: '0', 'ephemeral-storage': '0', [dongles]: '0' };
    await areUsed(none);
    const make = (name: string, cpu: string, dongle = '2'): Promise<Pod> => {
      const requests = { cpu, memory: '252Mi', 'ephemeral-storage': '30Gi', 'example.com/dongle': dongle };
      const resources = { requests, limits: { 'example.com/dongle': dongle } };
      const spec = { containers: [{ name: 'c', image: 'i', resources }] };
      return manager.admin.create(pods, { metadata: { name, namespace: home }, spec });
    };
    await make('one', '500m');
    await areUsed({ cpu: '500m', memory: '252Mi', 'ephemeral-storage': '30Gi', [dongles]: '2' });
    await assert.rejects(make('more', '600m', '1'), /exceeded quota: q, requested: .*cpu=600m.*used: .*cpu=500m/);
    await assert.rejects(make('more', '100m', '2'), /exceeded quota: q, requested: .*dongle=2/);
    const containers = [{ name: 'c', resources: { requests: { cpu: '700m' } } }];
    await assert.rejects(
      manager.admin.patch(pods, 'one', home, 'strategic', { spec: { containers } }),
      /pod updates may not change fields other than/,
    );
    await areUsed({ cpu: '500m', memory: '252Mi', 'ephemeral-storage': '30Gi', [dongles]: '2' });
    await manager.admin.delete(pods, 'one', home);
    await areUsed(none);
  });

  const amounts = { cpu: '500m', memory: '200Mi' };
  const resources = { requests: amounts, limits: amounts };
  const computed = {
    'requests.cpu': '500m',
    'requests.memory': '200Mi',
    'limits.cpu': '500m',
    'limits.memory': '200Mi',
  };
  const scopes: readonly [name: string, other: string, spec: object, used: Record<string, string>][] = [
    ['BestEffort', 'NotBestEffort', {}, { pods: '1' }],
    ['NotBestEffort', 'BestEffort', { resources }, { pods: '1' }],
    ['NotTerminating', 'Terminating', { resources }, { pods: '1', ...computed }],
    ['Terminating', 'NotTerminating', { resources, activeDeadlineSeconds: 3600 }, { pods: '1', ...computed }],
  ];
  for (const [scope, other, given, wanted] of scopes) {
    it(`a pod that is ${scope} is counted by the quota of that scope alone, as long as it is there`, async () => {
      const home = `scoped-${scope.toLowerCase()}`;
      await manager.admin.create(namespaces, { metadata: { name: home }, spec: {} });
      await eventually(() => manager.admin.get(serviceaccounts, 'default', home));
      for (const one of [scope, other]) {
        await manager.admin.create(resourcequotas, {
          metadata: { name: one.toLowerCase(), namespace: home },
          spec: { hard: Object.fromEntries(Object.keys(wanted).map((name) => [name, '1Gi'])), scopes: [one] },
        });
      }
      const areUsed = (...used: readonly object[]): Promise<void> =>
        eventually(async () => {
          const quotas = [scope, other].map((one) => manager.admin.get(resourcequotas, one.toLowerCase(), home));
          assert.deepEqual(
            (await Promise.all(quotas)).map(({ status }) => status?.used),
            used,
          );
        }, settle);
      const none = Object.fromEntries(Object.keys(wanted).map((name) => [name, '0']));
      await areUsed(none, none);
      const { resources: asked, ...spec } = given as { resources?: object };
      await manager.admin.create(pods, {
        metadata: { name: 'p', namespace: home },
        spec: { containers: [{ name: 'c', image: 'i', ...(asked ? { resources: asked } : {}) }], ...spec },
      });
      await areUsed(wanted, none);
      await manager.admin.delete(pods, 'p', home);
      await areUsed(none, none);
    });
  }
});
