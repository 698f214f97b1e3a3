import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

interface Stored {
  kind: string;
  reason: string;
  message: string;
  metadata: {
    name: string;
    uid: string;
    resourceVersion: string;
    generation?: number;
    deletionTimestamp?: string;
    deletionGracePeriodSeconds?: number;
    finalizers?: string[];
    labels?: Record<string, string>;
    managedFields?: { manager: string; operation: string }[];
  };
  spec: Record<string, unknown>;
  status: Record<string, unknown> & { phase?: string };
  data?: Record<string, string>;
  details: { name: string; kind: string; causes: { field: string; reason: string }[] };
}

describe('writing', () => {
  const { admin } = serverWorld();
  const maps = '/api/v1/namespaces/default/configmaps';
  const pods = '/api/v1/namespaces/default/pods';
  const pod = (name: string, more: object = {}): object => ({
    metadata: { name, ...more },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  });
  const stored = ({ json }: RawAnswer): Stored => json as unknown as Stored;
  const patch = (path: string, body: unknown, type = 'merge-patch+json'): Promise<RawAnswer> =>
    admin.send(path, { method: 'PATCH', body, headers: { 'content-type': `application/${type}` } });

  it('makes names from generateName', async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, () => admin.send(maps, { body: { metadata: { generateName: 'g-' } } })),
    );
    const names = new Set(made.map((answer) => stored(answer).metadata.name));
    assert.equal(names.size, 20);
    for (const name of names) assert.match(name, /^g-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  it('tells what is wrong with an object, field by field', async () => {
    const answer = await admin.send(maps, { body: { metadata: { name: 'Bad_Name', labels: { 'a b': 'c' } } } });
    assert.equal(answer.code, 422);
    assert.deepEqual(
      stored(answer)
        .details.causes.map(({ field }) => field)
        .sort(),
      ['metadata.labels', 'metadata.name'],
    );
    assert.match(stored(answer).message, /^ConfigMap "Bad_Name" is invalid: \[/);
  });

  it('refuses unknown fields when asked to be strict, and warns otherwise', async () => {
    const body = { metadata: { name: 'f' }, dataa: {} };
    const strict = await admin.send(`${maps}?fieldValidation=Strict`, { body });
    assert.equal(strict.code, 400);
    assert.match(stored(strict).message, /strict decoding error: unknown field "dataa"/);
    const warned = await admin.send(maps, { body });
    assert.equal(warned.code, 201);
    assert.match(String(warned.headers['warning']), /unknown field \\"dataa\\"/);
  });

  it('keeps one of many concurrent writers and tells the others', async () => {
    const { metadata } = stored(await admin.send(maps, { body: { metadata: { name: 'race' } } }));
    const body = { metadata: { name: 'race', resourceVersion: metadata.resourceVersion }, data: { a: 'b' } };
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        admin.send(`${maps}/race`, { method: 'PUT', body: { ...body, data: { i: String(i) } } }),
      ),
    );
    assert.equal(answers.filter(({ code }) => code === 200).length, 1);
    const lost = answers.find(({ code }) => code === 409);
    assert.equal(
      lost && stored(lost).message,
      'Operation cannot be fulfilled on configmaps "race": the object has been modified; please apply your changes to the latest version and try again',
    );
  });

  it('applies concurrent patches one after the other', async () => {
    await admin.send(maps, { body: { metadata: { name: 'hot' }, data: {} } });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => patch(`${maps}/hot`, { data: { [`k${i}`]: 'v' } })),
    );
    assert.ok(answers.every(({ code }) => code === 200));
    assert.equal(Object.keys(stored(await admin.send(`${maps}/hot`)).data ?? {}).length, 50);
  });

  it('writes nothing when nothing changes', async () => {
    const first = stored(await admin.send(maps, { body: { metadata: { name: 'same' }, data: { a: '1' } } }));
    const second = stored(await patch(`${maps}/same`, { data: { a: '1' } }));
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  });

  it('a dry run answers and stores nothing', async () => {
    const created = await admin.send(`${maps}?dryRun=All`, { body: { metadata: { name: 'dry' } } });
    assert.equal(created.code, 201);
    assert.equal((await admin.send(`${maps}/dry`)).code, 404);
    assert.equal((await admin.send(`${maps}?dryRun=Some`, { body: { metadata: { name: 'dry' } } })).code, 422);
  });

  it('a binding gives a pod its node, and nobody owns what it sets', async () => {
    const created = stored(await admin.send(pods, { body: pod('bound') }));
    await admin.send(`${pods}/bound/binding`, { body: { target: { kind: 'Node', name: 'node-1' } } });
    const bound = stored(await admin.send(`${pods}/bound`));
    assert.equal(bound.spec.nodeName, 'node-1');
    assert.ok((created.metadata.managedFields ?? []).length > 0);
    assert.deepEqual(bound.metadata.managedFields, created.metadata.managedFields);
    await admin.send(`${pods}/bound?gracePeriodSeconds=0`, { method: 'DELETE' });
  });

  it('marks a bound pod for deletion, hurries it, and removes it at once with grace 0', async () => {
    await admin.send(pods, { body: pod('graceful') });
    const binding = { target: { kind: 'Node', name: 'node-1' } };
    assert.equal((await admin.send(`${pods}/graceful/binding`, { body: binding })).code, 201);
    const again = await admin.send(`${pods}/graceful/binding`, { body: binding });
    assert.equal(again.code, 409);
    assert.match(stored(again).message, /pod graceful is already assigned to node "node-1"/);
    const marked = stored(await admin.send(`${pods}/graceful`, { method: 'DELETE' }));
    assert.equal(marked.metadata.deletionGracePeriodSeconds, 30);
    assert.equal(marked.metadata.generation, 2);
    const hurried = stored(await admin.send(`${pods}/graceful?gracePeriodSeconds=5`, { method: 'DELETE' }));
    assert.equal(hurried.metadata.deletionGracePeriodSeconds, 5);
    await admin.send(`${pods}/graceful?gracePeriodSeconds=60`, { method: 'DELETE' });
    assert.equal(stored(await admin.send(`${pods}/graceful`)).metadata.deletionGracePeriodSeconds, 5);
    await admin.send(`${pods}/graceful?gracePeriodSeconds=0`, { method: 'DELETE' });
    assert.equal((await admin.send(`${pods}/graceful`)).code, 404);
  });

  it('waits for finalizers, and goes when the last is taken away', async () => {
    await admin.send(maps, { body: { metadata: { name: 'kept', finalizers: ['example.com/hold'] } } });
    const marked = stored(await admin.send(`${maps}/kept`, { method: 'DELETE' }));
    assert.ok(marked.metadata.deletionTimestamp);
    const added = await patch(`${maps}/kept`, { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } });
    assert.equal(added.code, 422);
    assert.equal((await patch(`${maps}/kept`, { metadata: { finalizers: null } })).code, 200);
    assert.equal((await admin.send(`${maps}/kept`)).code, 404);
  });

  it('leaves foreground and orphan deletion to the garbage collector', async () => {
    for (const [policy, finalizer] of [
      ['Foreground', 'foregroundDeletion'],
      ['Orphan', 'orphan'],
    ]) {
      await admin.send(maps, { body: { metadata: { name: 'owner' } } });
      const options = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: policy };
      const marked = stored(await admin.send(`${maps}/owner`, { method: 'DELETE', body: options }));
      assert.deepEqual(marked.metadata.finalizers, [finalizer]);
      await patch(`${maps}/owner`, { metadata: { finalizers: null } });
      assert.equal((await admin.send(`${maps}/owner`)).code, 404);
    }
  });

  it('deletes only what the preconditions describe', async () => {
    await admin.send(maps, { body: { metadata: { name: 'exact' } } });
    const refused = await admin.send(`${maps}/exact`, { method: 'DELETE', body: { preconditions: { uid: 'other' } } });
    assert.equal(refused.code, 409);
    assert.match(
      stored(refused).message,
      /on ConfigMap "exact": the UID in the precondition \(other\) does not match the UID in record/,
    );
    assert.equal((await admin.send(`${maps}/exact`, { method: 'DELETE' })).json?.['status'], 'Success');
  });

  it('deletes a collection by selector', async () => {
    for (const name of ['c1', 'c2']) await admin.send(maps, { body: { metadata: { name, labels: { del: 'yes' } } } });
    const answer = await admin.send(`${maps}?labelSelector=del%3Dyes`, { method: 'DELETE' });
    assert.equal(answer.json?.['kind'], 'ConfigMapList');
    assert.equal((await admin.send(`${maps}/c1`)).code, 404);
    assert.equal((await admin.send(`${maps}/same`)).code, 200);
  });

  it('takes a namespace down in two steps, and lets nothing new in', async () => {
    await admin.send('/api/v1/namespaces', { body: { metadata: { name: 'going' } } });
    const marked = stored(await admin.send('/api/v1/namespaces/going', { method: 'DELETE' }));
    assert.equal(marked.status.phase, 'Terminating');
    const refused = await admin.send('/api/v1/namespaces/going/configmaps', { body: { metadata: { name: 'x' } } });
    assert.equal(refused.code, 403);
    assert.deepEqual(
      stored(refused).details.causes.map(({ reason }) => reason),
      ['NamespaceTerminating'],
    );
    const body = { metadata: { name: 'going' }, spec: { finalizers: [] } };
    assert.equal((await admin.send('/api/v1/namespaces/going/finalize', { method: 'PUT', body })).code, 200);
    assert.equal((await admin.send('/api/v1/namespaces/going')).code, 404);
    assert.equal((await admin.send('/api/v1/namespaces/kube-system', { method: 'DELETE' })).code, 403);
  });

  it('scales through /scale and counts a generation', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const path = '/apis/apps/v1/namespaces/default/deployments';
    await admin.send(path, {
      body: { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } },
    });
    const scale = await admin.send(`${path}/d/scale`);
    assert.equal(scale.json?.['kind'], 'Scale');
    assert.equal((stored(scale).status as { selector?: string }).selector, 'a=b');
    assert.equal((await patch(`${path}/d/scale`, { spec: { replicas: 4 } }, 'strategic-merge-patch+json')).code, 200);
    const after = stored(await admin.send(`${path}/d`));
    assert.equal(after.spec['replicas'], 4);
    assert.equal(after.metadata.generation, 2);
    assert.equal((await patch(`${path}/d/scale`, { spec: { replicas: -1 } })).code, 422);
  });

  it('notes who owns which field, and reports conflicts between appliers', async () => {
    const apply = (manager: string, value: string, force = ''): Promise<RawAnswer> =>
      patch(
        `${maps}/owned?fieldManager=${manager}${force}`,
        JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owned' }, data: { k: value } }),
        'apply-patch+yaml',
      );
    assert.equal((await apply('one', '1')).code, 201);
    const refused = await apply('two', '2');
    assert.equal(refused.code, 409);
    assert.match(stored(refused).message, /conflict with "one": \.data\.k/);
    const forced = stored(await apply('two', '2', '&force=true'));
    assert.deepEqual(
      forced.metadata.managedFields?.map(({ manager }) => manager),
      ['two'],
    );
  });

  it('bounds what a client may send', async () => {
    const huge = await admin.send(maps, { body: { metadata: { name: 'huge' }, data: { x: 'y'.repeat(4 << 20) } } });
    assert.equal(huge.code, 413);
    const deep = await admin.send(maps, { body: `{"metadata":${'['.repeat(5000)}${']'.repeat(5000)}}` });
    assert.equal(deep.code, 400);
    const cut = await admin.send(maps, { body: '{"metadata":{"name":' });
    assert.equal(cut.code, 400);
    // What is no media type at all gets a Status too.
    for (const type of ['application/cbor', 'nonsense']) {
      const odd = await admin.send(maps, { body: 'x', headers: { 'content-type': type } });
      assert.equal(odd.code, 415);
      assert.equal((odd.json as { reason: string }).reason, 'UnsupportedMediaType');
    }
    const proto = await admin.send(maps, { body: '{"metadata":{"name":"proto","labels":{"__proto__":"x"}}}' });
    assert.notEqual(proto.code, 500);
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });
});

describe('what was written', () => {
  const world = serverWorld();

  it('is not kept parsed, before or after, by creates, updates, patches and deletes', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    const { cache } = world.server.apiserver.registry.find('', 'v1', 'configmaps')?.store ?? {};
    assert.ok(cache);
    const send = async (method: string, url: string, body: unknown, type = 'application/json'): Promise<void> => {
      const { code, text } = await world.admin.send(url, { method, body, headers: { 'content-type': type } });
      assert.ok(code < 300, text);
    };
    const start = cache.ring.endPosition;
    await send('POST', path, { metadata: { name: 'c' }, data: { a: '1' } });
    await send('PUT', `${path}/c`, { metadata: { name: 'c' }, data: { a: '2' } });
    await send('PATCH', `${path}/c`, { data: { a: '3' } }, 'application/merge-patch+json');
    await send('DELETE', `${path}/c`, {});
    const events = Array.from({ length: cache.ring.endPosition - start }, (_, i) => cache.ring.at(start + i));
    assert.deepEqual(
      events.map((event) => event?.type),
      ['ADDED', 'MODIFIED', 'MODIFIED', 'DELETED'],
    );
    for (const event of events) {
      assert.equal(event?.current.isParsed, false, `${event?.type}: the state after it`);
      assert.ok(!event?.previous?.isParsed, `${event?.type}: the state before it`);
    }
  });
});
