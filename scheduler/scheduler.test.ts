import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from '../apiserver/testing/test-server.js';
import { events, nodes, pods } from '../shared/api/generated/resources.js';
import type { Pod } from '../shared/api/generated/types.js';
import type { Client } from '../shared/client/client.js';
import { clientFromKubeconfig } from '../shared/client/connect.js';
import { eventually } from '../shared/clock/eventually.js';
import { systemClock } from '../shared/clock/clock.js';
import { silentLog } from '../shared/log/log.js';
import { build } from './build.js';

let server: TestServer;
let admin: Client;
const stopping = new AbortController();
let running: Promise<void>;

before(async () => {
  server = await startTestServer();
  admin = await clientFromKubeconfig(server.kubeconfigPath, { clock: systemClock });
  const kubeconfig = await server.kubeconfigFor('system:kube-scheduler');
  const client = await clientFromKubeconfig(kubeconfig, { clock: systemClock });
  const deps = { client, clock: systemClock, log: silentLog, random: Math.random };
  running = build({ ...deps, identity: 'test', leaderElect: true }).run(stopping.signal);
});
after(async () => {
  stopping.abort();
  await running;
  admin.close();
  await server.close();
});

async function addNode(name: string, cpu: string, labels: Record<string, string> = {}): Promise<void> {
  const made = await admin.create(nodes, { metadata: { name, labels }, spec: {} });
  const amounts = { cpu, memory: '1Gi', pods: '110' };
  await admin.updateStatus(nodes, { ...made, status: { ...made.status, capacity: amounts, allocatable: amounts } });
}
const addPod = (name: string, cpu: string, more: Partial<Pod['spec']> = {}): Promise<Pod> =>
  admin.create(pods, {
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }], ...more },
  });
const placed = (name: string, node: string): Promise<void> =>
  eventually(async () => assert.equal((await admin.get(pods, name, 'default')).spec.nodeName, node));
const told = (name: string, reason: string): Promise<string> =>
  eventually(async () => {
    const found = await admin.list(events, {
      namespace: 'default',
      fieldSelector: `involvedObject.name=${name},reason=${reason}`,
    });
    assert.ok(found.items[0]?.message);
    return found.items[0].message;
  });

test('a pod that no node can take is told why, with numbers, and is placed when a node comes that can', async () => {
  await addNode('small', '500m');
  await addPod('big', '2');
  assert.equal(
    await told('big', 'FailedScheduling'),
    '0/1 nodes are available: 1 Insufficient cpu. small: cpu 2 requested, 500m of 500m free',
  );
  await eventually(async () => {
    const { status } = await admin.get(pods, 'big', 'default');
    const condition = status?.conditions?.find((c) => c.type === 'PodScheduled');
    assert.deepEqual([condition?.status, condition?.reason], ['False', 'Unschedulable']);
  });
  await addNode('large', '4');
  await placed('big', 'large');
  assert.equal(await told('big', 'Scheduled'), 'Successfully assigned default/big to large');
});

test('room that a deleted pod leaves goes to the one that waits', async () => {
  await addNode('single', '1', { only: 'this' });
  const here = { nodeSelector: { only: 'this' } };
  await addPod('first', '800m', here);
  await placed('first', 'single');
  await addPod('second', '800m', here);
  await told('second', 'FailedScheduling');
  await admin.delete(pods, 'first', 'default', { gracePeriodSeconds: 0 });
  await placed('second', 'single');
});

test('a pod of another scheduler is left alone', async () => {
  await addPod('foreign', '1m', { schedulerName: 'somebody-else' });
  await addPod('ours', '1m');
  await eventually(async () => assert.ok((await admin.get(pods, 'ours', 'default')).spec.nodeName));
  assert.equal((await admin.get(pods, 'foreign', 'default')).spec.nodeName, undefined);
});
