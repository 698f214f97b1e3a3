import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { configmaps, pods, secrets } from '../shared/api/generated/resources.js';
import type { Container, Pod } from '../shared/api/generated/types.js';
import { systemClock } from '../shared/clock/clock.js';
import { eventually } from '../shared/clock/eventually.js';
import { isNotFound } from '../shared/errors/status-error.js';
import { CapturedOutput } from './container/captured-output.js';
import { createProber } from './probe/probe.js';
import { busyboxImage } from './runtime/docker/busybox-image.js';
import { DockerRuntime } from './runtime/docker/docker-runtime.js';
import { KubeletWorld } from './testing/kubelet-world.js';

const host = process.env['DOCKER_HOST'];
assert.ok(host, 'these tests need a Docker Engine: set DOCKER_HOST to its socket, e.g. unix:///var/run/docker.sock');
const image = 'knarr-test/kubelet:1';

let world: KubeletWorld;
let runtime: DockerRuntime;
before(async () => {
  const log = { warn: () => undefined };
  runtime = new DockerRuntime({ host, cluster: 'kubelet-e2e', node: 'node-1', clock: systemClock, log });
  await runtime.loadImage(await busyboxImage(image));
  world = await KubeletWorld.open({ image, podCIDR: '10.250.3.0/24', prober: createProber });
});
afterEach(() => world.reset());
after(async () => {
  await world.close();
  // What the kubelet has not got round to before its end.
  for (const { id } of await runtime.listPodSandboxes()) await runtime.removePodSandbox(id);
  await runtime.removeNetwork();
  await runtime.close();
});

const shell = (script: string, more: Partial<Container> = {}): Container => ({
  name: 'main',
  image,
  command: ['sh', '-c', script],
  ...more,
});
const forever = 'trap "exit 0" TERM; while true; do sleep 0.1; done';

/** The log of a container once it has ended or says `until`. */
async function logOf(pod: Pod, name: string): Promise<string> {
  const all = await runtime.listContainers({ podUid: pod.metadata.uid ?? '' });
  const container = all.find((candidate) => candidate.name === name);
  const output = new CapturedOutput(100_000);
  await runtime.logs(container?.id ?? '', { follow: false, timestamps: false }, output);
  return output.text;
}

test('environment, volumes, files and identity arrive in the container', async () => {
  await world.startKubelet(runtime);
  const metadata = { name: 'settings', namespace: 'default' };
  await world.client.create(configmaps, { metadata, data: { 'app.conf': 'color=blue', LEVEL: 'high' } });
  await world.client.create(secrets, {
    metadata: { name: 'token', namespace: 'default' },
    data: { password: Buffer.from('s3cret').toString('base64') },
  });
  const script = [
    'echo level=$LEVEL ip=$POD_IP name=$NAME expanded=$EXPANDED cpu=$CPU',
    'cat /config/app.conf /secret/password /etc/resolv.conf /etc/hosts',
    'hostname; echo shared > /scratch/file; cat /scratch/file; id -u',
    'touch /part/of /logs/of; stat -c "%n %a %g" /memory /memory/part /memory/part/of /scratch/logs/of',
  ].join('; ');
  await world.createPod('full', {
    restartPolicy: 'Never',
    securityContext: { fsGroup: 2000 },
    hostAliases: [{ ip: '192.0.2.7', hostnames: ['db', 'database'] }],
    containers: [
      shell(script, {
        env: [
          { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'LEVEL' } } },
          { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'EXPANDED', value: '$(NAME)-$(LEVEL)-$(MISSING)' },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
        ],
        resources: { limits: { cpu: '500m', memory: '64Mi' } },
        securityContext: { runAsUser: 1000, runAsNonRoot: true },
        volumeMounts: [
          { name: 'config', mountPath: '/config' },
          { name: 'secret', mountPath: '/secret', readOnly: true },
          { name: 'scratch', mountPath: '/scratch' },
          { name: 'scratch', mountPath: '/logs', subPath: 'logs' },
          { name: 'memory', mountPath: '/memory' },
          { name: 'memory', mountPath: '/part', subPathExpr: 'part' },
        ],
      }),
    ],
    volumes: [
      { name: 'config', configMap: { name: 'settings', items: [{ key: 'app.conf', path: 'app.conf' }] } },
      { name: 'secret', secret: { secretName: 'token' } },
      { name: 'scratch', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    ],
  });
  const pod = await world.waitForPhase('full', 'Succeeded');
  const log = await logOf(pod, 'main');
  assert.match(log, /^level=high ip=10\.250\.3\.\d+ name=full expanded=full-high-\$\(MISSING\) cpu=500$/m);
  assert.match(log, /color=blue/);
  assert.match(log, /s3cret/);
  assert.match(
    log,
    /search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local example\.org\nnameserver 10\.96\.0\.10/,
  );
  assert.match(log, /# Kubernetes-managed hosts file\./);
  assert.match(log, /192\.0\.2\.7\tdb\tdatabase/);
  assert.match(log, /^full$/m);
  assert.match(log, /^shared$/m);
  assert.match(log, /^1000$/m);
  assert.match(log, /^\/memory 2777 2000\n\/memory\/part 2777 2000$/m);
  assert.match(log, /^\/memory\/part\/of 644 2000\n\/scratch\/logs\/of 644 2000$/m);
  assert.equal(pod.status?.containerStatuses?.[0]?.state?.terminated?.reason, 'Completed');
  const conditions = Object.fromEntries((pod.status?.conditions ?? []).map(({ type, reason }) => [type, reason]));
  assert.equal(conditions['Ready'], 'PodCompleted');
});

test('init containers run in order before the others, which share what they left behind', async () => {
  await world.startKubelet(runtime);
  const volumeMounts = [{ name: 'work', mountPath: '/work' }];
  await world.createPod('ordered', {
    restartPolicy: 'Never',
    initContainers: [
      shell('echo one >> /work/log', { name: 'one', volumeMounts }),
      shell('echo two >> /work/log', { name: 'two', volumeMounts }),
    ],
    containers: [shell('cat /work/log; echo "all is lost" > /dev/termination-log; exit 7', { volumeMounts })],
    volumes: [{ name: 'work', emptyDir: {} }],
  });
  const pod = await world.waitForPhase('ordered', 'Failed');
  assert.equal(await logOf(pod, 'main'), 'one\ntwo\n');
  const terminated = pod.status?.containerStatuses?.[0]?.state?.terminated;
  assert.deepEqual([terminated?.exitCode, terminated?.reason, terminated?.message], [7, 'Error', 'all is lost\n']);
  assert.deepEqual(
    pod.status?.initContainerStatuses?.map(({ ready }) => ready),
    [true, true],
  );
});

test('probes decide on readiness, and a failing liveness probe restarts the container', async () => {
  await world.startKubelet(runtime);
  await world.createPod('probed', {
    containers: [
      shell('mkdir /www; echo ok > /www/index.html; exec httpd -f -p 8080 -h /www', {
        ports: [{ name: 'web', containerPort: 8080 }],
        readinessProbe: { httpGet: { path: '/', port: 'web' }, periodSeconds: 1 },
      }),
      shell(forever, {
        name: 'sick',
        livenessProbe: { exec: { command: ['sh', '-c', 'exit 1'] }, periodSeconds: 1, failureThreshold: 1 },
      }),
    ],
  });
  const pod = await world.waitForPod('probed', (found) => {
    const [main, sick] = found.status?.containerStatuses ?? [];
    assert.equal(main?.ready, true);
    assert.ok((sick?.restartCount ?? 0) > 0);
  });
  assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 0);
  const events = await world.events('probed');
  assert.ok(events.some((event) => event.reason === 'Unhealthy' && event.message?.startsWith('Liveness probe failed')));
  assert.ok(events.some((event) => event.message === 'Container sick failed liveness probe, will be restarted'));
});

test('deletion runs preStop, sends SIGTERM, and leaves nothing behind', async () => {
  await world.startKubelet(runtime);
  const saying = 'trap "echo terminated; exit 0" TERM; while true; do sleep 0.1; done';
  const lifecycle = { preStop: { exec: { command: ['sh', '-c', 'echo stopping > /proc/1/fd/1'] } } };
  await world.createPod('polite', { terminationGracePeriodSeconds: 10, containers: [shell(saying, { lifecycle })] });
  const pod = await world.waitForPhase('polite', 'Running');
  const output = new CapturedOutput(10_000);
  const [container] = await runtime.listContainers({ podUid: pod.metadata.uid ?? '' });
  const following = runtime.logs(container?.id ?? '', { follow: true, timestamps: false }, output);
  await world.client.delete(pods, 'polite', 'default');
  await eventually(() => assert.rejects(world.getPod('polite'), isNotFound));
  await following;
  assert.equal(output.text, 'stopping\nterminated\n');
  assert.deepEqual(await runtime.listPodSandboxes(), []);
});

test('a program that is not there cannot run, and what a failed hook printed stays out of the events', async () => {
  await world.startKubelet(runtime);
  const failing = { exec: { command: ['sh', '-c', 'echo hidden; exit 3'] } };
  await world.createPod('failing', {
    terminationGracePeriodSeconds: 0,
    containers: [
      shell('', { name: 'absent', command: ['/no/such/program'] }),
      shell(forever, { lifecycle: { postStart: failing } }),
    ],
  });
  const pod = await world.waitForPod('failing', (found) => {
    const [absent, main] = found.status?.containerStatuses ?? [];
    assert.equal(absent?.lastState?.terminated?.reason, 'ContainerCannotRun');
    assert.ok(main?.lastState?.terminated);
  });
  assert.equal(pod.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 127);
  const told = (await world.events('failing')).map(({ reason, message }) => `${reason}: ${message}`);
  assert.ok(told.includes('FailedPostStartHook: PostStartHook failed'));
  assert.deepEqual(
    told.filter((text) => text.includes('hidden')),
    [],
  );
});

test('a restarted kubelet leaves running containers alone', async () => {
  await world.startKubelet(runtime);
  await world.createPod('kept', { containers: [shell(forever)] });
  const before = await world.waitForPhase('kept', 'Running');
  await world.stopKubelet();
  await world.startKubelet(runtime);
  await eventually(async () => {
    const events = await world.events('kept');
    assert.ok(events.length > 0);
  });
  const after = await world.getPod('kept');
  assert.deepEqual(
    after.status?.containerStatuses?.map(({ containerID, restartCount }) => [containerID, restartCount]),
    before.status?.containerStatuses?.map(({ containerID }) => [containerID, 0]),
  );
});

test('a pod is resized while it runs, and its status tells what is so', async () => {
  await world.startKubelet(runtime);
  const resources = (cpu: string): Container['resources'] => ({ limits: { cpu, memory: '64Mi' }, requests: { cpu } });
  await world.createPod('grown', { containers: [shell(forever, { resources: resources('100m') })] });
  const before = await world.waitForPhase('grown', 'Running');
  const resize = (cpu: string): Promise<Pod> => {
    const spec = { containers: [{ name: 'main', resources: resources(cpu) }] };
    return world.client.patch(pods, 'grown', 'default', 'strategic', { spec }, { subresource: 'resize' });
  };
  await resize('200m');
  const after = await world.waitForPod('grown', ({ status }) =>
    assert.equal(status?.containerStatuses?.[0]?.resources?.limits?.['cpu'], '200m'),
  );
  const [running] = await runtime.listContainers({ podUid: after.metadata.uid ?? '' });
  assert.equal(running?.resources?.cpuQuota, 20_000);
  assert.equal(after.status?.containerStatuses?.[0]?.containerID, before.status?.containerStatuses?.[0]?.containerID);
  await world.createPod('other', { containers: [shell(forever, { resources: { requests: { cpu: '3' } } })] });
  await world.waitForPhase('other', 'Running');
  await resize('2');
  const pending = await world.waitForPod('grown', ({ status }) =>
    assert.ok(status?.conditions?.some(({ type, reason }) => type === 'PodResizePending' && reason === 'Deferred')),
  );
  assert.equal(pending.status?.containerStatuses?.[0]?.resources?.limits?.['cpu'], '200m');
  await eventually(async () => {
    const told = new Set((await world.events('grown')).map(({ reason }) => reason));
    assert.deepEqual(
      [...told].filter((reason) => reason?.startsWith('Resize')),
      ['ResizeStarted', 'ResizeCompleted', 'ResizeDeferred'],
    );
  });
});

test('a container that takes more memory than its limit is killed and says so', async () => {
  await world.startKubelet(runtime);
  await world.createPod('greedy', {
    restartPolicy: 'Never',
    containers: [shell('x=a; while true; do x=$x$x; done', { resources: { limits: { memory: '16Mi' } } })],
  });
  const pod = await world.waitForPhase('greedy', 'Failed');
  assert.equal(pod.status?.containerStatuses?.[0]?.state?.terminated?.reason, 'OOMKilled');
});
