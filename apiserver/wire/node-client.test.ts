import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  Metrics,
  PatchStrategy,
  setHeaderOptions,
  Watch,
  type V1ConfigMap,
} from 'kubernetes-client-1.4';
import { eventually } from '../../shared/clock/eventually.js';
import { serverWorld } from '../testing/server-world.js';

const namespace = 'default';

describe('the official client for JavaScript', () => {
  const world = serverWorld();
  const config = new KubeConfig();
  let core: CoreV1Api;
  before(async () => {
    config.loadFromFile(world.server.kubeconfigPath);
    core = config.makeApiClient(CoreV1Api);
  });
  const create = (name: string, more: Partial<V1ConfigMap> = {}): Promise<V1ConfigMap> =>
    core.createNamespacedConfigMap({ namespace, body: { metadata: { name }, ...more } });

  it('creates, reads, replaces, lists and deletes; refusals carry their Status', async () => {
    const made = await create('a', { data: { k: 'v' } });
    assert.ok(made.metadata?.creationTimestamp instanceof Date);
    const read = await core.readNamespacedConfigMap({ name: 'a', namespace });
    assert.deepEqual(read, made);
    const replaced = await core.replaceNamespacedConfigMap({
      name: 'a',
      namespace,
      body: Object.assign(read, { data: { k: 'w' } }),
    });
    assert.deepEqual(replaced.data, { k: 'w' });
    const refusal = async (call: Promise<unknown>): Promise<[number, string]> => {
      const error = await call.then(
        () => assert.fail('it was not refused'),
        (caught: unknown) => caught,
      );
      assert.ok(error instanceof ApiException, String(error));
      return [error.code, (JSON.parse(String(error.body)) as { reason: string }).reason];
    };
    const stale = core.replaceNamespacedConfigMap({ name: 'a', namespace, body: read });
    assert.deepEqual(await refusal(stale), [409, 'Conflict']);
    assert.deepEqual(await refusal(create('a')), [409, 'AlreadyExists']);
    assert.deepEqual(await refusal(create('A_')), [422, 'Invalid']);
    await create('b');
    const { items, metadata } = await core.listNamespacedConfigMap({ namespace, limit: 1 });
    assert.equal(items.length, 1);
    assert.ok(metadata?._continue);
    const gone = await core.deleteNamespacedConfigMap({ name: 'a', namespace });
    assert.equal(gone.status, 'Success');
    assert.deepEqual(await refusal(core.readNamespacedConfigMap({ name: 'a', namespace })), [404, 'NotFound']);
  });

  it('sends every type of patch', async () => {
    await create('p', { data: { a: '1', b: '2' } });
    const send = (type: string, body: object): Promise<V1ConfigMap> =>
      core.patchNamespacedConfigMap(
        {
          name: 'p',
          namespace,
          body,
          fieldManager: 'test',
          force: type === PatchStrategy.ServerSideApply || undefined,
        },
        setHeaderOptions('Content-Type', type),
      );
    const one = await send(PatchStrategy.JsonPatch, [{ op: 'replace', path: '/data/a', value: '3' }]);
    assert.deepEqual(one.data, { a: '3', b: '2' });
    assert.deepEqual((await send(PatchStrategy.MergePatch, { data: { b: null } })).data, { a: '3' });
    assert.deepEqual((await send(PatchStrategy.StrategicMergePatch, { data: { c: '4' } })).data, { a: '3', c: '4' });
    const typed = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'p' }, data: { d: '5' } };
    const applied = await send(PatchStrategy.ServerSideApply, typed);
    assert.deepEqual(applied.data, { a: '3', c: '4', d: '5' });
    assert.ok(
      applied.metadata?.managedFields?.some(({ operation, manager }) => operation === 'Apply' && manager === 'test'),
    );
  });

  it('watches from a list on', async () => {
    const { metadata } = await core.listNamespacedConfigMap({ namespace });
    const seen: string[] = [];
    const query = { resourceVersion: metadata?.resourceVersion, labelSelector: 'w=x' };
    let ended: unknown = 'not yet';
    const controller = await new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      query,
      (type, object: V1ConfigMap) => seen.push(`${type} ${object.metadata?.name}`),
      (error) => (ended = error),
    );
    await create('w', { metadata: { name: 'w', labels: { w: 'x' } } });
    await core.deleteNamespacedConfigMap({ name: 'w', namespace });
    await eventually(() => assert.deepEqual(seen, ['ADDED w', 'DELETED w']));
    controller.abort();
    await eventually(() => assert.notEqual(ended, 'not yet'));
  });

  it('keeps an informer in step', async () => {
    await create('before');
    const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
      core.listNamespacedConfigMap({ namespace }),
    );
    const seen: string[] = [];
    for (const verb of ['add', 'update', 'delete'] as const) {
      informer.on(verb, ({ metadata }: V1ConfigMap) => seen.push(`${verb} ${metadata?.name}`));
    }
    await informer.start();
    await eventually(() => assert.ok(seen.includes('add before')));
    await core.replaceNamespacedConfigMap({
      name: 'before',
      namespace,
      body: { metadata: { name: 'before' }, data: { x: 'y' } },
    });
    await eventually(() => assert.ok(seen.includes('update before')));
    assert.deepEqual(informer.get('before', namespace)?.data, { x: 'y' });
    await core.deleteNamespacedConfigMap({ name: 'before', namespace });
    await eventually(() => assert.ok(seen.includes('delete before')));
    await informer.stop();
  });

  it('handles objects of any kind by what discovery says, and custom resources', async () => {
    const objects = KubernetesObjectApi.makeApiClient(config);
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template };
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace }, spec };
    await objects.create(deployment);
    await objects.patch({ ...deployment, spec: { replicas: 2 } } as never);
    const apps = config.makeApiClient(AppsV1Api);
    assert.equal((await apps.readNamespacedDeploymentScale({ name: 'd', namespace })).spec?.replicas, 2);
    await objects.delete(deployment);
    const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }];
    const names = { plural: 'crates', singular: 'crate', kind: 'Crate' };
    await objects.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'crates.example.com' },
      spec: { group: 'example.com', scope: 'Namespaced', names, versions },
    } as never);
    const custom = config.makeApiClient(CustomObjectsApi);
    const at = { group: 'example.com', version: 'v1', namespace, plural: 'crates' };
    const body = { apiVersion: 'example.com/v1', kind: 'Crate', metadata: { name: 'x' } };
    await eventually(() => custom.createNamespacedCustomObject({ ...at, body }));
    const list = (await custom.listNamespacedCustomObject(at)) as { items: unknown[] };
    assert.equal(list.items.length, 1);
  });

  it('is told that nobody serves metrics where nobody does', async () => {
    await assert.rejects(new Metrics(config).getNodeMetrics(), /404|not find/);
  });
});
