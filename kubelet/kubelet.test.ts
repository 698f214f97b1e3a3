import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { startTestServer, type TestServer } from '../apiserver/testing/test-server.js';
import { configmaps, namespaces, nodes, pods, serviceaccounts } from '../shared/api/generated/resources.js';
import type { Pod, PodSpec } from '../shared/api/generated/types.js';
import { clientFromKubeconfig } from '../shared/client/connect.js';
import type { Client } from '../shared/client/client.js';
import { systemClock } from '../shared/clock/clock.js';
import { eventually } from '../shared/clock/eventually.js';
import { isNotFound } from '../shared/errors/status-error.js';
import { createLog } from '../shared/log/log.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import { buildKubelet } from './build.js';
import { HollowRuntime } from './runtime/hollow/hollow-runtime.js';

let server: TestServer;
let client: Client;
let root: string;
const nodeName = 'node-1';
const log = createLog({ component: 'test', level: process.env['KNARR_TEST_LOG'] === 'debug' ? 'debug' : 'silent' });
const running: { abort: () => void; done: Promise<void> }[] = [];

before(async () => {
  server = await startTestServer();
  client = await clientFromKubeconfig(server.kubeconfigPath, { clock: systemClock });
  for (const name of ['default', 'kube-node-lease']) await ensureNamespace(name);
  await client.create(serviceaccounts, { metadata: { name: 'default', namespace: 'default' } }).catch(() => undefined);
});
after(async () => {
  client.close();
  await server.close();
});
afterEach(async () => {
  for (const kubelet of running.splice(0)) {
    kubelet.abort();
    await kubelet.done;
  }
  for (const pod of (await client.list(pods)).items) {
    await client.delete(pods, pod.metadata.name ?? '', 'default', { gracePeriodSeconds: 0 });
  }
  await client.delete(nodes, nodeName).catch(() => undefined);
  await rm(root, { recursive: true, force: true });
});

async function ensureNamespace(name: string): Promise<void> {
  await client.create(namespaces, { metadata: { name }, spec: {} }).catch(() => undefined);
}

async function start(runtime: HollowRuntime, keepRoot = false): Promise<() => Promise<void>> {
  if (!keepRoot) root = await mkdtemp(join(tmpdir(), 'knarr-kubelet-'));
  await writeFile(join(root, 'resolv.conf'), 'nameserver 192.0.2.1\nsearch example.org\n');
  const kubeconfig = server.kubeconfigPath;
  const own = await clientFromKubeconfig(kubeconfig, { clock: systemClock });
  const kubelet = buildKubelet({
    client: own,
    runtime,
    clock: systemClock,
    log,
    metrics: new MetricsRegistry(),
    random: () => 0,
    identity: { name: nodeName, ip: '192.0.2.10', linkAddress: '192.0.2.10', labels: {}, port: 10250 },
    machine: {
      cpus: 4,
      memoryBytes: 8 * 2 ** 30,
      diskBytes: 2 ** 30,
      architecture: 'amd64',
      kernelVersion: '6',
      osImage: 'test',
      machineId: 'm',
      systemUuid: 's',
      bootId: 'b',
    },
    rootDirectory: root,
    clusterDns: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    hostResolvConf: join(root, 'resolv.conf'),
    hostHosts: '/etc/hosts',
    prober: () => Promise.resolve({ outcome: 'success', output: '' }),
  });
  const controller = new AbortController();
  const done = kubelet.run(controller.signal).finally(() => own.close());
  const entry = { abort: () => controller.abort(), done };
  running.push(entry);
  return async () => {
    running.splice(running.indexOf(entry), 1);
    controller.abort();
    await done;
  };
}

async function givePodCIDR(): Promise<void> {
  await eventually(async () => client.get(nodes, nodeName));
  await client.patch(nodes, nodeName, undefined, 'merge', { spec: { podCIDR: '10.244.0.0/24' } });
  await eventually(async () => {
    const node = await client.get(nodes, nodeName);
    const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
    assert.equal(ready?.status, 'True', ready?.message);
  });
}

const createPod = (name: string, spec: Partial<PodSpec> = {}): Promise<Pod> =>
  client.create(pods, {
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName,
      containers: [{ name: 'main', image: 'app:1' }],
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      ...spec,
    },
  });

const waitFor = (name: string, check: (pod: Pod) => void): Promise<Pod> =>
  eventually(async () => {
    const pod = await client.get(pods, name, 'default');
    check(pod);
    return pod;
  });

test('a node registers, becomes ready once it has a podCIDR, and runs a pod until it is deleted', async () => {
  const runtime = new HollowRuntime({ clock: systemClock, images: ['app:1'] });
  await start(runtime);
  await givePodCIDR();
  await createPod('simple');
  const pod = await waitFor('simple', (found) => assert.equal(found.status?.phase, 'Running'));
  assert.match(pod.status?.podIP ?? '', /^10\.244\.0\./);
  assert.equal(pod.status?.hostIP, '192.0.2.10');
  assert.equal(pod.status?.qosClass, 'BestEffort');
  const conditions = Object.fromEntries((pod.status?.conditions ?? []).map(({ type, status }) => [type, status]));
  assert.deepEqual(
    [
      conditions['Ready'],
      conditions['ContainersReady'],
      conditions['Initialized'],
      conditions['PodReadyToStartContainers'],
    ],
    ['True', 'True', 'True', 'True'],
  );
  const uid = pod.metadata.uid ?? '';
  assert.match(
    await readFile(join(root, 'pods', uid, 'etc', 'resolv.conf'), 'utf8'),
    /^search default\.svc\.cluster\.local/,
  );
  await client.delete(pods, 'simple', 'default');
  await eventually(async () => {
    await assert.rejects(client.get(pods, 'simple', 'default'), isNotFound);
    assert.deepEqual(await runtime.listContainers(), []);
    assert.deepEqual(await runtime.listPodSandboxes(), []);
  });
});

test('a restarted kubelet adopts what runs and kills what the API has forgotten', async () => {
  const runtime = new HollowRuntime({ clock: systemClock, images: ['app:1'] });
  const stop = await start(runtime);
  await givePodCIDR();
  await createPod('kept');
  await createPod('orphan');
  await waitFor('kept', (pod) => assert.equal(pod.status?.phase, 'Running'));
  await waitFor('orphan', (pod) => assert.equal(pod.status?.phase, 'Running'));
  const before = (await runtime.listContainers()).find((container) => container.pod.name === 'kept');
  await stop();
  await client.delete(pods, 'orphan', 'default', { gracePeriodSeconds: 0 });
  await start(runtime, true);
  await eventually(async () => {
    const all = await runtime.listContainers();
    assert.deepEqual(
      all.map(({ id, state }) => ({ id, state })),
      [{ id: before?.id, state: 'running' }],
    );
  });
  const pod = await client.get(pods, 'kept', 'default');
  assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 0);
});

test('a crashed container is started again at once and its restart is counted', async () => {
  const runtime = new HollowRuntime({ clock: systemClock, images: ['app:1'] });
  await start(runtime);
  await givePodCIDR();
  await createPod('crash');
  await waitFor('crash', (pod) => assert.equal(pod.status?.phase, 'Running'));
  const [container] = await runtime.listContainers();
  runtime.crash(container?.id ?? '', 3);
  const pod = await waitFor('crash', (found) =>
    assert.equal(found.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 3),
  );
  assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 1);
  const [second] = (await runtime.listContainers()).filter(({ state }) => state === 'running');
  runtime.crash(second?.id ?? '', 3);
  const waiting = await waitFor('crash', (found) =>
    assert.equal(found.status?.containerStatuses?.[0]?.state?.waiting?.reason, 'CrashLoopBackOff'),
  );
  assert.match(
    waiting.status?.containerStatuses?.[0]?.state?.waiting?.message ?? '',
    /^back-off 10s restarting failed/,
  );
});

test('a missing configmap keeps the container waiting with the reason and starts it once it is there', async () => {
  const runtime = new HollowRuntime({ clock: systemClock, images: ['app:1'] });
  await start(runtime);
  await givePodCIDR();
  const envFrom = [{ configMapRef: { name: 'settings' } }];
  await createPod('config', { containers: [{ name: 'main', image: 'app:1', envFrom }] });
  const pod = await waitFor('config', (found) =>
    assert.equal(found.status?.containerStatuses?.[0]?.state?.waiting?.reason, 'CreateContainerConfigError'),
  );
  assert.equal(pod.status?.containerStatuses?.[0]?.state?.waiting?.message, 'configmap "settings" not found');
  await client.create(configmaps, { metadata: { name: 'settings', namespace: 'default' }, data: { A: '1' } });
  await eventually(async () => {
    assert.equal((await client.get(pods, 'config', 'default')).status?.phase, 'Running');
  }, 9000);
});

test('an engine that goes away makes the node not ready, and pods go on when it returns', async () => {
  const runtime = new HollowRuntime({ clock: systemClock, images: ['app:1'] });
  await start(runtime);
  await givePodCIDR();
  runtime.setAway(true);
  await eventually(async () => {
    const ready = (await client.get(nodes, nodeName)).status?.conditions?.find(({ type }) => type === 'Ready');
    assert.equal(ready?.status, 'False');
    assert.match(ready?.message ?? '', /^container runtime is down/);
  });
  await createPod('later');
  runtime.setAway(false);
  await waitFor('later', (pod) => assert.equal(pod.status?.phase, 'Running'));
});
