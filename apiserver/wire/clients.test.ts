import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { ProtobufCodec } from '../protobuf/codec.js';
import { loadSchemas } from '../schema/schemas.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

const core = '/api/v1/namespaces/default';
const configMaps = `${core}/configmaps`;
const deployments = '/apis/apps/v1/namespaces/default/deployments';

interface Stored {
  kind: string;
  metadata: { name: string; resourceVersion: string; uid: string; generation?: number };
  data?: Record<string, string>;
  spec: { replicas: number; template: { spec: { containers: { name: string; args?: string[] }[] } } };
  items: Stored[];
}
const stored = (answer: RawAnswer): Stored => {
  assert.ok(answer.code < 300, answer.text);
  return answer.json as unknown as Stored;
};

describe('what stock clients rely on', () => {
  const { admin } = serverWorld();
  const patch = (path: string, type: string, body: object): Promise<RawAnswer> =>
    admin.send(path, { method: 'PATCH', body, headers: { 'content-type': `application/${type}` } });
  before(async () => {
    await admin.send(configMaps, { body: { metadata: { name: 'a' }, data: { k: 'v' } } });
    const template = {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'i', args: ['x', 'y'] }] },
    };
    const spec = { replicas: 1, selector: { matchLabels: { app: 'web' } }, template };
    stored(await admin.send(deployments, { body: { metadata: { name: 'web' }, spec } }));
  });

  it('list and watch of one object, as an informer of one asks for it', async () => {
    const list = stored(await admin.send(`${configMaps}?fieldSelector=metadata.name%3Da&limit=500&resourceVersion=0`));
    assert.deepEqual(
      list.items.map(({ metadata }) => metadata.name),
      ['a'],
    );
    assert.ok(Number(list.metadata.resourceVersion) > 0);
    const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=1&fieldSelector=metadata.name%3Da`;
    const from = `resourceVersion=${list.metadata.resourceVersion}`;
    const watch = admin.send(`${configMaps}?${query}&${from}`);
    await admin.send(configMaps, { body: { metadata: { name: 'noise' } } });
    const written = stored(await patch(`${configMaps}/a`, 'merge-patch+json', { data: { k: 'w' } }));
    const events = (await watch).text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; object: Stored });
    assert.deepEqual(
      events.map(({ type }) => type),
      ['MODIFIED', 'BOOKMARK'],
    );
    assert.deepEqual(events[0]?.object, written);
  });

  it('an empty list has a resourceVersion that is neither empty nor zero', async () => {
    const list = stored(await admin.send('/api/v1/namespaces/nowhere/pods?resourceVersion=0'));
    assert.deepEqual(list.items, []);
    assert.ok(Number(list.metadata.resourceVersion) > 0);
  });

  it('a hundred watches see the same changes in the same order', async () => {
    const { metadata } = stored(await admin.send(configMaps));
    const path = `${configMaps}?watch=true&timeoutSeconds=2&resourceVersion=${metadata.resourceVersion}`;
    const writes = Array.from({ length: 30 }, (_, i) =>
      admin.send(configMaps, { body: { metadata: { name: `many-${i}` } } }),
    );
    const watches = Array.from({ length: 100 }, () => admin.send(path));
    await Promise.all(writes);
    const texts = (await Promise.all(watches)).map(({ text }) => text);
    assert.equal(texts[0]?.trim().split('\n').length, 30);
    assert.equal(new Set(texts).size, 1);
    const lines = texts[0]?.trim().split('\n') ?? [];
    const later = lines.slice(0, -1).map(async (line, at) => {
      const { object } = JSON.parse(line) as { object: { metadata: { resourceVersion: string } } };
      const from = `timeoutSeconds=1&resourceVersion=${object.metadata.resourceVersion}`;
      const { text } = await admin.send(`${configMaps}?watch=true&${from}`);
      assert.deepEqual(text.trim().split('\n'), lines.slice(at + 1));
    });
    await Promise.all(later);
  });

  it('discovery, old and aggregated, with and without a slash', async () => {
    for (const path of ['/api', '/api/', '/apis', '/apis/', '/apis/apps', '/apis/apps/', '/apis/apps/v1', '/api/v1']) {
      assert.equal((await admin.send(path)).code, 200, path);
    }
    const apps = (await admin.send('/apis/apps')).json as unknown as {
      versions: { version: string }[];
      preferredVersion: { version: string };
    };
    assert.ok(apps.versions.some(({ version }) => version === apps.preferredVersion.version));
    const names = stored(await admin.send('/api/v1')) as unknown as { resources: { name: string; verbs: string[] }[] };
    for (const name of ['pods/status', 'pods/exec', 'pods/eviction', 'serviceaccounts/token', 'nodes/proxy'])
      assert.ok(
        names.resources.some((resource) => resource.name === name),
        name,
      );
    for (const version of ['v2', 'v2beta1']) {
      const accept = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`;
      const answer = await admin.send('/apis', { headers: { accept } });
      assert.equal(answer.json?.['apiVersion'], `apidiscovery.k8s.io/${version}`);
      assert.match(answer.headers['content-type'] ?? '', /as=APIGroupDiscoveryList/);
    }
  });

  it('OpenAPI: both forms of v2, the index of v3, and no second download', async () => {
    const protobuf = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const binary = await admin.send('/openapi/v2', { headers: { accept: protobuf } });
    assert.equal(binary.code, 200);
    assert.match(binary.headers['content-type'] ?? '', /protobuf/);
    const { code, headers, json } = await admin.send('/openapi/v2');
    assert.equal(code, 200);
    const again = await admin.send('/openapi/v2', { headers: { 'if-none-match': headers.etag ?? '' } });
    assert.equal(again.code, 304);
    const { paths } = json as unknown as { paths: Record<string, Record<string, { parameters: { name: string }[] }>> };
    const operation = paths['/api/v1/namespaces/{namespace}/configmaps/{name}']?.['patch'];
    assert.ok(operation?.parameters.some(({ name }) => name === 'dryRun'));
    assert.ok(operation !== undefined && 'x-kubernetes-group-version-kind' in operation);
    const index = (await admin.send('/openapi/v3')).json as unknown as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    const url = index.paths['apis/apps/v1']?.serverRelativeURL ?? '';
    assert.match(url, /^\/openapi\/v3\/apis\/apps\/v1\?hash=/);
    const document = await admin.send(url);
    assert.equal(document.code, 200);
    assert.match(document.headers['cache-control'] ?? '', /immutable/);
  });

  it('patches of objects, of status and of scale, each type', async () => {
    const path = `${deployments}/web`;
    const args = { spec: { template: { spec: { containers: [{ name: 'c', args: ['z'] }] } } } };
    const merged = stored(await patch(path, 'strategic-merge-patch+json', args));
    assert.deepEqual(
      merged.spec.template.spec.containers.map(({ name, args: found }) => [name, found]),
      [['c', ['z']]],
    );
    const scaled = stored(await patch(`${path}/scale`, 'strategic-merge-patch+json', { spec: { replicas: 3 } }));
    assert.deepEqual([scaled.kind, scaled.spec.replicas], ['Scale', 3]);
    stored(
      await patch(`${path}/status`, 'merge-patch+json', {
        status: { replicas: 3, readyReplicas: 2 },
        spec: { replicas: 9 },
      }),
    );
    const steps = [{ op: 'replace', path: '/spec/replicas', value: 4 }];
    assert.equal(stored(await patch(path, 'json-patch+json', steps)).spec.replicas, 4);
    const stale = await patch(path, 'merge-patch+json', { metadata: { resourceVersion: '1' }, spec: { replicas: 5 } });
    assert.deepEqual([stale.code, stale.json?.['reason']], [409, 'Conflict']);
    const replaced = { spec: { template: { spec: { containers: [{ name: 'other', image: 'i' }] } } } };
    const { containers } = stored(await patch(path, 'merge-patch+json', replaced)).spec.template.spec;
    assert.deepEqual(
      containers.map(({ name }) => name),
      ['other'],
    );
  });

  it('PUT without a resourceVersion overwrites, with an old one conflicts', async () => {
    const put = (metadata: object): Promise<RawAnswer> =>
      admin.send(`${configMaps}/a`, {
        method: 'PUT',
        body: { metadata: { name: 'a', ...metadata }, data: { p: '1' } },
      });
    assert.deepEqual(stored(await put({})).data, { p: '1' });
    assert.equal((await put({ resourceVersion: '1' })).json?.['reason'], 'Conflict');
    const twice = await admin.send(configMaps, { body: { metadata: { name: 'a' } } });
    assert.deepEqual([twice.code, twice.json?.['reason']], [409, 'AlreadyExists']);
  });

  it('objects in protobuf, from operators that send nothing else', async () => {
    const codec = new ProtobufCodec(loadSchemas());
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'leader', labels: { a: 'b' } },
      spec: { holderIdentity: 'me', leaseDurationSeconds: 15, renewTime: '2026-01-02T03:04:05.000006Z' },
    };
    const body = codec.encode(lease);
    const protobuf = 'application/vnd.kubernetes.protobuf';
    const headers = { 'content-type': protobuf, accept: `${protobuf},application/json` };
    const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    const made = await admin.send(leases, { method: 'POST', body, headers });
    assert.equal(made.headers['content-type'], protobuf);
    assert.deepEqual(codec.decode(made.bytes)['spec'], lease.spec);
  });

  it('a future resourceVersion is a Timeout, a generated name never collides', async () => {
    const future = await admin.send(`${configMaps}?resourceVersion=999999999`);
    assert.deepEqual([future.code, future.json?.['reason']], [504, 'Timeout']);
    const made = await Promise.all(
      Array.from({ length: 100 }, () => admin.send(configMaps, { body: { metadata: { generateName: 'gen-' } } })),
    );
    assert.equal(new Set(made.map((answer) => stored(answer).metadata.name)).size, 100);
  });

  it('events are one object in two views', async () => {
    const involvedObject = { kind: 'Pod', namespace: 'default', name: 'p', uid: 'u' };
    const body = {
      metadata: { name: 'e' },
      involvedObject,
      reason: 'Pulled',
      message: 'm',
      type: 'Normal',
      source: {},
    };
    const { metadata } = stored(await admin.send(`${core}/events`, { body }));
    const view = stored(await admin.send('/apis/events.k8s.io/v1/namespaces/default/events/e'));
    assert.equal(view.metadata.uid, metadata.uid);
    const { regarding, note } = view as unknown as { regarding: object; note: string };
    assert.deepEqual([regarding, note], [involvedObject, 'm']);
  });
});
