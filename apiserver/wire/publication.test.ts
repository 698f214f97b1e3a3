import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { metricsApi, startExtensionServer, type ExtensionServer } from '../aggregation/testing.js';
import { eventually } from '../../shared/clock/eventually.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { serverWorld } from '../testing/server-world.js';

/**
 * Groups are published within a second because nothing on the way waits for a timer: the clock of this server stands
 * still, so that whatever is put off, by however little, never happens. How long it takes is measured by the bench.
 */
describe('while the clock stands still', () => {
  const clock = new FakeClock();
  const { admin } = serverWorld({ clock });
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const aggregated = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };
  let stoodAt: number;
  let extension: ExtensionServer;

  before(async () => {
    stoodAt = clock.now();
    const { json } = await admin.send('/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication');
    const data = json?.['data'] as Record<string, string>;
    extension = await startExtensionServer({
      requestHeaderCa: data['requestheader-client-ca-file'] ?? '',
      serverName: 'metrics-server.kube-system.svc',
      answer: metricsApi,
    });
  });
  after(() => extension.close());

  const told = async (path: string, wanted: RegExp | undefined, headers = {}): Promise<void> => {
    const { text } = await admin.send(path, { headers });
    if (wanted) assert.match(text, wanted);
    else assert.doesNotMatch(text, /wheels|metrics\.k8s\.io/);
  };
  /** All the documents in which clients look. */
  const published = (group: string, resource: string, kind: RegExp): Promise<void> =>
    eventually(async () => {
      await told('/apis', new RegExp(group));
      await told('/apis', new RegExp(resource), aggregated);
      await told(`/apis/${group}`, new RegExp(resource));
      await told('/openapi/v2', kind);
      await told('/openapi/v3', new RegExp(`apis/${group}`));
      await told(`/openapi/v3/apis/${group}`, kind);
    });

  const columns = (description: string): object => ({
    schema: { openAPIV3Schema: { type: 'object', properties: { rim: { type: 'string', description } } } },
  });
  const version = (description: string): object => ({
    name: 'v1',
    served: true,
    storage: true,
    ...columns(description),
  });

  it('a custom resource appears in discovery and OpenAPI, changes there and disappears', async () => {
    const body = {
      metadata: { name: 'wheels.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'wheels', kind: 'Wheel' },
        versions: [version('the outer edge')],
      },
    };
    assert.equal((await admin.send(crds, { body })).code, 201);
    await published('example.com/v1', 'wheels', /the outer edge/);
    const path = `${crds}/wheels.example.com`;
    const headers = { 'content-type': 'application/merge-patch+json' };
    const changed = { spec: { versions: [version('what the tyre sits on')] } };
    assert.equal((await admin.send(path, { method: 'PATCH', headers, body: changed })).code, 200);
    await published('example.com/v1', 'wheels', /what the tyre sits on/);
    assert.equal((await admin.send(path, { method: 'DELETE' })).code, 200);
    await eventually(async () => {
      assert.equal((await admin.send(path)).code, 404);
      for (const document of ['/apis', '/openapi/v2', '/openapi/v3']) await told(document, undefined);
    });
    assert.equal(clock.now(), stoodAt);
  });

  it('a group of an extension server appears in discovery, is served, and disappears', async () => {
    const service = { metadata: { name: 'metrics-server' }, spec: { type: 'ExternalName', externalName: 'localhost' } };
    await admin.send('/api/v1/namespaces/kube-system/services', { body: service });
    const spec = {
      group: 'metrics.k8s.io',
      version: 'v1beta1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      caBundle: extension.caBundle,
      service: { namespace: 'kube-system', name: 'metrics-server', port: extension.port },
    };
    const path = '/apis/apiregistration.k8s.io/v1/apiservices';
    const made = await admin.send(path, { body: { metadata: { name: 'v1beta1.metrics.k8s.io' }, spec } });
    assert.equal(made.code, 201, made.text);
    await eventually(async () => {
      await told('/apis', /metrics\.k8s\.io/);
      await told('/apis', /nodes/, aggregated);
      await told('/apis/metrics.k8s.io/v1beta1', /nodes/);
      const { json } = await admin.send(`${path}/v1beta1.metrics.k8s.io`);
      const { conditions = [] } = (json?.['status'] ?? {}) as { conditions?: { type: string; status: string }[] };
      assert.equal(conditions.find(({ type }) => type === 'Available')?.status, 'True');
    });
    assert.equal((await admin.send(`${path}/v1beta1.metrics.k8s.io`, { method: 'DELETE' })).code, 200);
    await eventually(async () => {
      await told('/apis', undefined);
      await told('/apis', undefined, aggregated);
    });
    assert.equal(clock.now(), stoodAt);
  });
});
