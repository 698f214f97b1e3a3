import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { deployments, events, pods, replicasets } from '../../shared/api/generated/resources.js';
import type { Deployment, Pod, ReplicaSet } from '../../shared/api/generated/types.js';
import { getCondition } from '../../shared/api/condition.js';
import { isPodActive } from '../../shared/api/pod.js';
import { ANNOTATION_DEPLOYMENT_REVISION } from '../../shared/api/well-known.js';
import { eventually } from '../../shared/clock/eventually.js';
import { replicaSetController } from '../replicaset/replicaset-controller.js';
import { serviceAccountController } from '../serviceaccount/serviceaccount-controller.js';
import { startManager, type TestManager } from '../testing/manager.js';
import { deploymentController } from './deployment-controller.js';

const namespace = 'default';

/** Controllers, the real API server, and a test that plays the kubelet. */
describe('a Deployment', () => {
  let manager: TestManager;
  before(async () => {
    manager = await startManager([serviceAccountController, replicaSetController, deploymentController]);
  });
  after(() => manager.close());

  const podsOf = async (app: string): Promise<Pod[]> =>
    (await manager.admin.list(pods, { namespace, labelSelector: `app=${app}` })).items.filter(isPodActive);
  const setsOf = async (app: string): Promise<ReplicaSet[]> =>
    (await manager.admin.list(replicasets, { namespace, labelSelector: `app=${app}` })).items;
  const makeReady = async (pod: Pod): Promise<void> => {
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: now }];
    const status = { phase: 'Running', podIP: '10.244.0.9', conditions };
    await manager.admin.patch(pods, pod.metadata.name, namespace, 'merge', { status }, { subresource: 'status' });
  };
  /** Everything that is not ready becomes ready, until the Deployment says that it is complete. */
  const settle = (app: string): Promise<Deployment> =>
    eventually(
      async () => {
        for (const pod of await podsOf(app)) if (pod.status?.phase !== 'Running') await makeReady(pod);
        const deployment = await manager.admin.get(deployments, app, namespace);
        const { status, spec, metadata } = deployment;
        assert.equal(status?.observedGeneration, metadata.generation);
        assert.deepEqual(
          [status?.availableReplicas ?? 0, status?.updatedReplicas ?? 0, status?.replicas ?? 0],
          [spec?.replicas, spec?.replicas, spec?.replicas],
        );
        return deployment;
      },
      20_000,
      50,
    );
  const create = (app: string, more: object = {}): Promise<Deployment> =>
    manager.admin.create(deployments, {
      metadata: { name: app, namespace },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app } },
        template: { metadata: { labels: { app } }, spec: { containers: [{ name: 'c', image: 'i:1' }] } },
        ...more,
      },
    });
  const setImage = (app: string, image: string): Promise<Deployment> =>
    manager.admin.patch(deployments, app, namespace, 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'c', image }] } } },
    });

  it('makes a ReplicaSet and pods, and tells its progress', async () => {
    await create('web');
    const deployment = await settle('web');
    const [replicaSet] = await setsOf('web');
    assert.ok(replicaSet);
    const hash = replicaSet.metadata.labels?.['pod-template-hash'] ?? '';
    assert.equal(replicaSet.metadata.name, `web-${hash}`);
    assert.equal(deployment.metadata.annotations?.[ANNOTATION_DEPLOYMENT_REVISION], '1');
    await eventually(async () => {
      const { status } = await manager.admin.get(deployments, 'web', namespace);
      const progressing = getCondition(status?.conditions, 'Progressing');
      assert.equal(progressing?.reason, 'NewReplicaSetAvailable');
      assert.equal(progressing.message, `ReplicaSet "web-${hash}" has successfully progressed.`);
      assert.equal(getCondition(status?.conditions, 'Available')?.status, 'True');
    });
    for (const pod of await podsOf('web'))
      assert.equal(pod.metadata.ownerReferences?.[0]?.uid, replicaSet.metadata.uid);
  });

  it('makes no pod too many, however fast it is scaled', async () => {
    for (const replicas of [7, 2, 9, 4]) {
      await manager.admin.patch(deployments, 'web', namespace, 'merge', { spec: { replicas } });
    }
    await settle('web');
    assert.equal((await podsOf('web')).length, 4);
  });

  it('rolls a new template out within maxSurge and maxUnavailable, and back', async () => {
    await setImage('web', 'i:2');
    await settle('web');
    const images = (await podsOf('web')).map((pod) => pod.spec?.containers[0]?.image);
    assert.deepEqual(images, ['i:2', 'i:2', 'i:2', 'i:2']);
    await setImage('web', 'i:1');
    const back = await settle('web');
    assert.equal(back.metadata.annotations?.[ANNOTATION_DEPLOYMENT_REVISION], '3');
    const sets = await setsOf('web');
    assert.equal(sets.length, 2);
    const current = sets.find((set) => set.spec?.replicas === 4);
    assert.equal(current?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1');
  });

  it('Recreate never runs two templates at the same time', async () => {
    await create('one', { strategy: { type: 'Recreate' }, replicas: 2 });
    await settle('one');
    await setImage('one', 'i:2');
    await eventually(async () => {
      const list = await podsOf('one');
      assert.ok(new Set(list.map((pod) => pod.spec?.containers[0]?.image)).size <= 1);
      assert.deepEqual(
        list.map((pod) => pod.spec?.containers[0]?.image),
        ['i:2', 'i:2'],
      );
    });
  });

  it('an orphan that matches is adopted, and a pod that stops matching is released and replaced', async () => {
    await create('own', { replicas: 2 });
    await settle('own');
    const [first, second] = await podsOf('own');
    assert.ok(first && second);
    const owner = first.metadata.ownerReferences?.[0];
    await manager.admin.patch(pods, first.metadata.name, namespace, 'merge', {
      metadata: { labels: { app: 'debug' } },
    });
    await eventually(async () => {
      const released = await manager.admin.get(pods, first.metadata.name, namespace);
      assert.equal(released.metadata.ownerReferences?.length ?? 0, 0);
      assert.equal((await podsOf('own')).length, 2);
    });
    await manager.admin.delete(pods, second.metadata.name, namespace, { gracePeriodSeconds: 0 });
    await manager.admin.patch(pods, first.metadata.name, namespace, 'merge', { metadata: { labels: { app: 'own' } } });
    await eventually(async () => {
      const all = await podsOf('own');
      assert.equal(all.length, 2);
      for (const pod of all) assert.equal(pod.metadata.ownerReferences?.[0]?.uid, owner?.uid);
    });
  });

  it('writes events about what it scales', async () => {
    await eventually(async () => {
      const { items } = await manager.admin.list(events, { namespace });
      const messages = items.filter((e) => e.reason === 'ScalingReplicaSet').map((e) => e.message ?? '');
      assert.ok(messages.some((message) => /^Scaled up replica set web-\w+ from 0 to 3$/.test(message)));
      assert.ok(
        items.some((e) => e.reason === 'SuccessfulCreate' && /^Created pod: web-\w+-\w{5}$/.test(e.message ?? '')),
      );
    });
  });
});
