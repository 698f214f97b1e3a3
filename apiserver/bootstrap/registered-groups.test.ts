import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { apiservices, flowschemas, prioritylevelconfigurations } from '../../shared/api/generated/resources.js';
import type { APIService, FlowSchema, PriorityLevelConfiguration } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { silentLog } from '../../shared/log/log.js';
import { connectForTest, type ConnectedClient } from '../kinds/testing.js';
import { serverWorld } from '../testing/server-world.js';
import { FlowControlObjects } from './flow-control-objects.js';
import { LABEL_AUTO_MANAGED, LocalApiServices } from './local-api-services.js';

const services = apiservices as Resource<APIService & KubernetesObject>;
const schemas = flowschemas as Resource<FlowSchema & KubernetesObject>;
const levels = prioritylevelconfigurations as Resource<PriorityLevelConfiguration & KubernetesObject>;

describe('what every cluster has of the API itself', () => {
  const world = serverWorld();
  let client: ConnectedClient;
  before(async () => {
    client = await connectForTest(world.server.kubeconfigPath);
  });
  after(async () => {
    client.close();
  });

  it('every group that is served has an available APIService, but for the one that describes groups', async () => {
    const { items } = await client.list(services);
    const names = items.map(({ metadata }) => metadata.name);
    assert.ok(names.includes('v1.') && names.includes('v1.apps') && names.includes('v1.authorization.k8s.io'));
    assert.ok(!names.includes('v1.apiregistration.k8s.io'));
    const apps = items.find(({ metadata }) => metadata.name === 'v1.apps');
    assert.deepEqual(apps?.spec, { group: 'apps', version: 'v1', groupPriorityMinimum: 17_800, versionPriority: 15 });
    assert.equal(apps.metadata.labels?.[LABEL_AUTO_MANAGED], 'onstart');
    const [condition] = apps.status?.conditions ?? [];
    assert.equal(`${condition?.type} ${condition?.status} ${condition?.reason}`, 'Available True Local');
    assert.equal(condition?.message, 'Local APIServices are always available');
  });

  it('groups of custom resources come and go by their own mark, and others are left alone', async () => {
    const local = new LocalApiServices(world.server.apiserver.registry);
    await client.create(services, {
      metadata: { name: 'v1.metrics.example.com' },
      spec: {
        group: 'metrics.example.com',
        version: 'v1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        service: { namespace: 'kube-system', name: 'metrics' },
      },
    });
    await local.sync('true', [{ group: 'example.com', version: 'v1beta1' }]);
    const made = await client.get(services, 'v1beta1.example.com');
    assert.equal(made.spec.groupPriorityMinimum, 1000);
    assert.equal(made.spec.versionPriority, 100);
    await local.sync('true', []);
    const names = (await client.list(services)).items.map(({ metadata }) => metadata.name);
    assert.ok(!names.includes('v1beta1.example.com'));
    assert.ok(names.includes('v1.apps') && names.includes('v1.metrics.example.com'));
    const remote = await client.get(services, 'v1.metrics.example.com');
    assert.equal(remote.spec.service?.port, 443);
    assert.notEqual(remote.status?.conditions?.[0]?.reason, 'Local');
  });

  it('an APIService is named after its version and group', async () => {
    const spec = {
      group: 'example.com',
      version: 'v1',
      groupPriorityMinimum: 0,
      versionPriority: 2000,
      caBundle: 'YQ==',
    };
    await assert.rejects(client.create(services, { metadata: { name: 'v1.other' }, spec }), (error: Error) => {
      assert.match(
        error.message,
        /metadata\.name: Invalid value: "v1\.other": must be `spec\.version\+"\."\+spec\.group`: "v1\.example\.com"/,
      );
      assert.match(error.message, /spec\.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000/);
      assert.match(error.message, /spec\.versionPriority: Invalid value: 2000: must be positive and less than 1000/);
      assert.match(
        error.message,
        /spec\.caBundle: Invalid value: "1 bytes": local APIServices may not have a caBundle/,
      );
      return true;
    });
  });

  it('the flow schemas and priority levels of the original are there, and refer to each other', async () => {
    const { items } = await client.list(schemas);
    const known = new Set((await client.list(levels)).items.map(({ metadata }) => metadata.name));
    assert.deepEqual([...known].sort(), [
      'catch-all',
      'exempt',
      'global-default',
      'leader-election',
      'node-high',
      'system',
      'workload-high',
      'workload-low',
    ]);
    assert.equal(items.length, 13);
    for (const { metadata, spec } of items) assert.ok(known.has(spec.priorityLevelConfiguration.name), metadata.name);
  });

  it('the mandatory ones cannot be changed, and come back', async () => {
    const catchAll = await client.get(schemas, 'catch-all');
    await assert.rejects(
      client.update(schemas, { ...catchAll, spec: { ...catchAll.spec, matchingPrecedence: 5 } }),
      /spec of 'catch-all' must equal the fixed value/,
    );
    const exempt = await client.get(levels, 'exempt');
    const lending = {
      ...exempt,
      spec: { ...exempt.spec, exempt: { nominalConcurrencyShares: 3, lendablePercent: 50 } },
    };
    assert.equal((await client.update(levels, lending)).spec.exempt?.lendablePercent, 50);
    await client.delete(schemas, 'catch-all');
    const clock = new FakeClock();
    const keeper = new FlowControlObjects(world.server.apiserver.registry, clock, silentLog);
    await keeper.start();
    keeper.stop();
    assert.ok(await client.get(schemas, 'catch-all'));
    assert.equal((await client.get(levels, 'exempt')).spec.exempt?.lendablePercent, 50);
  });

  it('a suggested one follows the server until its annotation says otherwise', async () => {
    const change = async (name: string, annotation: string): Promise<void> => {
      const found = await client.get(schemas, name);
      found.spec.matchingPrecedence = 777;
      found.metadata.annotations = { 'apf.kubernetes.io/autoupdate-spec': annotation };
      await client.update(schemas, found);
    };
    await change('kube-scheduler', 'false');
    await change('service-accounts', 'true');
    const keeper = new FlowControlObjects(world.server.apiserver.registry, new FakeClock(), silentLog);
    await keeper.start();
    keeper.stop();
    assert.equal((await client.get(schemas, 'kube-scheduler')).spec.matchingPrecedence, 777);
    assert.equal((await client.get(schemas, 'service-accounts')).spec.matchingPrecedence, 9000);
  });
});
