import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

const group = '/apis/networking.k8s.io/v1';
const services = '/api/v1/namespaces/default/services';

describe('the addresses of Services as objects', () => {
  const { admin } = serverWorld();
  const make = async (name: string, more: object = {}): Promise<string> => {
    const answer = await admin.send(services, {
      body: { metadata: { name }, spec: { ports: [{ port: 80 }], ...more } },
    });
    assert.equal(answer.code, 201, answer.text);
    return (answer.json as { spec: { clusterIP: string } }).spec.clusterIP;
  };
  const found = (address: string): Promise<RawAnswer> => admin.send(`${group}/ipaddresses/${address}`);
  const holder = async (address: string): Promise<unknown> => {
    const { json } = await found(address);
    return (json as { spec?: { parentRef?: object } }).spec?.parentRef;
  };

  it('begin with the range of the server, ready, and the address of the API', async () => {
    const { json } = await admin.send(`${group}/servicecidrs/kubernetes`);
    const { spec, status } = json as { spec: object; status: { conditions: { type: string; status: string }[] } };
    assert.deepEqual(spec, { cidrs: ['10.96.0.0/16'] });
    assert.deepEqual([status.conditions[0]?.type, status.conditions[0]?.status], ['Ready', 'True']);
    const parent = { group: '', resource: 'services', namespace: 'default', name: 'kubernetes' };
    await eventually(async () => assert.deepEqual(await holder('10.96.0.1'), parent));
  });

  it('come and go with the Services, and come back when somebody takes them away', async () => {
    const address = await make('a');
    const parent = { group: '', resource: 'services', namespace: 'default', name: 'a' };
    await eventually(async () => assert.deepEqual(await holder(address), parent));
    const { json } = await found(address);
    assert.deepEqual((json as { metadata: { labels: object } }).metadata.labels, {
      'ipaddress.kubernetes.io/ip-family': 'IPv4',
      'ipaddress.kubernetes.io/managed-by': 'ipallocator',
    });
    await admin.send(`${group}/ipaddresses/${address}`, { method: 'DELETE' });
    await eventually(async () => assert.deepEqual(await holder(address), parent));
    const told = (reason: string): Promise<RawAnswer> =>
      admin.send(`/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=a,reason=${reason}`);
    await eventually(async () => {
      const { items } = (await told('ClusterIPNotAllocated')).json as { items: Record<string, unknown>[] };
      assert.deepEqual(
        items.map(({ message, type, reportingComponent }) => [message, type, reportingComponent]),
        [[`Cluster IP [IPv4]: ${address} is not allocated; repairing`, 'Warning', 'ipallocator-repair-controller']],
      );
    });
    const labels = { 'ipaddress.kubernetes.io/managed-by': 'me' };
    await admin.send(`${group}/ipaddresses/${address}`, {
      method: 'PATCH',
      body: { metadata: { labels } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    await eventually(async () => {
      const now = (await found(address)).json as { metadata?: { labels: Record<string, string> } };
      assert.equal(now.metadata?.labels['ipaddress.kubernetes.io/managed-by'], 'ipallocator');
    });
    await make('headless', { clusterIP: 'None' });
    await admin.send(`${services}/a`, { method: 'DELETE' });
    await eventually(async () => assert.equal((await found(address)).code, 404));
    await make('b', { clusterIP: address });
    await eventually(async () => assert.deepEqual(await holder(address), { ...parent, name: 'b' }));
    const { json: list } = await admin.send(`${group}/ipaddresses`);
    assert.equal((list as { items: object[] }).items.length, 2);
  });

  it('have the range of the server again when somebody has deleted it', async () => {
    const before = (await admin.send(`${group}/servicecidrs/kubernetes`)).json as { metadata: { uid: string } };
    assert.equal((await admin.send(`${group}/servicecidrs/kubernetes`, { method: 'DELETE' })).code, 200);
    await eventually(async () => {
      const { json } = await admin.send(`${group}/servicecidrs/kubernetes`);
      const now = json as { metadata?: { uid: string }; spec?: object; status?: { conditions?: object[] } };
      assert.ok(now.metadata && now.metadata.uid !== before.metadata.uid);
      assert.deepEqual(now.spec, { cidrs: ['10.96.0.0/16'] });
      assert.equal(now.status?.conditions?.length, 1);
    });
  });

  it('can be of further ranges, as long as these are not going away', async () => {
    const outside = { body: { metadata: { name: 'c' }, spec: { ports: [{ port: 80 }], clusterIP: '10.97.0.5' } } };
    const refused = await admin.send(services, outside);
    assert.match(String(refused.json?.['message']), /The range of valid IPs is 10\.96\.0\.0\/16$/);
    const more = {
      metadata: { name: 'more', finalizers: ['example.com/f'] },
      spec: { cidrs: ['10.97.0.0/28', 'fd00::/64'] },
    };
    assert.equal((await admin.send(`${group}/servicecidrs`, { body: more })).code, 201);
    assert.equal((await admin.send(services, outside)).code, 201);
    await admin.send(`${group}/servicecidrs/more`, { method: 'DELETE' });
    const late = { ...outside.body, metadata: { name: 'd' }, spec: { ...outside.body.spec, clusterIP: '10.97.0.6' } };
    assert.equal((await admin.send(services, { body: late })).code, 422);
  });
});
