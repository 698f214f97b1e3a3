import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { ContainerState } from '../shared/api/generated/types.js';
import { configmaps, leases, nodes, pods } from '../shared/api/generated/resources.js';
import { systemClock } from '../shared/clock/clock.js';
import { eventually } from '../shared/clock/eventually.js';
import { isNotFound } from '../shared/errors/status-error.js';
import { HollowRuntime } from './runtime/hollow/hollow-runtime.js';
import { KubeletWorld, nodeName } from './testing/kubelet-world.js';

let world: KubeletWorld;
before(async () => {
  world = await KubeletWorld.open({ image: 'app:1', podCIDR: '10.244.0.0/24' });
});
afterEach(() => world.reset());
after(() => world.close());

/** Answers late, as an engine does whose machine is busy. */
class SlowEngine extends HollowRuntime {
  override async version(): ReturnType<HollowRuntime['version']> {
    await systemClock.sleep(200);
    return super.version();
  }
}

async function startHollow(): Promise<HollowRuntime> {
  const runtime = new HollowRuntime({ clock: systemClock, images: ['app:1'] });
  await world.startKubelet(runtime);
  return runtime;
}

test('a node registers, becomes ready once it has a podCIDR, and runs a pod until it is deleted', async () => {
  const runtime = await startHollow();
  await world.createPod('simple');
  const pod = await world.waitForPhase('simple', 'Running');
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
    await readFile(join(world.root, 'pods', uid, 'etc', 'resolv.conf'), 'utf8'),
    /^search default\.svc\.cluster\.local/,
  );
  await world.client.delete(pods, 'simple', 'default');
  await eventually(async () => {
    await assert.rejects(world.client.get(pods, 'simple', 'default'), isNotFound);
    assert.deepEqual(await runtime.listContainers(), []);
    assert.deepEqual(await runtime.listPodSandboxes(), []);
  });
});

test('a node tells in events what it is, and when it takes pods', async () => {
  await startHollow();
  await world.client.patch(nodes, nodeName, undefined, 'merge', { spec: { unschedulable: true } });
  await eventually(async () => {
    const told = (await world.events(nodeName)).map(({ reason }) => reason);
    const wanted = ['Starting', 'NodeHasSufficientMemory', 'NodeReady', 'NodeNotSchedulable'];
    assert.deepEqual(
      wanted.filter((reason) => !told.includes(reason)),
      [],
    );
  });
  await world.client.patch(nodes, nodeName, undefined, 'merge', { spec: { unschedulable: null } });
});

test('a restarted kubelet adopts what runs and kills what the API has forgotten', async () => {
  const runtime = await startHollow();
  await world.createPod('kept');
  await world.createPod('orphan');
  await world.waitForPhase('kept', 'Running');
  await world.waitForPhase('orphan', 'Running');
  const before = (await runtime.listContainers()).find((container) => container.pod.name === 'kept');
  await world.stopKubelet();
  await world.client.delete(pods, 'orphan', 'default', { gracePeriodSeconds: 0 });
  await world.startKubelet(runtime);
  await eventually(async () => {
    const all = await runtime.listContainers();
    assert.deepEqual(
      all.map(({ id, state }) => ({ id, state })),
      [{ id: before?.id, state: 'running' }],
    );
  });
  const pod = await world.client.get(pods, 'kept', 'default');
  assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 0);
});

test('a node that was Ready never says otherwise while its kubelet restarts', async () => {
  const runtime = new SlowEngine({ clock: systemClock, images: ['app:1'] });
  await world.startKubelet(runtime);
  await world.createPod('serving');
  await world.waitForPhase('serving', 'Running');
  const seen = await world.nodeReadiness();
  await world.stopKubelet();
  await world.startKubelet(runtime);
  await world.createPod('later');
  await world.waitForPhase('later', 'Running');
  assert.ok(!(await seen.end()).includes('False'));
});

test('a crashed container is started again at once and its restart is counted', async () => {
  const runtime = await startHollow();
  await world.createPod('crash');
  await world.waitForPhase('crash', 'Running');
  const [container] = await runtime.listContainers();
  runtime.crash(container?.id ?? '', 3);
  const pod = await world.waitForPod('crash', (found) =>
    assert.equal(found.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 3),
  );
  assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 1);
  const [second] = (await runtime.listContainers()).filter(({ state }) => state === 'running');
  runtime.crash(second?.id ?? '', 3);
  const waiting = await world.waitForPod('crash', (found) =>
    assert.equal(found.status?.containerStatuses?.[0]?.state?.waiting?.reason, 'CrashLoopBackOff'),
  );
  assert.match(
    waiting.status?.containerStatuses?.[0]?.state?.waiting?.message ?? '',
    /^back-off 10s restarting failed/,
  );
});

test('a missing configmap keeps the container waiting with the reason and starts it once it is there', async () => {
  await startHollow();
  const envFrom = [{ configMapRef: { name: 'settings' } }];
  await world.createPod('config', { containers: [{ name: 'main', image: 'app:1', envFrom }] });
  const pod = await world.waitForPod('config', (found) =>
    assert.equal(found.status?.containerStatuses?.[0]?.state?.waiting?.reason, 'CreateContainerConfigError'),
  );
  assert.equal(pod.status?.containerStatuses?.[0]?.state?.waiting?.message, 'configmap "settings" not found');
  await world.client.create(configmaps, { metadata: { name: 'settings', namespace: 'default' }, data: { A: '1' } });
  await eventually(async () => {
    assert.equal((await world.client.get(pods, 'config', 'default')).status?.phase, 'Running');
  });
});

test('an engine that goes away makes the node not ready, and pods go on when it returns', async () => {
  const runtime = await startHollow();
  runtime.setAway(true);
  await eventually(async () => {
    const ready = (await world.client.get(nodes, nodeName)).status?.conditions?.find(({ type }) => type === 'Ready');
    assert.equal(ready?.status, 'False');
    assert.match(ready?.message ?? '', /^\[?container runtime is down/);
  });
  await world.createPod('later');
  runtime.setAway(false);
  await world.waitForPhase('later', 'Running');
});

test('a pod that is deleted while its image is being pulled goes at once', async () => {
  const runtime = new HollowRuntime({ clock: systemClock, latencies: { pullMs: 60_000 } });
  await world.startKubelet(runtime);
  await world.createPod('pulling', { containers: [{ name: 'main', image: 'far:1' }] });
  await eventually(async () => {
    const told = await world.events('pulling');
    assert.ok(told.some((event) => event.reason === 'Pulling'));
  });
  await world.client.delete(pods, 'pulling', 'default');
  await eventually(() => assert.rejects(world.getPod('pulling'), isNotFound));
});

test('a pod that may not run any longer fails with DeadlineExceeded', async () => {
  await startHollow();
  await world.createPod('late', { activeDeadlineSeconds: 1 });
  const pod = await world.waitForPhase('late', 'Failed');
  assert.equal(pod.status?.reason, 'DeadlineExceeded');
});

test('a pod that the node has no room for is refused', async () => {
  await startHollow();
  const resources = { requests: { cpu: '64' } };
  await world.createPod('huge', { containers: [{ name: 'main', image: 'app:1', resources }] });
  const pod = await world.waitForPhase('huge', 'Failed');
  assert.equal(pod.status?.reason, 'OutOfcpu');
});

test('a pod that asks for a sysctl which is not safe is refused, and its event tells which', async () => {
  await startHollow();
  await world.createPod('tuned', {
    securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '65536' }] },
    containers: [{ name: 'main', image: 'app:1' }],
  });
  const { status } = await world.waitForPhase('tuned', 'Failed');
  assert.equal(status?.reason, 'SysctlForbidden');
  assert.equal(status.message, 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted');
  await eventually(async () => {
    const told = (await world.events('tuned')).find(({ reason }) => reason === 'SysctlForbidden');
    assert.equal(told?.message, 'forbidden sysctl: "kernel.msgmax" not allowlisted');
  });
});

test('a pod that asks to be confined where there is no AppArmor is refused', async () => {
  await startHollow();
  await world.createPod('confined', {
    securityContext: { appArmorProfile: { type: 'RuntimeDefault' } },
    containers: [{ name: 'main', image: 'app:1' }],
  });
  const { status } = await world.waitForPhase('confined', 'Failed');
  assert.deepEqual(
    [status?.reason, status?.message],
    ['AppArmor', 'Pod was rejected: Cannot enforce AppArmor: AppArmor is not enabled on the host'],
  );
});

test('a dead sandbox is made anew with its containers', async () => {
  const runtime = await startHollow();
  await world.createPod('moved');
  const before = await world.waitForPhase('moved', 'Running');
  runtime.crashSandbox((await runtime.listPodSandboxes())[0]?.id ?? '');
  const after = await world.waitForPod('moved', (pod) => {
    assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 1);
    assert.ok(pod.status.containerStatuses[0].state?.running);
  });
  assert.notEqual(
    after.status?.containerStatuses?.[0]?.containerID,
    before.status?.containerStatuses?.[0]?.containerID,
  );
});

test('sidecars run as long as the others and end after them', async () => {
  const runtime = await startHollow();
  const initContainers = [{ name: 'side', image: 'app:1', restartPolicy: 'Always' }];
  await world.createPod('pair', { initContainers, restartPolicy: 'Never' });
  await world.waitForPhase('pair', 'Running');
  const main = (await runtime.listContainers()).find(({ name }) => name === 'main');
  runtime.crash(main?.id ?? '', 0);
  await world.waitForPhase('pair', 'Succeeded');
  assert.ok((await runtime.listContainers()).every(({ state }) => state === 'exited'));
});

test('the heartbeat of the node is a Lease', async () => {
  await startHollow();
  const lease = await eventually(() => world.client.get(leases, nodeName, 'kube-node-lease'));
  assert.equal(lease.spec?.holderIdentity, nodeName);
  assert.equal(lease.spec.leaseDurationSeconds, 40);
});

test('a pod gets a token of its ServiceAccount that is bound to it', async () => {
  await startHollow();
  const sources = [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }];
  const volumes = [{ name: 'identity', projected: { sources } }];
  const volumeMounts = [{ name: 'identity', mountPath: '/run/identity', readOnly: true }];
  const containers = [{ name: 'main', image: 'app:1', volumeMounts }];
  await world.createPod('known', { serviceAccountName: 'default', volumes, containers });
  const pod = await world.waitForPhase('known', 'Running');
  const folder = join(world.root, 'pods', pod.metadata.uid, 'volumes', 'knarr.dev~projected', 'identity');
  const token = await readFile(join(folder, 'token'), 'utf8');
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
    sub: string;
    'kubernetes.io': { pod: { uid: string } };
  };
  assert.equal(claims.sub, 'system:serviceaccount:default:default');
  assert.equal(claims['kubernetes.io'].pod.uid, pod.metadata.uid);
  assert.equal((await stat(join(world.root, 'pods'))).mode & 0o777, 0o700);
});

test('a privileged container on a host that refuses privileges runs with less, and an event tells it', async () => {
  await world.startKubelet(new HollowRuntime({ clock: systemClock, images: ['app:1'], allowsPrivileged: false }));
  await world.createPod('mighty', {
    containers: [{ name: 'main', image: 'app:1', securityContext: { privileged: true } }],
  });
  await world.waitForPhase('mighty', 'Running');
  await eventually(async () => {
    const told = (await world.events('mighty')).find(({ reason }) => reason === 'PrivilegedRefused');
    assert.match(told?.message ?? '', /^Container main is not fully privileged: this host refuses it; /);
    assert.equal(told?.type, 'Warning');
  });
});

/** Adds a container that looks into another of the pod, as `kubectl debug` does. */
async function debug(name: string, container: object): Promise<void> {
  const patch = {
    spec: { ephemeralContainers: [{ name: 'shell', image: 'app:1', targetContainerName: 'main', ...container }] },
  };
  await world.client.patch(pods, name, 'default', 'strategic', patch, { subresource: 'ephemeralcontainers' });
}

test('an ephemeral container starts in a running pod, is not started again, and leaves the pod as it was', async () => {
  const runtime = await startHollow();
  await world.createPod('debugged');
  await world.waitForPhase('debugged', 'Running');
  await debug('debugged', {});
  const state = async (check: (state: ContainerState | undefined) => void): Promise<void> =>
    void (await world.waitForPod('debugged', (pod) => check(pod.status?.ephemeralContainerStatuses?.[0]?.state)));
  await state((now) => assert.ok(now?.running));
  const all = await runtime.listContainers();
  const shell = all.find(({ name }) => name === 'shell');
  assert.ok(shell);
  await eventually(async () => {
    const told = (await world.events('debugged')).filter(
      ({ involvedObject }) => involvedObject.fieldPath === 'spec.ephemeralContainers{shell}',
    );
    assert.deepEqual(new Set(told.map(({ reason }) => reason)), new Set(['Pulled', 'Created', 'Started']));
  });
  runtime.crash(shell.id, 7);
  await state((now) => assert.equal(now?.terminated?.exitCode, 7));
  await world.stopKubelet();
  await world.startKubelet(runtime);
  const pod = await world.waitForPhase('debugged', 'Running');
  assert.equal(pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  assert.equal(pod.status.containerStatuses?.[0]?.restartCount, 0);
  const shells = (await runtime.listContainers()).filter(({ name }) => name === 'shell');
  assert.deepEqual(
    shells.map(({ id, attempt }) => [id, attempt]),
    [[shell.id, 0]],
  );
});

test('an ephemeral container waits for the container that it is to look into', async () => {
  await startHollow();
  await world.createPod('early', {
    containers: [{ name: 'main', image: 'app:1', envFrom: [{ configMapRef: { name: 'absent' } }] }],
  });
  await world.waitForPod('early', (pod) => assert.ok(pod.status?.containerStatuses?.[0]?.state?.waiting));
  await debug('early', {});
  await world.waitForPod('early', (pod) => {
    const waiting = pod.status?.ephemeralContainerStatuses?.[0]?.state?.waiting;
    assert.deepEqual(waiting, {
      reason: 'CreateContainerConfigError',
      message: 'unable to find target container main',
    });
  });
  await world.client.create(configmaps, { metadata: { name: 'absent', namespace: 'default' }, data: {} });
  await world.waitForPod('early', (pod) => assert.ok(pod.status?.ephemeralContainerStatuses?.[0]?.state?.running));
});
