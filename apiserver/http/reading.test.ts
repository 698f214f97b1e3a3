import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

interface Item {
  metadata: { name: string; resourceVersion: string };
}
interface List {
  kind: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: Item[];
}
const asList = (answer: RawAnswer): List => answer.json as unknown as List;
const names = (answer: RawAnswer): string[] => asList(answer).items.map(({ metadata }) => metadata.name);

describe('reading', () => {
  const world = serverWorld();
  const { admin } = world;
  const path = '/api/v1/namespaces/default/configmaps';
  const create = (name: string, labels = {}): Promise<RawAnswer> =>
    admin.send(path, { body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: { v: '1' } } });
  before(async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await create(name, { parity: 'ace'.includes(name) ? 'odd' : 'even' });
  });

  it('pages show one moment, whatever is written in between', async () => {
    const first = await admin.send(`${path}?limit=2`);
    assert.deepEqual(names(first), ['a', 'b']);
    assert.equal(asList(first).metadata.remainingItemCount, 3);
    await create('bb');
    await admin.send(`${path}/c`, { method: 'DELETE' });
    const token = asList(first).metadata.continue ?? '';
    const second = await admin.send(`${path}?limit=2&continue=${token}`);
    assert.deepEqual(names(second), ['c', 'd']);
    assert.equal(asList(second).metadata.resourceVersion, asList(first).metadata.resourceVersion);
    const third = await admin.send(`${path}?limit=2&continue=${asList(second).metadata.continue ?? ''}`);
    assert.deepEqual(names(third), ['e']);
    assert.equal(asList(third).metadata.continue, undefined);
    assert.deepEqual(names(await admin.send(path)), ['a', 'b', 'bb', 'd', 'e']);
    await create('c', { parity: 'odd' });
    await admin.send(`${path}/bb`, { method: 'DELETE' });
  });

  it('an expired page offers a token that goes on at the latest state', async () => {
    const first = await admin.send(`${path}?limit=2`);
    await create('zz');
    await admin.send(`${path}/zz`, { method: 'DELETE' });
    await world.server.storage.compact(world.server.storage.revision);
    const expired = await admin.send(`${path}?limit=2&continue=${asList(first).metadata.continue ?? ''}`);
    assert.equal(expired.code, 410);
    assert.equal(expired.json?.['reason'], 'Expired');
    const token = asList(expired).metadata.continue ?? '';
    assert.deepEqual(names(await admin.send(`${path}?continue=${token}`)), ['c', 'd', 'e']);
    const latest = asList(await admin.send(`${path}?limit=1&continue=${token}`));
    const { remainingItemCount, resourceVersion, continue: next = '' } = latest.metadata;
    assert.equal(remainingItemCount, 2);
    assert.notEqual(resourceVersion, asList(first).metadata.resourceVersion);
    const last = await admin.send(`${path}?limit=2&continue=${next}`);
    assert.deepEqual(names(last), ['d', 'e']);
    assert.deepEqual(asList(last).metadata, { resourceVersion });
  });

  it('a past state is listed exactly, a future one is awaited elsewhere', async () => {
    const before = asList(await admin.send(path)).metadata.resourceVersion;
    await create('late');
    const past = await admin.send(`${path}?resourceVersion=${before}&resourceVersionMatch=Exact`);
    assert.deepEqual(names(past), ['a', 'b', 'c', 'd', 'e']);
    await admin.send(`${path}/late`, { method: 'DELETE' });
    const future = await admin.send(`${path}?resourceVersion=999999`);
    assert.equal(future.code, 504);
    assert.match(String(future.json?.['message']), /Too large resource version/);
    const missing = await admin.send(`${path}?resourceVersionMatch=Exact`);
    assert.equal(missing.code, 422);
  });

  it('selects by labels and fields, and refuses fields that cannot be selected', async () => {
    assert.deepEqual(names(await admin.send(`${path}?labelSelector=parity%3Dodd`)), ['a', 'c', 'e']);
    assert.deepEqual(names(await admin.send(`${path}?labelSelector=parity+in+(even)&limit=1`)), ['b']);
    assert.deepEqual(names(await admin.send(`${path}?fieldSelector=metadata.name%3Db`)), ['b']);
    const refused = await admin.send(`${path}?fieldSelector=data.v%3D1`);
    assert.equal(refused.code, 400);
    assert.match(String(refused.json?.['message']), /"data.v" is not a known field selector: only "metadata.name"/);
    assert.equal((await admin.send(`${path}?labelSelector=%2B%2B`)).code, 400);
  });

  it('answers tables and metadata when they are asked for', async () => {
    const table = await admin.send(`${path}/a`, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    assert.equal(table.json?.['kind'], 'Table');
    const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json';
    const metadata = await admin.send(path, { headers: { accept } });
    assert.equal(metadata.json?.['kind'], 'PartialObjectMetadataList');
    assert.equal((asList(metadata).items[0] as unknown as { data?: unknown }).data, undefined);
    const refused = await admin.send(path, { headers: { accept: 'image/png' } });
    assert.equal(refused.code, 406);
  });

  it('tells unknown resources, methods and names apart', async () => {
    assert.equal((await admin.send('/api/v1/namespaces/default/frobs')).code, 404);
    assert.equal((await admin.send('/apis/no.such.group/v1/frobs')).code, 404);
    assert.equal((await admin.send('/nothing/here')).code, 404);
    assert.equal((await admin.send(`${path}/a`, { body: {} })).code, 405);
    for (const name of ['..', '%2e%2e', 'a%2Fb', 'a%00b', '%zz', '%25']) {
      const answer = await admin.send(`${path}/${name}`);
      assert.equal(answer.code, 400, name);
      assert.equal(answer.json?.['kind'], 'Status', name);
    }
  });

  it('says who it is', async () => {
    const version = await admin.send('/version');
    assert.equal(version.json?.['gitVersion'], 'v1.36.0+knarr');
    assert.equal((await admin.send('/readyz')).text, 'ok');
    assert.match((await admin.send('/readyz?verbose')).text, /\[\+\]storage ok\n/);
    assert.match((await admin.send('/metrics')).text, /apiserver_request_total\{[^}]*resource="configmaps"/);
    const refused = await admin.send('/readyz', { method: 'POST', body: {} });
    assert.equal(refused.code, 405);
  });
});
