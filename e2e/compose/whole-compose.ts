import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { toolbox } from '../lab/images.js';
import type { ComposeCluster } from './compose-cluster.js';

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

/** The life of the cluster of docker-compose.yml, from its start until nothing is left of it. */
export function composeTests(cluster: () => ComposeCluster): void {
  test('two nodes and DNS come up', async () => {
    const bootstrap = await cluster().containerOf('bootstrap');
    assert.equal(await cluster().docker('wait', bootstrap), '0', await cluster().docker('logs', bootstrap));
    const { items } = await cluster().get<{ items: Node[] }>('nodes');
    assert.deepEqual(
      items.map((node) => [node.metadata.name, node.status?.conditions?.find((c) => c.type === 'Ready')?.status]),
      [
        ['node-1', 'True'],
        ['node-2', 'True'],
      ],
    );
  });

  test('no container has more rights than it needs', async () => {
    const format = '{{.HostConfig.Privileged}} {{.HostConfig.CapAdd}}';
    const rights = async (service: string): Promise<string> => {
      const told = await cluster().docker('inspect', '-f', format, await cluster().containerOf(service));
      // Newer engines write the names in full.
      return told.replaceAll('CAP_', '');
    };
    assert.equal(await rights('apiserver'), 'false []');
    assert.equal(await rights('kube-proxy-1'), 'false [NET_ADMIN]');
    assert.equal(await rights('kubelet-1'), 'false [NET_ADMIN SYS_ADMIN SYS_PTRACE]');
  });

  test('pods with a ConfigMap and memory as volumes serve behind a Service', async () => {
    await cluster().kubectl(['apply', '-f', '-'], { input: web });
    await cluster().kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    await cluster().assertServed();
    assert.match(
      await cluster().kubectl(['exec', 'deployment/web', '--', 'grep', ' /memory ', '/proc/mounts']),
      /^tmpfs \/memory tmpfs /,
    );
  });

  test('DNS answers pods, and a port that only their loopback has is forwarded', async () => {
    const address = 'web.default.svc.cluster.local';
    assert.equal(
      await cluster().kubectl(['exec', 'deployment/web', '--', 'wget', '-q', '-O', '-', `http://${address}/`]),
      'the page\n',
    );
    const forward = cluster().host.spawn(
      ['kubectl', 'port-forward', 'deployment/web', '18081:8081'],
      'port-forward.log',
    );
    try {
      const page = (): Promise<string> => cluster().fetch('http://127.0.0.1:18081/');
      assert.equal(await eventually(page, 20_000, 200), 'the page\n');
    } finally {
      forward.kill();
    }
  });

  test('processes that are killed come back, and pods go on', async () => {
    const before = await cluster().pods();
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
      const pid = await cluster().docker('inspect', '-f', '{{.State.Pid}}', await cluster().containerOf(service));
      process.kill(Number(pid), 'SIGKILL');
      await cluster().assertServed();
    }
    await eventually(() => cluster().kubectl(['scale', 'deployment/web', '--replicas=3']), 60_000, 500);
    await cluster().kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    const after = await cluster().pods();
    for (const pod of before) assert.ok(after.includes(pod), `${pod} is gone; there are ${after.join(', ')}`);
    assert.equal(after.length, 3);
  });

  test('it is removed with all its pods, networks, rules and state', async () => {
    await cluster().compose(['down']);
    await cluster().assertServed();
    await cluster().compose(['run', '--rm', '--no-deps', 'bootstrap', 'down']);
    assert.equal(await cluster().docker('ps', '-aq'), '');
    assert.doesNotMatch(await cluster().docker('network', 'ls'), /knarr/);
    assert.doesNotMatch((await cluster().host.run(['nft', 'list', 'tables'])).stdout, /knarr/);
    assert.doesNotMatch((await cluster().host.ip('addr', 'show', 'dev', 'lo')).stdout, /10\.245\./);
    assert.equal((await cluster().host.run(['bash', '-c', 'ls ~/.knarr'])).stdout, '');
  });
}
