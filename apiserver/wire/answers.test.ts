import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { readManifests } from '../../shared/manifest/manifest.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

const core = '/api/v1/namespaces/default';
const yaml = { headers: { accept: 'application/yaml' } };
const parsed = (answer: RawAnswer): unknown => readManifests(answer.text)[0]?.value;

describe('the forms of answers', () => {
  const { admin } = serverWorld();
  const create = (resource: string, body: object): Promise<RawAnswer> => admin.send(`${core}/${resource}`, { body });
  before(async () => {
    await create('configmaps', { metadata: { name: 'a', labels: { say: 'yes' } }, data: { mode: '0644', no: 'no' } });
  });

  it('are YAML for those who ask for YAML: objects, lists, writes, refusals, discovery', async () => {
    const path = `${core}/configmaps/a`;
    const json = (await admin.send(path)).json;
    const one = await admin.send(path, yaml);
    assert.equal(one.headers['content-type'], 'application/yaml');
    assert.ok(one.text.startsWith('apiVersion: v1\n'), one.text);
    assert.deepEqual(parsed(one), json);
    const list = parsed(await admin.send(`${core}/configmaps`, yaml)) as { kind: string; items: unknown[] };
    assert.equal(list.kind, 'ConfigMapList');
    const { kind: _, apiVersion: __, ...item } = json ?? {};
    assert.deepEqual(list.items, [item]);
    const patch = { method: 'PATCH', body: { data: { k: 'v' } } };
    const headers = { ...yaml.headers, 'content-type': 'application/merge-patch+json' };
    const written = parsed(await admin.send(`${path}?dryRun=All`, { ...patch, headers }));
    assert.equal((written as { data: { k: string } }).data.k, 'v');
    const missing = await admin.send(`${core}/configmaps/none`, yaml);
    assert.equal(missing.code, 404);
    assert.equal((parsed(missing) as { reason: string }).reason, 'NotFound');
    assert.equal((parsed(await admin.send('/apis', yaml)) as { kind: string }).kind, 'APIGroupList');
  });

  it('are JSON in the name of YAML where laying them out would take long', async () => {
    await create('configmaps', { metadata: { name: 'big' }, data: { k: 'x'.repeat(100_000) } });
    const answer = await admin.send(`${core}/configmaps/big`, yaml);
    assert.equal(answer.headers['content-type'], 'application/yaml');
    assert.equal((answer.json as { metadata: { name: string } }).metadata.name, 'big');
    await admin.send(`${core}/configmaps/big`, { method: 'DELETE' });
  });

  it('are refused with 406 where there is none: CBOR, YAML of a watch, a Table of a review or in protobuf', async () => {
    const accept = async (path: string, type: string, body?: object): Promise<[number, unknown]> => {
      const answer = await admin.send(path, { headers: { accept: type }, ...(body ? { body } : {}) });
      return [answer.code, answer.json?.['reason']];
    };
    const refused = [406, 'NotAcceptable'];
    assert.deepEqual(await accept(`${core}/configmaps/a`, 'application/cbor'), refused);
    assert.equal((await accept(`${core}/configmaps/a`, 'application/cbor,application/json'))[0], 200);
    const tableInProtobuf = 'application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io';
    assert.deepEqual(await accept(`${core}/configmaps/a`, tableInProtobuf), refused);
    assert.equal((await admin.send(`${core}/configmaps?watch=true`, yaml)).code, 406);
    const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const review = { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } };
    const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    assert.deepEqual(await accept(reviews, table, review), refused);
  });

  it('of a delete are the object or a Status, kind by kind', async () => {
    const containers = [{ name: 'c', image: 'i' }];
    const bodies: Record<string, [object, string]> = {
      pods: [{ spec: { containers } }, 'Pod'],
      services: [{ spec: { ports: [{ port: 80 }] } }, 'Service'],
      serviceaccounts: [{}, 'ServiceAccount'],
      configmaps: [{}, 'Status'],
      secrets: [{}, 'Status'],
    };
    for (const [resource, [body, kind]] of Object.entries(bodies)) {
      const made = await create(resource, { metadata: { name: 'gone' }, ...body });
      assert.equal(made.code, 201, made.text);
      const answer = await admin.send(`${core}/${resource}/gone`, { method: 'DELETE' });
      assert.equal(answer.code, 200);
      assert.equal(answer.json?.['kind'], kind, resource);
      const { uid } = (made.json as { metadata: { uid: string } }).metadata;
      if (kind !== 'Status') assert.equal((answer.json as { metadata: { uid: string } }).metadata.uid, uid);
      else assert.deepEqual(answer.json?.['details'], { name: 'gone', kind: resource, uid });
    }
  });
});
