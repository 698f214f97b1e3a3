import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { before, describe, it } from 'node:test';
import type { JsonObject } from '../../shared/api/json.js';
import { ProtobufCodec } from '../protobuf/codec.js';
import { readFields } from '../protobuf/reader.js';
import { readGolden } from '../protobuf/testing/golden.js';
import { loadSchemas } from '../schema/schemas.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

const protobuf = 'application/vnd.kubernetes.protobuf';
const core = '/api/v1/namespaces/default';
const maps = `${core}/configmaps`;

interface Meta {
  metadata: {
    name: string;
    resourceVersion: string;
    continue?: string;
    remainingItemCount?: number;
    annotations?: object;
  };
}
type Named = JsonObject & Meta;

/** Events of a watch: four bytes of length each, then a WatchEvent around an object in its envelope. */
function eventsOf(bytes: Buffer): { type: string; object: Buffer }[] {
  const events = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    const [type, raw] = [...readFields(bytes.subarray(at + 4, end))];
    const [object] = [...readFields(raw?.bytes ?? new Uint8Array())];
    events.push({ type: Buffer.from(type?.bytes ?? []).toString(), object: Buffer.from(object?.bytes ?? []) });
    at = end;
  }
  return events;
}

/** Everything of `wanted` is in `found`. */
function assertContains(found: unknown, wanted: unknown, path: string): void {
  if (typeof wanted !== 'object' || wanted === null) return assert.deepEqual(found, wanted, path);
  for (const [key, value] of Object.entries(wanted))
    assertContains((found as Readonly<Record<string, unknown>> | undefined)?.[key], value, `${path}.${key}`);
}

describe('answers in protobuf', () => {
  const codec = new ProtobufCodec(loadSchemas());
  const decode = (bytes: Uint8Array): Named => codec.decode(bytes) as Named;
  const { admin } = serverWorld();
  const get = (path: string, accept = protobuf): Promise<RawAnswer> => admin.send(path, { headers: { accept } });
  const send = (path: string, method: string, body: object | undefined, accept = protobuf): Promise<RawAnswer> => {
    const bytes = body && codec.encode(body as JsonObject);
    return admin.send(path, { method, body: bytes, headers: { accept, 'content-type': protobuf } });
  };
  before(async () => {
    for (const name of ['a', 'b', 'c']) {
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { in: name } }, data: { k: name } };
      assert.equal((await send(maps, 'POST', body)).code, 201);
    }
  });

  it('of one object are what its JSON says, also for a generic decoder', async () => {
    const answer = await get(`${maps}/a`, `${protobuf}, */*`);
    assert.deepEqual([answer.code, answer.headers['content-type']], [200, protobuf]);
    assert.deepEqual(decode(answer.bytes), (await get(`${maps}/a`, 'application/json')).json);
    const { stdout, status } = spawnSync('protoc', ['--decode_raw'], { input: answer.bytes.subarray(4) });
    assert.equal(status, 0);
    const [, typeMeta, name] = /^1 \{\n([^}]*)\}\n2 \{\n {2}1 \{\n {4}1: "(\w+)"/.exec(stdout.toString()) ?? [];
    assert.equal(typeMeta, '  1: "v1"\n  2: "ConfigMap"\n');
    assert.equal(name, 'a');
  });

  it('follow the order and the weights of the Accept header', async () => {
    const typeFor = async (accept: string, path = `${maps}/a`): Promise<string | undefined> =>
      (await get(path, accept)).headers['content-type'];
    assert.equal(await typeFor(`application/json, ${protobuf}`), 'application/json');
    assert.equal(await typeFor(`application/json;q=0.5, ${protobuf};q=0.9`), protobuf);
    assert.equal(await typeFor(`${protobuf};as=Table;v=v1;g=meta.k8s.io, application/json`), 'application/json');
    const refused = await get(`${maps}/a`, 'application/cbor');
    assert.match(String(refused.json?.['message']), /application\/json, application\/yaml, .*protobuf$/);
  });

  it('of lists hold the messages of the items, page by page, and compress', async () => {
    const list = decode((await get(maps)).bytes) as Named & { items: Named[] };
    const json = (await get(maps, 'application/json')).json as unknown as Named & { items: Named[] };
    assert.deepEqual(list, json);
    const page = decode((await get(`${maps}?limit=1`)).bytes);
    assert.ok((page.metadata.remainingItemCount ?? 0) >= 2);
    const rest = decode((await get(`${maps}?continue=${page.metadata.continue}`)).bytes) as Named & { items: Named[] };
    assert.deepEqual(rest.items, json.items.slice(1));
    const names = (await get(`${maps}?labelSelector=in%3Db`)).bytes;
    assert.deepEqual(
      (decode(names)['items'] as Named[]).map(({ metadata }) => metadata.name),
      ['b'],
    );
    const older = decode((await get('/apis/discovery.k8s.io/v1beta1/endpointslices')).bytes);
    assert.equal(older['kind'], 'EndpointSliceList');
  });

  it('of big lists come in pieces that make a whole', async () => {
    for (let i = 0; i < 8; i++) {
      const body = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: `big-${i}` },
        stringData: { k: 'x'.repeat(100_000) },
      };
      assert.equal((await send(`${core}/secrets`, 'POST', body, 'application/json')).code, 201);
    }
    const answer = await get(`${core}/secrets`);
    assert.equal(Number(answer.headers['content-length']), answer.bytes.length);
    assert.ok(answer.bytes.length > 800_000);
    assert.deepEqual(decode(answer.bytes), (await get(`${core}/secrets`, 'application/json')).json);
  });

  it('of watches are frames around the object that the write returned; bookmarks and errors are too', async () => {
    const { resourceVersion } = decode((await get(maps)).bytes).metadata;
    const query = `watch=true&timeoutSeconds=1&allowWatchBookmarks=true&labelSelector=in%3Dd`;
    const watch = get(`${maps}?${query}&resourceVersion=${resourceVersion}`);
    const made = await send(maps, 'POST', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'd', labels: { in: 'd' } },
    });
    const left = await admin.send(`${maps}/d`, {
      method: 'PATCH',
      body: { metadata: { labels: { in: 'x' } } },
      headers: { accept: protobuf, 'content-type': 'application/merge-patch+json' },
    });
    const answer = await watch;
    assert.equal(answer.headers['content-type'], `${protobuf};stream=watch`);
    const [added, deleted, bookmark, ...more] = eventsOf(answer.bytes);
    assert.deepEqual([added?.type, deleted?.type, bookmark?.type, more.length], ['ADDED', 'DELETED', 'BOOKMARK', 0]);
    assert.deepEqual(added?.object, made.bytes);
    const revision = decode(left.bytes).metadata.resourceVersion;
    assert.equal(decode(deleted?.object ?? Buffer.alloc(0)).metadata.resourceVersion, revision);
    const mark = decode(bookmark?.object ?? Buffer.alloc(0));
    assert.deepEqual([mark['kind'], mark.metadata.resourceVersion], ['ConfigMap', revision]);
    const initial = `watch=true&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`;
    const events = eventsOf((await get(`${maps}?${initial}`)).bytes);
    const end = events.map(({ object }) => decode(object)).find(({ metadata }) => metadata.annotations);
    assert.deepEqual(end?.metadata.annotations, { 'k8s.io/initial-events-end': 'true' });
  });

  it('of metadata only exist for every kind, custom resources too, which have no other', async () => {
    const as = (kind: string, version = 'v1'): string => `${protobuf};as=${kind};g=meta.k8s.io;v=${version}`;
    const one = await get(`${maps}/a`, `${as('PartialObjectMetadata')},application/json`);
    assert.equal(one.headers['content-type'], protobuf);
    const text = (bytes: Buffer): string => bytes.toString('latin1');
    assert.match(text(one.bytes), /^k8s\0\n.\n.meta\.k8s\.io\/v1/s);
    assert.match(text(one.bytes), /PartialObjectMetadata(?!List)/);
    const list = await get(maps, as('PartialObjectMetadataList'));
    assert.match(text(list.bytes), /PartialObjectMetadataList/);
    const watch = await get(`${maps}?watch=true&timeoutSeconds=1`, as('PartialObjectMetadata'));
    assert.ok(eventsOf(watch.bytes).every(({ object }) => text(object).includes('PartialObjectMetadata')));
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'boxes.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'boxes', singular: 'box', kind: 'Box', listKind: 'BoxList' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    };
    const made = await send('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', 'POST', definition);
    assert.equal(made.code, 201, made.text);
    assert.deepEqual((decode(made.bytes)['spec'] as JsonObject)['versions'], definition.spec.versions);
    const boxes = '/apis/example.com/v1/namespaces/default/boxes';
    const body = { apiVersion: 'example.com/v1', kind: 'Box', metadata: { name: 'x' } };
    for (let i = 0; (await admin.send(boxes, { body })).code !== 201; i++)
      assert.ok(i < 200, 'the definition is not served');
    assert.equal((await get(`${boxes}/x`)).code, 406);
    assert.equal((await get(`${boxes}/x`, `${protobuf},application/json`)).headers['content-type'], 'application/json');
    assert.equal((await get(`${boxes}/x`, as('PartialObjectMetadata'))).headers['content-type'], protobuf);
  });

  it('are given by subresources, reviews, deletes, refusals and discovery', async () => {
    const missing = await get(`${maps}/none`);
    const status = decode(missing.bytes);
    assert.deepEqual(
      [missing.code, status['kind'], status['reason'], status['code']],
      [404, 'Status', 'NotFound', 404],
    );
    assert.deepEqual(status['details'], { name: 'none', kind: 'configmaps' });
    const invalid = await send(maps, 'POST', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'A_' } });
    const { causes } = decode(invalid.bytes)['details'] as { causes: JsonObject[] };
    assert.deepEqual([causes[0]?.['reason'], causes[0]?.['field']], ['FieldValueInvalid', 'metadata.name']);
    const account = await send(`${core}/serviceaccounts`, 'POST', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 's' },
    });
    assert.equal(account.code, 201);
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } };
    const token = decode((await send(`${core}/serviceaccounts/s/token`, 'POST', request)).bytes);
    assert.ok((token['status'] as JsonObject)['token']);
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const set = { metadata: { name: 'r' }, spec: { replicas: 2, selector: { matchLabels: { a: 'b' } }, template } };
    const sets = '/apis/apps/v1/namespaces/default/replicasets';
    assert.equal((await send(sets, 'POST', { apiVersion: 'apps/v1', kind: 'ReplicaSet', ...set })).code, 201);
    const scale = decode((await get(`${sets}/r/scale`)).bytes);
    assert.deepEqual([scale['kind'], (scale['spec'] as JsonObject)['replicas']], ['Scale', 2]);
    const kind = 'SelfSubjectAccessReview';
    const ask = {
      apiVersion: 'authorization.k8s.io/v1',
      kind,
      spec: { resourceAttributes: { verb: 'get', resource: 'pods' } },
    };
    const review = decode((await send('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 'POST', ask)).bytes);
    assert.equal((review['status'] as JsonObject)['allowed'], true);
    const deleted = decode((await send(`${maps}/c`, 'DELETE', undefined)).bytes);
    assert.deepEqual([deleted['kind'], deleted['status']], ['Status', 'Success']);
    for (const [path, found] of Object.entries({
      '/api': 'APIVersions',
      '/apis': 'APIGroupList',
      '/apis/apps': 'APIGroup',
      '/apis/apps/v1': 'APIResourceList',
    })) {
      const document = await get(path);
      assert.equal(document.headers['content-type'], protobuf, path);
      const { apiVersion: _, ...json } = (await get(path, 'application/json')).json ?? {};
      assert.deepEqual(decode(document.bytes), { ...json, apiVersion: 'v1', kind: found });
    }
    assert.equal((await get('/version')).headers['content-type'], 'application/json');
  });

  it('are of what programs in Go send: each field arrives, and none that was not set', async () => {
    const paths: Readonly<Record<string, string>> = {
      Pod: `${core}/pods`,
      Deployment: '/apis/apps/v1/namespaces/default/deployments',
      Service: `${core}/services`,
      Node: '/api/v1/nodes',
      Event: `${core}/events`,
      Secret: `${core}/secrets`,
    };
    for (const [kind, { object, asOfGo }] of readGolden()) {
      const headers = { accept: protobuf, 'content-type': protobuf };
      const answer = await admin.send(paths[kind] ?? '', { method: 'POST', body: asOfGo, headers });
      assert.equal(answer.code, 201, `${kind}: ${answer.text}`);
      const { metadata, ...made } = decode(answer.bytes);
      const { metadata: sent, status: _, ...rest } = object as Named;
      assert.equal(metadata.name, sent.name);
      // The server adds what is not set; what is set stays.
      for (const [field, value] of Object.entries(rest)) assertContains(made[field], value, `${kind}.${field}`);
    }
  });

  it('are not given where the body is CBOR: it is refused', async () => {
    const headers = { 'content-type': 'application/cbor' };
    assert.equal((await admin.send(maps, { body: Buffer.from('d9d9f7a0', 'hex'), headers })).code, 415);
    // Before anything is said of options that go with a form that is known.
    const apply = { 'content-type': 'application/apply-patch+cbor' };
    const patch = { method: 'PATCH', body: Buffer.from('d9d9f7a0', 'hex'), headers: apply };
    assert.equal((await admin.send(`${maps}/a?force=false&fieldManager=me`, patch)).code, 415);
  });
});
