import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serverWorld } from '../testing/server-world.js';

/** What dashboards and alerts look at: the names, types and labels that the original promises to keep. */
const stable: readonly [name: string, type: string, labels: readonly string[]][] = [
  ['apiserver_admission_controller_admission_duration_seconds', 'histogram', ['name', 'operation', 'rejected', 'type']],
  ['apiserver_admission_step_admission_duration_seconds', 'histogram', ['operation', 'rejected', 'type']],
  ['apiserver_current_inflight_requests', 'gauge', ['request_kind']],
  [
    'apiserver_longrunning_requests',
    'gauge',
    ['component', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'],
  ],
  [
    'apiserver_request_duration_seconds',
    'histogram',
    ['component', 'dry_run', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'],
  ],
  [
    'apiserver_request_total',
    'counter',
    ['code', 'component', 'dry_run', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'],
  ],
  ['apiserver_requested_deprecated_apis', 'gauge', ['group', 'removed_release', 'resource', 'subresource', 'version']],
  [
    'apiserver_response_sizes',
    'histogram',
    ['component', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'],
  ],
  ['apiserver_storage_objects', 'gauge', ['resource']],
  ['kubernetes_healthcheck', 'gauge', ['name', 'type']],
  ['kubernetes_healthchecks_total', 'counter', ['name', 'status', 'type']],
];

describe('metrics', () => {
  const { admin } = serverWorld();
  const configMaps = '/api/v1/namespaces/default/configmaps';
  const lines = async (): Promise<string[]> => (await admin.send('/metrics')).text.split('\n');
  const labelsOf = (line: string): string[] =>
    [...line.matchAll(/[{,](\w+)="/g)].map(([, name = '']) => name).filter((name) => name !== 'le');

  it('have the names, types and labels that the original calls stable', async () => {
    await admin.send(configMaps, { body: { metadata: { name: 'a' } } });
    await admin.send(configMaps);
    await admin.send('/readyz');
    await admin.send(`${configMaps}?watch=1&timeoutSeconds=1`);
    await admin.send('/apis/policy/v1beta1/poddisruptionbudgets');
    const shown = await lines();
    for (const [name, type, labels] of stable) {
      assert.ok(shown.includes(`# TYPE ${name} ${type}`), name);
      const suffix = type === 'histogram' ? '_bucket' : '';
      const line = shown.find((one) => one.startsWith(`${name}${suffix}{`));
      assert.deepEqual(labelsOf(line ?? '').sort(), [...labels].sort(), name);
    }
  });

  it('tell a dry run from a write, how long answers are, and what is on its way out', async () => {
    await admin.send(`${configMaps}?dryRun=All`, { body: { metadata: { name: 'b' } } });
    const { text } = await admin.send(`${configMaps}/a`);
    await admin.send('/apis/policy/v1beta1/namespaces/default/poddisruptionbudgets');
    const shown = await lines();
    const of = (name: string, ...parts: string[]): string | undefined =>
      shown.find((one) => one.startsWith(name) && parts.every((part) => one.includes(part)));
    assert.ok(of('apiserver_request_total', 'verb="POST"', 'dry_run="All"', 'code="201"', 'resource="configmaps"'));
    const get = ['verb="GET"', 'resource="configmaps"', 'scope="resource"'];
    assert.equal(of('apiserver_response_sizes_sum', ...get)?.split(' ')[1], String(text.length));
    const deprecated = ['group="policy"', 'version="v1beta1"', 'removed_release="1.25"'];
    assert.ok(of('apiserver_requested_deprecated_apis', ...deprecated)?.endsWith(' 1'));
    assert.ok(of('apiserver_storage_objects{resource="configmaps"}'));
    assert.ok(of('apiserver_resource_objects{group="apps",resource="deployments"} 0'));
  });

  it('tell how long each admission plugin took, and whether it refused', async () => {
    const { code } = await admin.send('/api/v1/namespaces/none/configmaps', { body: { metadata: { name: 'a' } } });
    assert.equal(code, 404);
    const shown = (await lines()).filter((one) => one.startsWith('apiserver_admission_controller_admission'));
    const counted = (labels: string): number =>
      Number(shown.find((one) => one.includes(`_count{${labels}}`))?.split(' ')[1] ?? 0);
    assert.ok(counted('name="NamespaceLifecycle",operation="CREATE",rejected="true",type="admit"') >= 1);
    assert.ok(counted('name="LimitRanger",operation="CREATE",rejected="false",type="admit"') >= 1);
  });
});
