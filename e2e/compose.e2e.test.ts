import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import type { Node, Pod, Service } from '../shared/api/generated/types.js';
import { eventually } from '../shared/clock/eventually.js';
import { command, type CommandOptions } from './lab/command.js';
import type { Host } from './lab/host.js';
import { importToolbox, toolbox } from './lab/images.js';
import { Lab } from './lab/lab.js';

// The page lies in a ConfigMap and is served out of memory; a second server listens on the pod's loopback only.
const web = `
apiVersion: v1
kind: ConfigMap
metadata: {name: page}
data: {index.html: "the page\\n"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: ${toolbox}
        command: [sh, -c, 'cp /page/index.html /memory/; httpd -p 127.0.0.1:8081 -h /memory; exec httpd -f -p 8080 -h /memory']
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
        volumeMounts: [{name: page, mountPath: /page}, {name: memory, mountPath: /memory}]
      volumes:
      - name: page
        configMap: {name: page}
      - name: memory
        emptyDir: {medium: Memory, sizeLimit: 1Mi}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`;

let lab: Lab;
let host: Host;

const compose = async (args: readonly string[], options: CommandOptions = {}): Promise<string> => {
  const env = { KNARR_DOCKER_SOCKET: host.dockerSocket };
  const argv = ['docker-compose', '-p', 'knarr', '-f', resolve('docker-compose.yml'), ...args];
  return (await host.run(argv, { timeoutMs: 180_000, ...options, env })).stdout;
};
const docker = async (...args: readonly string[]): Promise<string> =>
  (await host.run(['docker', ...args], { timeoutMs: 120_000 })).stdout.trim();
const kubectl = async (args: readonly string[], options: CommandOptions = {}): Promise<string> =>
  (await host.run(['kubectl', ...args], { timeoutMs: 90_000, ...options })).stdout;
const get = async <T>(...args: readonly string[]): Promise<T> =>
  JSON.parse(await kubectl(['get', '-o', 'json', ...args])) as T;
const containerOf = async (service: string): Promise<string> => (await compose(['ps', '-q', service])).trim();

before(async () => {
  await command([process.execPath, 'dist/scripts/compose-image.js']);
  lab = await Lab.create(1);
  host = lab.host(0);
  await importToolbox(host.dockerSocket);
  await compose(['up', '-d']);
});
after(() => lab?.destroy());

test('two nodes and DNS come up', async () => {
  const bootstrap = await containerOf('bootstrap');
  assert.equal(await docker('wait', bootstrap), '0', await docker('logs', bootstrap));
  const { items } = await get<{ items: Node[] }>('nodes');
  assert.deepEqual(
    items.map((node) => [node.metadata.name, node.status?.conditions?.find((c) => c.type === 'Ready')?.status]),
    [
      ['node-1', 'True'],
      ['node-2', 'True'],
    ],
  );
});

test('no container has more rights than it needs', async () => {
  const rights = async (service: string): Promise<string> =>
    docker('inspect', '-f', '{{.HostConfig.Privileged}} {{.HostConfig.CapAdd}}', await containerOf(service));
  assert.equal(await rights('apiserver'), 'false []');
  assert.equal(await rights('kube-proxy-1'), 'false [NET_ADMIN]');
  assert.equal(await rights('kubelet-1'), 'false [NET_ADMIN SYS_ADMIN SYS_PTRACE]');
});

test('pods with a ConfigMap and memory as volumes serve behind a Service', async () => {
  await kubectl(['apply', '-f', '-'], { input: web });
  await kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
  await assertServed();
  assert.match(
    await kubectl(['exec', 'deployment/web', '--', 'grep', ' /memory ', '/proc/mounts']),
    /^tmpfs \/memory tmpfs /,
  );
});

test('DNS answers pods, and a port that only their loopback has is forwarded', async () => {
  const address = 'web.default.svc.cluster.local';
  assert.equal(
    await kubectl(['exec', 'deployment/web', '--', 'wget', '-q', '-O', '-', `http://${address}/`]),
    'the page\n',
  );
  const forward = host.spawn(['kubectl', 'port-forward', 'deployment/web', '18081:8081'], 'port-forward.log');
  try {
    const page = (): Promise<string> => fetchPage('http://127.0.0.1:18081/');
    assert.equal(await eventually(page, 20_000, 200), 'the page\n');
  } finally {
    forward.kill();
  }
});

test('processes that are killed come back, and pods go on', async () => {
  const before = await pods();
  const killed = [
    'apiserver',
    'scheduler',
    'controller-manager',
    'kubelet-1',
    'kubelet-2',
    'kube-proxy-1',
    'kube-proxy-2',
  ];
  for (const service of killed) {
    const pid = await docker('inspect', '-f', '{{.State.Pid}}', await containerOf(service));
    process.kill(Number(pid), 'SIGKILL');
    await assertServed();
  }
  await eventually(() => kubectl(['scale', 'deployment/web', '--replicas=3']), 60_000, 500);
  await kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
  const after = await pods();
  for (const pod of before) assert.ok(after.includes(pod), `${pod} is gone; there are ${after.join(', ')}`);
  assert.equal(after.length, 3);
});

test('it is removed with all its pods, networks, rules and state', async () => {
  await compose(['down']);
  await assertServed();
  await compose(['run', '--rm', '--no-deps', 'bootstrap', 'down']);
  assert.equal(await docker('ps', '-aq'), '');
  assert.doesNotMatch(await docker('network', 'ls'), /knarr/);
  assert.doesNotMatch((await host.run(['nft', 'list', 'tables'])).stdout, /knarr/);
  assert.doesNotMatch((await host.ip('addr', 'show', 'dev', 'lo')).stdout, /10\.245\./);
  assert.equal((await host.run(['bash', '-c', 'ls ~/.knarr'])).stdout, '');
});

/** Pods of the Deployment with the containers that they run in. */
async function pods(): Promise<string[]> {
  const { items } = await get<{ items: Pod[] }>('pods', '-l', 'app=web');
  return items.map((pod) => {
    const [container] = pod.status?.containerStatuses ?? [];
    return `${pod.metadata?.name} ${container?.containerID} ${container?.restartCount}`;
  });
}

let nodePort: number | undefined;
async function assertServed(): Promise<void> {
  nodePort ??= (await get<Service>('service', 'web')).spec?.ports?.[0]?.nodePort;
  assert.equal(await eventually(() => fetchPage(`http://${host.address}:${nodePort}/`), 10_000, 200), 'the page\n');
}

async function fetchPage(url: string): Promise<string> {
  return (await host.run(['curl', '-sSf', '-m', '5', url])).stdout;
}
