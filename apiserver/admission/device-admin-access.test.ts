import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

describe('admin access to devices', () => {
  const { admin } = serverWorld();
  before(async () => {
    const labels = { 'resource.kubernetes.io/admin-access': 'true' };
    await admin.send('/api/v1/namespaces', { body: { metadata: { name: 'admins', labels } } });
  });

  const exactly = { deviceClassName: 'gpu', adminAccess: true };
  const devices = {
    requests: [
      { name: 'a', exactly: { deviceClassName: 'gpu' } },
      { name: 'b', exactly },
    ],
  };
  const claim = { spec: { devices } };
  const collection = (namespace: string, kind: string, version = 'v1'): string =>
    `/apis/resource.k8s.io/${version}/namespaces/${namespace}/${kind}`;
  const why = (path: string): string =>
    `${path}: Forbidden: admin access to devices requires the \`resource.kubernetes.io/admin-access: true\` label on the containing namespace`;

  it('is given where the namespace has the label for it', async () => {
    const bodies = {
      resourceclaims: { metadata: { name: 'c' }, ...claim },
      resourceclaimtemplates: { metadata: { name: 'c' }, spec: claim },
    };
    for (const [kind, body] of Object.entries(bodies)) {
      const refused = await admin.send(collection('default', kind), { body });
      assert.equal(refused.code, 422);
      assert.ok(String(refused.json?.['message']).endsWith(why('spec.devices.requests[1].adminAccess')), refused.text);
      assert.equal((await admin.send(collection('admins', kind), { body })).code, 201);
    }
    const flat = { spec: { devices: { requests: [{ name: 'a', ...exactly }] } } };
    const body = { metadata: { name: 'old' }, ...flat };
    assert.equal((await admin.send(collection('default', 'resourceclaims', 'v1beta1'), { body })).code, 422);
  });

  it('is granted in a status only there, and stays granted', async () => {
    const plain = { spec: { devices: { requests: [{ name: 'a', exactly: { deviceClassName: 'gpu' } }] } } };
    const result = { request: 'a', driver: 'example.com', pool: 'p', device: 'd', adminAccess: true };
    const allocation = { devices: { results: [result] } };
    const grant = async (namespace: string, name: string): Promise<RawAnswer> => {
      const path = `${collection(namespace, 'resourceclaims')}/${name}`;
      const { json } = await admin.send(path);
      return admin.send(`${path}/status`, { method: 'PUT', body: { ...json, status: { allocation } } });
    };
    for (const namespace of ['default', 'admins']) {
      await admin.send(collection(namespace, 'resourceclaims'), { body: { metadata: { name: 'p' }, ...plain } });
    }
    const refused = await grant('default', 'p');
    assert.equal(refused.code, 422);
    assert.ok(String(refused.json?.['message']).endsWith(why('status.allocation.devices.results[0].adminAccess')));
    assert.equal((await grant('admins', 'p')).code, 200);
    await admin.send('/api/v1/namespaces/admins', {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { metadata: { labels: null } },
    });
    assert.equal((await grant('admins', 'p')).code, 200);
  });
});
