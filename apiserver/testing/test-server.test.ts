import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { configmaps, deployments, namespaces, pods } from '../../shared/api/generated/resources.js';
import { systemClock } from '../../shared/clock/clock.js';
import { eventually } from '../../shared/clock/eventually.js';
import { clientFromKubeconfig } from '../../shared/client/connect.js';
import type { Client } from '../../shared/client/client.js';
import { isAlreadyExists, isConflict, isNotFound } from '../../shared/errors/status-error.js';
import { startTestServer, type TestServer } from './test-server.js';

describe('the API server over TLS', () => {
  let server: TestServer;
  let client: Client & { close(): void };
  before(async () => {
    server = await startTestServer();
    client = await clientFromKubeconfig(server.kubeconfigPath, { clock: systemClock });
  });
  after(async () => {
    client.close();
    await server.close();
  });

  it('has the namespaces of every cluster', async () => {
    const { items } = await client.list(namespaces);
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['default', 'kube-node-lease', 'kube-public', 'kube-system'],
    );
  });

  it('creates, reads, updates, patches, lists and deletes an object', async () => {
    const created = await client.create(configmaps, {
      metadata: { name: 'a', namespace: 'default' },
      data: { x: '1' },
    });
    assert.match(created.metadata.uid, /^[0-9a-f-]{36}$/);
    await assert.rejects(
      client.create(configmaps, { metadata: { name: 'a', namespace: 'default' } }),
      (error: Error) => isAlreadyExists(error) && error.message === 'configmaps "a" already exists',
    );
    const updated = await client.update(configmaps, { ...created, data: { x: '2' } });
    assert.notEqual(updated.metadata.resourceVersion, created.metadata.resourceVersion);
    await assert.rejects(client.update(configmaps, { ...created, data: { x: '3' } }), isConflict);
    const patched = await client.patch(configmaps, 'a', 'default', 'merge', { data: { y: '3' } });
    assert.deepEqual(patched.data, { x: '2', y: '3' });
    const list = await client.list(configmaps, { namespace: 'default' });
    assert.deepEqual(list.items, [patched]);
    await client.delete(configmaps, 'a', 'default');
    await assert.rejects(
      client.get(configmaps, 'a', 'default'),
      (error: Error) => isNotFound(error) && error.message === 'configmaps "a" not found',
    );
  });

  it('streams what happens to a watch', async () => {
    const abort = new AbortController();
    const seen: string[] = [];
    const { metadata } = await client.list(pods);
    const watching = (async () => {
      const options = { resourceVersion: metadata.resourceVersion, signal: abort.signal };
      for await (const event of client.watch(pods, options)) seen.push(event.type);
    })();
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    await client.create(pods, { metadata: { name: 'w', namespace: 'default' }, spec });
    await client.patch(pods, 'w', 'default', 'strategic', { metadata: { labels: { a: 'b' } } });
    await client.delete(pods, 'w', 'default', { gracePeriodSeconds: 0 });
    await eventually(() => assert.deepEqual(seen, ['ADDED', 'MODIFIED', 'DELETED']));
    abort.abort();
    await assert.rejects(watching, { name: 'AbortError' });
  });

  it('counts generations and serves status apart', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template };
    const created = await client.create(deployments, { metadata: { name: 'd', namespace: 'default' }, spec });
    assert.equal(created.metadata.generation, 1);
    const scaled = await client.patch(deployments, 'd', 'default', 'merge', {
      spec: { replicas: 2 },
      status: { replicas: 9 },
    });
    assert.equal(scaled.metadata.generation, 2);
    assert.equal(scaled.status?.replicas, undefined);
    const reported = await client.updateStatus(deployments, { ...scaled, status: { replicas: 2 } });
    assert.equal(reported.metadata.generation, 2);
    assert.equal(reported.status?.replicas, 2);
  });

  it('refuses whom nobody has given a right', async () => {
    const path = await server.kubeconfigFor('somebody');
    const stranger = await clientFromKubeconfig(path, { clock: systemClock });
    await assert.rejects(stranger.list(pods, { namespace: 'default' }), {
      message:
        'pods is forbidden: User "somebody" cannot list resource "pods" in API group "" in the namespace "default"',
    });
    stranger.close();
  });
});
