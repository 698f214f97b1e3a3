import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { MemoryStorage } from '../../storage/memory-storage.js';
import type { RawAnswer } from '../../testing/raw-client.js';
import { serverWorld } from '../../testing/server-world.js';

/** Between the last check of a write and its being stored others get their turn, as with a real disk. */
class SlowStorage extends MemoryStorage {
  override async put(...given: Parameters<MemoryStorage['put']>): ReturnType<MemoryStorage['put']> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    return super.put(...given);
  }
}

const merge = { 'content-type': 'application/merge-patch+json' };

describe('ResourceQuota', () => {
  const { admin } = serverWorld({ storage: new SlowStorage() });
  let namespace = '';
  let count = 0;
  beforeEach(async () => {
    namespace = `quota-${++count}`;
    await admin.send('/api/v1/namespaces', { body: { metadata: { name: namespace } } });
  });

  const core = (): string => `/api/v1/namespaces/${namespace}`;
  const quota = (name: string, spec: object): Promise<RawAnswer> =>
    admin.send(`${core()}/resourcequotas`, { body: { metadata: { name }, spec } });
  const makePod = (name: string, resources?: object, more: object = {}, query = ''): Promise<RawAnswer> =>
    admin.send(`${core()}/pods${query}`, {
      body: {
        metadata: { name },
        spec: { containers: [{ name: 'c', image: 'i', ...(resources ? { resources } : {}) }], ...more },
      },
    });
  const makeConfigMap = (name: string): Promise<RawAnswer> =>
    admin.send(`${core()}/configmaps`, { body: { metadata: { name } } });
  const message = ({ json }: RawAnswer): unknown => json?.['message'];

  it('lets in what there is room for, and says what there is not', async () => {
    await quota('compute', { hard: { pods: '2' } });
    assert.equal((await makePod('a')).code, 201);
    assert.equal((await makePod('b')).code, 201);
    const refused = await makePod('c');
    assert.equal(refused.code, 403);
    assert.equal(
      message(refused),
      'pods "c" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=2, limited: pods=2',
    );
    await admin.send(`${core()}/pods/a`, { method: 'DELETE' });
    assert.equal((await makePod('c')).code, 201);
  });

  it('wants to know what it counts', async () => {
    await quota('compute', { hard: { 'limits.cpu': '2', 'requests.memory': '1Gi' } });
    assert.equal(
      message(await makePod('a')),
      'pods "a" is forbidden: failed quota: compute: must specify limits.cpu for: c; requests.memory for: c',
    );
    const big = await makePod('a', { limits: { cpu: '3' }, requests: { memory: '2Gi' } });
    assert.equal(
      message(big),
      'pods "a" is forbidden: exceeded quota: compute, requested: limits.cpu=3,requests.memory=2Gi, used: limits.cpu=0,requests.memory=0, limited: limits.cpu=2,requests.memory=1Gi',
    );
  });

  it('never lets two creates have the last place, whatever else happens to them', async () => {
    await quota('few', { hard: { 'count/configmaps': '7' } });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => makeConfigMap(`m${i % 25}`)));
    const { json } = await admin.send(`${core()}/configmaps`);
    assert.equal((json?.['items'] as unknown[] | undefined)?.length, 7);
    assert.equal(answers.filter(({ code }) => code === 201).length, 7);
  });

  it('gives back the place of a write that failed', async () => {
    await quota('few', { hard: { 'count/configmaps': '2' } });
    await makeConfigMap('there');
    for (let i = 0; i < 3; i++) assert.equal((await makeConfigMap('there')).code, 409);
    assert.equal((await makePod('dry', undefined, {}, '?dryRun=All')).code, 201);
    assert.equal((await makeConfigMap('second')).code, 201);
    assert.equal((await makeConfigMap('third')).code, 403);
  });

  it('counts a growing quota anew, with what is on its way', async () => {
    await quota('growing', { hard: { 'count/configmaps': '1' } });
    await makeConfigMap('a');
    assert.equal((await makeConfigMap('b')).code, 403);
    const path = `${core()}/resourcequotas/growing`;
    await admin.send(path, { method: 'PATCH', headers: merge, body: { spec: { hard: { 'count/configmaps': '2' } } } });
    assert.equal((await makeConfigMap('b')).code, 201);
    assert.equal((await makeConfigMap('c')).code, 403);
    await admin.send(path, { method: 'DELETE' });
    assert.equal((await makeConfigMap('c')).code, 201);
  });

  it('counts pods of its scopes alone', async () => {
    await quota('best-effort', { hard: { pods: '1' }, scopes: ['BestEffort'] });
    assert.equal((await makePod('be')).code, 201);
    assert.equal((await makePod('be2')).code, 403);
    assert.equal((await makePod('burstable', { requests: { cpu: '1m' } })).code, 201);
  });

  it('counts pods by their priority class', async () => {
    const expression = { scopeName: 'PriorityClass', operator: 'In', values: ['system-node-critical'] };
    await quota('critical', { hard: { pods: '0' }, scopeSelector: { matchExpressions: [expression] } });
    assert.equal((await makePod('plain')).code, 201);
    const critical = await makePod('critical', undefined, { priorityClassName: 'system-node-critical' });
    assert.match(
      String(message(critical)),
      /exceeded quota: critical, requested: pods=1, used: pods=0, limited: pods=0/,
    );
  });

  it('does not count what a pod no longer takes', async () => {
    await quota('compute', { hard: { 'requests.cpu': '1' } });
    const requests = { requests: { cpu: '1' } };
    await makePod('done', requests);
    assert.equal((await makePod('next', requests)).code, 403);
    const status = { status: { phase: 'Succeeded' } };
    await admin.send(`${core()}/pods/done/status`, { method: 'PATCH', headers: merge, body: status });
    assert.equal((await makePod('next', requests)).code, 201);
  });

  it('counts ports and balancers of services, also those that an update adds', async () => {
    await quota('services', { hard: { 'services.nodeports': '1', 'services.loadbalancers': '0' } });
    const path = `${core()}/services`;
    const make = (name: string, spec: object): Promise<RawAnswer> =>
      admin.send(path, { body: { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } } });
    assert.equal((await make('plain', {})).code, 201);
    assert.match(
      String(message(await make('balanced', { type: 'LoadBalancer' }))),
      /requested: services\.loadbalancers=1, used: services\.loadbalancers=0, limited: services\.loadbalancers=0$/,
    );
    assert.equal((await make('node', { type: 'NodePort' })).code, 201);
    const changed = await admin.send(`${path}/plain`, {
      method: 'PATCH',
      headers: merge,
      body: { spec: { type: 'NodePort' } },
    });
    assert.match(String(message(changed)), /requested: services\.nodeports=1, used: services\.nodeports=1/);
  });

  it('counts storage in all and by class', async () => {
    const hard = { 'requests.storage': '3Gi', 'fast.storageclass.storage.k8s.io/requests.storage': '1Gi' };
    await quota('storage', { hard });
    const claim = (name: string, storageClassName: string, storage: string): Promise<RawAnswer> =>
      admin.send(`${core()}/persistentvolumeclaims`, {
        body: {
          metadata: { name },
          spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage } } },
        },
      });
    assert.match(
      String(message(await claim('a', 'fast', '2Gi'))),
      /fast\.storageclass\.storage\.k8s\.io\/requests\.storage=2Gi/,
    );
    assert.equal((await claim('a', 'slow', '2Gi')).code, 201);
    assert.equal((await claim('b', 'fast', '1Gi')).code, 201);
    assert.match(
      String(message(await claim('c', 'slow', '1Gi'))),
      /requested: requests\.storage=1Gi, used: requests\.storage=3Gi, limited: requests\.storage=3Gi$/,
    );
  });
});
