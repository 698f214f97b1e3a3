import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

type Json = Record<string, unknown>;

const { admin: client } = serverWorld();

const path = (version: string): string => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;

const scaler = (version: string, spec: Json): Json => ({
  apiVersion: `autoscaling/${version}`,
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'a' },
  spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, ...spec },
});
const cpu = (averageUtilization: number): Json => ({
  metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }],
});

const apply = (version: string, manager: string, body: Json, more = ''): Promise<RawAnswer> =>
  client.send(`${path(version)}/a?fieldManager=${manager}${more}`, {
    method: 'PATCH',
    body,
    headers: { 'content-type': 'application/apply-patch+yaml' },
  });

function ownersOf({ json, text }: RawAnswer): unknown {
  assert.ok(json?.['metadata'], text);
  const { managedFields } = json['metadata'] as { managedFields: Json[] };
  // Entries stand in the order of their seconds.
  return managedFields
    .map(({ manager, apiVersion, fieldsV1 }) => [
      String(manager as string),
      apiVersion,
      Object.keys((fieldsV1 as Json)['f:spec'] as Json).sort(),
    ])
    .sort(([a], [b]) => String(a as string).localeCompare(String(b as string)));
}

describe('fields that are owned by their names in several versions', () => {
  it('conflict, and change hands, whatever the version of the one who changes them', async () => {
    const made = await apply('v1', 'old', scaler('v1', { targetCPUUtilizationPercentage: 50 }));
    assert.equal(made.code, 201, made.text);
    const same = await apply('v2', 'new', scaler('v2', cpu(50)));
    assert.equal(same.code, 200, same.text);
    const conflict = await apply('v2', 'new', scaler('v2', cpu(80)));
    assert.equal(
      conflict.json?.['message'],
      'Apply failed with 1 conflict: conflict with "old": .spec.targetCPUUtilizationPercentage',
    );
    const forced = await apply('v2', 'new', scaler('v2', cpu(80)), '&force=true');
    assert.deepEqual(ownersOf(forced), [
      ['new', 'autoscaling/v2', ['f:maxReplicas', 'f:metrics', 'f:scaleTargetRef']],
      ['old', 'autoscaling/v1', ['f:maxReplicas', 'f:scaleTargetRef']],
    ]);
  });

  it('of a version that is gone are owned by nobody', async () => {
    const { json } = await client.send(`${path('v2')}/a`);
    const { metadata } = json as { metadata: { managedFields: Json[] } };
    const managedFields = metadata.managedFields.map((entry) => ({ ...entry, apiVersion: 'autoscaling/v9' }));
    const body = { ...json, metadata: { ...metadata, managedFields }, spec: scaler('v2', cpu(90))['spec'] };
    const put = await client.send(`${path('v2')}/a?fieldManager=me`, { method: 'PUT', body });
    assert.deepEqual(ownersOf(put), [['me', 'autoscaling/v2', ['f:metrics']]]);
  });
});
