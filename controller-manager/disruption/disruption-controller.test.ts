import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  customresourcedefinitions,
  deployments,
  events,
  poddisruptionbudgets,
  pods,
  replicasets,
  replicationcontrollers,
  serviceaccounts,
  statefulsets,
} from '../../shared/api/generated/resources.js';
import type { Pod, PodDisruptionBudgetStatus } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { isPodReady } from '../../shared/api/pod.js';
import { defineResource } from '../../shared/api/resource.js';
import { eventually } from '../../shared/clock/eventually.js';
import { controllers } from '../controllers.js';
import { startManager, type TestManager } from '../testing/manager.js';

const namespace = 'default';
const settle = 15_000;
const widgets = defineResource<KubernetesObject & { spec: { replicas: number } }>({
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  resource: 'widgets',
  namespaced: true,
});
const gadgets = { ...widgets, kind: 'Gadget', resource: 'gadgets' };

/** The real API server and all controllers; the test plays the kubelets. */
describe('disruption budgets', { concurrency: 4 }, () => {
  let manager: TestManager;
  before(async () => {
    manager = await startManager(controllers);
    await eventually(() => manager.admin.get(serviceaccounts, 'default', namespace));
  });
  after(() => manager.close());

  const podsOf = async (app: string): Promise<Pod[]> =>
    (await manager.admin.list(pods, { namespace, labelSelector: `app=${app}` })).items;
  const setReady = async (name: string, isReady = true): Promise<void> => {
    const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False' }];
    const patch = { status: { phase: 'Running', conditions } };
    await manager.admin.patch(pods, name, namespace, 'strategic', patch, { subresource: 'status' });
  };
  const template = (app: string): object => ({
    metadata: { labels: { app } },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  });
  const guard = async (app: string, spec: object): Promise<void> => {
    const selector = { matchLabels: { app } };
    await manager.admin.create(poddisruptionbudgets, {
      metadata: { name: app, namespace },
      spec: { selector, ...spec },
    });
  };
  const status = async (name: string): Promise<PodDisruptionBudgetStatus> => {
    const found = await manager.admin.get(poddisruptionbudgets, name, namespace);
    assert.ok(found.status);
    assert.equal(found.status.observedGeneration, found.metadata.generation);
    return found.status;
  };
  /** Healthy, wanted, expected, allowed. */
  const counts = async (name: string): Promise<number[]> => {
    const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0, disruptionsAllowed = 0 } = await status(name);
    return [currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed];
  };
  const counted = (name: string, expected: number[]): Promise<void> =>
    eventually(async () => assert.deepEqual(await counts(name), expected), settle);
  const told = async (kind: string, name: string, reason: string): Promise<string> =>
    eventually(async () => {
      const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${name},reason=${reason}`;
      const [event] = (await manager.admin.list(events, { namespace, fieldSelector })).items;
      assert.equal(event?.source?.component, 'controllermanager');
      return event.message ?? '';
    }, settle);
  const evict = async (name: string): Promise<number> => {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
    const body = JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } });
    const headers = { 'content-type': 'application/json' };
    return (await manager.admin.raw({ method: 'POST', path, body, headers, isRetried: false })).status;
  };
  const bare = async (name: string, app: string, owner?: KubernetesObject): Promise<Pod> => {
    const { apiVersion = '', kind = '', metadata } = owner ?? {};
    const reference = metadata && { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true };
    const made = await manager.admin.create(pods, {
      metadata: { name, namespace, labels: { app }, ...(reference ? { ownerReferences: [reference] } : {}) },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    await setReady(name);
    return made;
  };

  it('count the pods of a Deployment against its replicas, across its ReplicaSets, and follow its scale', async () => {
    await guard('web', { maxUnavailable: '50%' });
    assert.equal(await told('PodDisruptionBudget', 'web', 'NoPods'), 'No matching pods found');
    await counted('web', [0, 0, 0, 0]);
    await manager.admin.create(deployments, {
      metadata: { name: 'web', namespace },
      spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: template('web') as never },
    });
    await counted('web', [0, 1, 3, 0]);
    for (const { metadata } of await podsOf('web')) await setReady(metadata.name);
    await counted('web', [3, 1, 3, 2]);
    const [condition] = (await status('web')).conditions ?? [];
    assert.deepEqual(
      [condition?.type, condition?.status, condition?.reason],
      ['DisruptionAllowed', 'True', 'SufficientPods'],
    );
    await manager.admin.patch(deployments, 'web', namespace, 'merge', { spec: { replicas: 2 } });
    await counted('web', [2, 1, 2, 1]);
    await manager.admin.patch(poddisruptionbudgets, 'web', namespace, 'merge', {
      spec: { maxUnavailable: null, minAvailable: '100%' },
    });
    await counted('web', [2, 2, 2, 0]);
    assert.equal((await status('web')).conditions?.[0]?.reason, 'InsufficientPods');
  });

  it('count the pods of a ReplicaSet without a Deployment', async () => {
    await guard('set', { maxUnavailable: 1 });
    await manager.admin.create(replicasets, {
      metadata: { name: 'set', namespace },
      spec: { replicas: 2, selector: { matchLabels: { app: 'set' } }, template: template('set') as never },
    });
    await counted('set', [0, 1, 2, 0]);
  });

  it('count the pods of a StatefulSet', async () => {
    const state = await manager.admin.create(statefulsets, {
      metadata: { name: 'state', namespace },
      spec: { replicas: 4, selector: { matchLabels: { app: 'state' } }, template: template('state') as never },
    });
    await guard('state', { minAvailable: '50%' });
    await bare('state-0', 'state', state);
    await counted('state', [1, 2, 4, 0]);
  });

  it('never let fewer pods be healthy than they say, however many are evicted at once', async () => {
    const [replicas, minAvailable] = [6, 4];
    await manager.admin.create(replicationcontrollers, {
      metadata: { name: 'many', namespace },
      spec: { replicas, selector: { app: 'many' }, template: template('many') as never },
    });
    const healthy = async (): Promise<Pod[]> => (await podsOf('many')).filter(isPodReady);
    const heal = (): Promise<void> =>
      eventually(async () => {
        const all = await podsOf('many');
        for (const pod of all) if (!isPodReady(pod)) await setReady(pod.metadata.name);
        assert.equal(all.length, replicas);
      }, settle);
    await heal();
    await guard('many', { minAvailable });
    let evicted = 0;
    for (let round = 0; round < 2; round++) {
      await heal();
      await counted('many', [replicas, minAvailable, replicas, replicas - minAvailable]);
      const answers = await Promise.all((await podsOf('many')).map(({ metadata }) => evict(metadata.name)));
      const granted = answers.filter((code) => code === 201).length;
      assert.deepEqual(
        [...new Set(answers)].sort((a, b) => a - b),
        [201, 429],
      );
      assert.equal(granted, replicas - minAvailable);
      assert.equal((await healthy()).length, minAvailable);
      evicted += granted;
    }
    assert.equal(evicted, 4);
  });

  it('ask the scale of a custom kind; one that has none fails safe and says so', async () => {
    const names = { widgets: 'Widget', gadgets: 'Gadget' };
    for (const [plural, kind] of Object.entries(names)) {
      const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' };
      await manager.admin.create(customresourcedefinitions, {
        metadata: { name: `${plural}.example.com` },
        spec: {
          group: 'example.com',
          scope: 'Namespaced',
          names: { plural, kind },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as never },
              subresources: { status: {}, ...(kind === 'Widget' ? { scale } : {}) },
            },
          ],
        },
      });
    }
    const make = (resource: typeof widgets): Promise<KubernetesObject> =>
      eventually(
        () => manager.admin.create(resource, { metadata: { name: 'w', namespace }, spec: { replicas: 5 } }),
        settle,
      );
    const [widget, gadget] = [await make(widgets), await make(gadgets)];
    await guard('widget', { maxUnavailable: 3 });
    await guard('gadget', { maxUnavailable: 3 });
    await bare('widget-1', 'widget', widget);
    await bare('gadget-1', 'gadget', gadget);
    await counted('widget', [1, 2, 5, 0]);
    const reason = 'gadgets.example.com does not implement the scale subresource';
    await eventually(async () => {
      const found = await manager.admin.get(poddisruptionbudgets, 'gadget', namespace);
      const condition = found.status?.conditions?.[0];
      assert.deepEqual([condition?.status, condition?.reason, condition?.message], ['False', 'SyncFailed', reason]);
    }, settle);
    assert.equal(
      await told('PodDisruptionBudget', 'gadget', 'CalculateExpectedPodCountFailed'),
      `Failed to calculate the number of expected pods: ${reason}`,
    );
    assert.equal(await evict('gadget-1'), 429);
  });

  it('count pods without a controller only where they want a number; two budgets for a pod are told', async () => {
    await bare('lone', 'lone');
    await guard('lone', { minAvailable: 0 });
    await counted('lone', [1, 0, 1, 1]);
    await manager.admin.patch(poddisruptionbudgets, 'lone', namespace, 'merge', {
      spec: { minAvailable: null, maxUnavailable: 1 },
    });
    await counted('lone', [1, 0, 0, 0]);
    assert.match(await told('PodDisruptionBudget', 'lone', 'UnmanagedPods'), /map\[string\]string\{app: lone,\}/);
    const selector = { matchLabels: { app: 'lone' } };
    await manager.admin.create(poddisruptionbudgets, { metadata: { name: 'second', namespace }, spec: { selector } });
    await setReady('lone', false);
    assert.match(await told('Pod', 'lone', 'MultiplePodDisruptionBudgets'), /^Pod "default"\/"lone" matches multiple /);
  });

  it('give up an eviction after which the pod stayed, and take its DisruptionTarget back', async () => {
    await bare('stays', 'stays');
    await bare('going', 'stays');
    await guard('stays', { minAvailable: 1 });
    await counted('stays', [2, 1, 2, 1]);
    const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString().replace(/\.\d+Z/, 'Z');
    const disruptedPods = { stays: ago(180), going: ago(1) };
    await manager.admin.patch(
      poddisruptionbudgets,
      'stays',
      namespace,
      'merge',
      { status: { disruptedPods } },
      { subresource: 'status' },
    );
    await eventually(async () => {
      const { disruptedPods: left, currentHealthy } = await status('stays');
      assert.deepEqual([Object.keys(left ?? {}), currentHealthy], [['going'], 1]);
    }, settle);
    assert.match(await told('Pod', 'stays', 'NotDeleted'), /expected by PDB default\/stays to be deleted/);
    const target = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      lastTransitionTime: ago(180),
    };
    await manager.admin.patch(
      pods,
      'stays',
      namespace,
      'strategic',
      { status: { conditions: [target] } },
      { subresource: 'status' },
    );
    await eventually(async () => {
      const { status: state } = await manager.admin.get(pods, 'stays', namespace);
      const condition = state?.conditions?.find(({ type }) => type === 'DisruptionTarget');
      assert.deepEqual([condition?.status, condition?.reason], ['False', undefined]);
    }, settle);
  });
});
