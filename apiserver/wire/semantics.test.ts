import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { gunzipSync } from 'node:zlib';
import { before, describe, it } from 'node:test';
import { createSigningRequest } from '../../shared/pki/certificate.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

const core = '/api/v1/namespaces/default';
const maps = `${core}/configmaps`;

interface Cause {
  reason: string;
  field: string;
  message: string;
}

describe('on the wire', () => {
  const world = serverWorld();
  const { admin } = world;
  before(async () => {
    await admin.send(maps, { body: { metadata: { name: 'a' }, data: { k: 'v' } } });
  });
  const told = ({ code, json }: RawAnswer): [number, unknown, unknown] => [code, json?.['reason'], json?.['message']];
  const causes = ({ json }: RawAnswer): Cause[] =>
    (json?.['details'] as { causes?: Cause[] } | undefined)?.causes ?? [];
  const patch = (path: string, type: string, body: object): Promise<RawAnswer> =>
    admin.send(path, { method: 'PATCH', body, headers: { 'content-type': `application/${type}` } });

  it('who reads or writes Endpoints is told of EndpointSlices', async () => {
    const warning = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"';
    const made = await admin.send(`${core}/endpoints`, { body: { metadata: { name: 'old' } } });
    assert.deepEqual([made.code, made.headers['warning']], [201, warning]);
    assert.equal((await admin.send('/api/v1/endpoints')).headers['warning'], warning);
    assert.equal((await admin.send('/apis/discovery.k8s.io/v1/endpointslices')).headers['warning'], undefined);
  });

  it('a node comes with the state that its kubelet knows, other kinds come without', async () => {
    const status = { capacity: { cpu: '4' }, conditions: [{ type: 'Ready', status: 'True' }] };
    const node = (await admin.send('/api/v1/nodes', { body: { metadata: { name: 'n' }, status } })).json;
    assert.deepEqual(node?.['status'], { ...status, allocatable: { cpu: '4' } });
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    const pod = await admin.send(`${core}/pods`, {
      body: { metadata: { name: 'p' }, spec, status: { podIP: '1.2.3.4' } },
    });
    assert.equal((pod.json?.['status'] as { podIP?: string } | undefined)?.podIP, undefined);
  });

  it('an apply names its manager, and nothing else takes fields by force', async () => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ssa' } };
    const nobody = await patch(`${maps}/ssa`, 'apply-patch+yaml', config);
    assert.deepEqual(told(nobody), [
      422,
      'Invalid',
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    ]);
    const forced = await patch(`${maps}/a?force=true`, 'merge-patch+json', {});
    assert.deepEqual(causes(forced), [
      { reason: 'FieldValueForbidden', field: 'force', message: 'Forbidden: may not be specified for non-apply patch' },
    ]);
    const odd = await patch(`${maps}/a?fieldManager=a%07`, 'merge-patch+json', {});
    assert.match(String(odd.json?.['message']), /invalid character U\+0007 \(at position 1\)/);
    const long = await patch(`${maps}/a?fieldManager=${'x'.repeat(129)}`, 'merge-patch+json', {});
    assert.deepEqual(
      causes(long).map(({ reason }) => reason),
      ['FieldValueTooLong'],
    );
  });

  it('what stays as it was made says so, and what does not exist cannot be selected by', async () => {
    await admin.send(maps, { body: { metadata: { name: 'fixed' }, immutable: true, data: { k: 'v' } } });
    const change = await patch(`${maps}/fixed`, 'merge-patch+json', { data: { k: 'w' } });
    assert.deepEqual(told(change).slice(0, 2), [422, 'Invalid']);
    assert.deepEqual(
      causes(change).map(({ field, reason }) => [field, reason]),
      [['data', 'FieldValueForbidden']],
    );
    const plain = await admin.send(`${maps}?fieldSelector=data.k%3Dv`);
    assert.equal(
      plain.json?.['message'],
      '"data.k" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
    const pods = await admin.send(`${core}/pods?fieldSelector=spec.foo%3Dv`);
    assert.equal(pods.json?.['message'], 'field label not supported: spec.foo');
    const classes = await admin.send('/apis/storage.k8s.io/v1/storageclasses?fieldSelector=metadata.namespace%3D');
    assert.equal(classes.code, 200);
  });

  it('a resourceVersion in a patch of any type is a precondition: Conflict, which is not AlreadyExists nor Invalid', async () => {
    const stale = { metadata: { resourceVersion: '1' } };
    for (const type of ['merge-patch+json', 'strategic-merge-patch+json']) {
      assert.deepEqual(told(await patch(`${maps}/a`, type, stale)).slice(0, 2), [409, 'Conflict'], type);
    }
    const replace = [{ op: 'replace', path: '/metadata/resourceVersion', value: '1' }];
    assert.deepEqual(told(await patch(`${maps}/a`, 'json-patch+json', replace)).slice(0, 2), [409, 'Conflict']);
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', resourceVersion: '1' }, data: {} };
    const applied = await patch(`${maps}/a?fieldManager=m`, 'apply-patch+yaml', config);
    assert.deepEqual(told(applied).slice(0, 2), [409, 'Conflict']);
    assert.deepEqual(told(await admin.send(maps, { body: { metadata: { name: 'a' } } })), [
      409,
      'AlreadyExists',
      'configmaps "a" already exists',
    ]);
  });

  it('answers are compressed where they are long and the client takes that, and come over HTTP/2', async () => {
    await admin.send(maps, { body: { metadata: { name: 'long' }, data: { k: 'x'.repeat(200_000) } } });
    const headers = { 'accept-encoding': 'gzip' };
    for (const path of [maps, `${maps}/long`]) {
      const plain = await admin.send(path);
      const zipped = await admin.send(path, { headers });
      assert.equal(zipped.headers['content-encoding'], 'gzip', path);
      assert.equal(gunzipSync(zipped.bytes).toString(), plain.text);
    }
    assert.equal((await admin.send(`${maps}/a`, { headers })).headers['content-encoding'], undefined);
    const session = connect(world.server.url, {
      ca: world.server.ca,
      cert: world.server.admin.certificate,
      key: world.server.admin.key,
    });
    try {
      const many = Array.from({ length: 20 }, async () => {
        const stream = session.request({ ':path': `${maps}/a` });
        const [answer] = (await once(stream, 'response')) as [Record<string, unknown>];
        stream.resume();
        await once(stream, 'end');
        return answer[':status'];
      });
      assert.deepEqual(new Set(await Promise.all(many)), new Set([200]));
    } finally {
      session.close();
    }
  });

  it('a collection is deleted by its selectors, and nothing beside it', async () => {
    for (const name of ['x1', 'x2', 'y1']) {
      await admin.send(maps, { body: { metadata: { name, labels: { group: name.slice(0, 1) } } } });
    }
    const dry = await admin.send(`${maps}?labelSelector=group%3Dx&dryRun=All`, { method: 'DELETE' });
    assert.equal((dry.json?.['items'] as unknown[] | undefined)?.length, 2);
    await admin.send(`${maps}?labelSelector=group%3Dx&fieldSelector=metadata.name%21%3Dx2`, { method: 'DELETE' });
    const left = (await admin.send(`${maps}?labelSelector=group`)).json?.['items'] as { metadata: { name: string } }[];
    assert.deepEqual(
      left.map(({ metadata }) => metadata.name),
      ['x2', 'y1'],
    );
  });

  it('a signing request is approved by a patch of any type, of its approval alone', async () => {
    const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
    const condition = { type: 'Approved', status: 'True', reason: 'R', message: 'm' };
    const patches: Readonly<Record<string, object>> = {
      'merge-patch+json': { status: { conditions: [condition] } },
      'strategic-merge-patch+json': { status: { conditions: [condition] } },
      'json-patch+json': [{ op: 'add', path: '/status', value: { conditions: [condition] } }],
    };
    for (const [type, body] of Object.entries(patches)) {
      const name = type.split('-')[0] ?? '';
      const { request } = await createSigningRequest({ subject: { commonName: name } });
      const spec = { request: Buffer.from(request).toString('base64'), signerName: 'a.b/c', usages: ['client auth'] };
      assert.equal((await admin.send(path, { body: { metadata: { name }, spec } })).code, 201);
      const headers = { 'content-type': `application/${type}` };
      const patched = async (subresource: string): Promise<unknown> => {
        const answer = await admin.send(`${path}/${name}${subresource}`, { method: 'PATCH', headers, body });
        assert.equal(answer.code, 200, answer.text);
        const { conditions } = (answer.json?.['status'] ?? {}) as { conditions?: Record<string, unknown>[] };
        return conditions?.map((one) => [one['type'], one['reason']]);
      };
      assert.equal(await patched(''), undefined);
      assert.deepEqual(await patched('/approval'), [['Approved', 'R']]);
    }
  });
});
