import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  configmaps,
  namespaces,
  persistentvolumeclaims,
  pods,
  resourcequotas,
} from '../../shared/api/generated/resources.js';
import { eventually } from '../../shared/clock/eventually.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { rootCaPublisher } from '../serviceaccount/root-ca-publisher.js';
import { claimProtectionController } from '../storage-protection/storage-protection-controllers.js';
import { startManager, type TestManager } from '../testing/manager.js';
import { resourceQuotaController } from './resource-quota-controller.js';

const namespace = 'counted';

describe('quotas and claims under their controllers', () => {
  let manager: TestManager;
  before(async () => {
    manager = await startManager([resourceQuotaController, claimProtectionController, rootCaPublisher]);
    await manager.admin.create(namespaces, { metadata: { name: namespace }, spec: {} });
  });
  after(() => manager.close());

  const usedOf = async (name: string): Promise<Readonly<Record<string, string>> | undefined> =>
    (await manager.admin.get(resourcequotas, name, namespace)).status?.used;
  const makePod = (name: string, spec: object = {}): Promise<unknown> =>
    manager.admin.create(pods, {
      metadata: { name, namespace },
      spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '250m' } } }], ...spec },
    });

  it('tells how much of a quota is used, what controllers made included, and again when something comes or goes', async () => {
    // kube-root-ca.crt is one more ConfigMap.
    const hard = { pods: '5', 'requests.cpu': '2', 'count/configmaps': '3', 'count/things.example.com': '1' };
    await manager.admin.create(resourcequotas, { metadata: { name: 'q', namespace }, spec: { hard } });
    await eventually(async () =>
      assert.deepEqual(await usedOf('q'), { pods: '0', 'requests.cpu': '0', 'count/configmaps': '1' }),
    );
    await makePod('a');
    await makePod('b');
    await manager.admin.create(configmaps, { metadata: { name: 'm', namespace } });
    await eventually(async () =>
      assert.deepEqual(await usedOf('q'), { pods: '2', 'requests.cpu': '500m', 'count/configmaps': '2' }),
    );
    await manager.admin.delete(pods, 'a', namespace);
    await manager.admin.patch(
      pods,
      'b',
      namespace,
      'merge',
      { status: { phase: 'Failed' } },
      { subresource: 'status' },
    );
    await eventually(async () =>
      assert.deepEqual(await usedOf('q'), { pods: '0', 'requests.cpu': '0', 'count/configmaps': '2' }),
    );
    const { status } = await manager.admin.get(resourcequotas, 'q', namespace);
    assert.deepEqual(status?.hard, hard);
  });

  it('keeps a deleted claim while a pod on a node names it', async () => {
    await manager.admin.create(persistentvolumeclaims, {
      metadata: { name: 'data', namespace },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    await eventually(async () => {
      const claim = await manager.admin.get(persistentvolumeclaims, 'data', namespace);
      assert.deepEqual(claim.metadata.finalizers, ['kubernetes.io/pvc-protection']);
    });
    await makePod('user', {
      nodeName: 'n',
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
    });
    await manager.admin.delete(persistentvolumeclaims, 'data', namespace);
    // Another claim that nobody names comes and goes meanwhile: the controller has looked.
    await manager.admin.create(persistentvolumeclaims, {
      metadata: { name: 'free', namespace, finalizers: ['kubernetes.io/pvc-protection'] },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    await manager.admin.delete(persistentvolumeclaims, 'free', namespace);
    const isGone = async (name: string): Promise<void> => {
      await assert.rejects(manager.admin.get(persistentvolumeclaims, name, namespace), (error) => isNotFound(error));
    };
    await eventually(() => isGone('free'));
    const kept = await manager.admin.get(persistentvolumeclaims, 'data', namespace);
    assert.ok(kept.metadata.deletionTimestamp);
    await manager.admin.delete(pods, 'user', namespace, { gracePeriodSeconds: 0 });
    await eventually(() => isGone('data'));
  });
});
