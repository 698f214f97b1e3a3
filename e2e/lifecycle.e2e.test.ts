import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Node, Pod, Service } from '../shared/api/generated/types.js';
import { eventually } from '../shared/clock/eventually.js';
import { TestCluster } from './lab/cluster.js';
import type { Host } from './lab/host.js';
import { toolbox } from './lab/images.js';
import { Lab } from './lab/lab.js';
import { hostTraces, runningContainers } from './lab/traces.js';

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: ${toolbox}
        command: [sh, -c, 'mkdir -p /tmp/www; echo served > /tmp/www/index.html; httpd -f -p 8080 -h /tmp/www & trap "exit 0" TERM; wait']
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`;

/** A kubeconfig that somebody already had. */
const earlier = `apiVersion: v1
kind: Config
clusters: [{name: work, cluster: {server: "https://192.0.2.1:6443"}}]
users: [{name: me, user: {token: secret}}]
contexts: [{name: work, context: {cluster: work, user: me}}]
current-context: work
`;

describe('a cluster from up to down', () => {
  let cluster: TestCluster;
  let traces: string;
  let address: string;

  before(async () => {
    cluster = await TestCluster.start({
      nodes: 2,
      wait: true,
      prepare: async (host) => {
        traces = await hostTraces(host);
        mkdirSync(dirname(host.kubeconfig), { recursive: true });
        writeFileSync(host.kubeconfig, earlier, { mode: 0o600 });
      },
    });
    await cluster.apply(web);
    await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    const service = await eventually(async () => {
      const found = await cluster.get<Service>('service', 'web');
      assert.ok(found.status?.loadBalancer?.ingress?.[0]?.ip);
      return found;
    }, 10_000);
    address = `http://${service.status?.loadBalancer?.ingress?.[0]?.ip}/`;
  });
  after(() => cluster?.destroy());
  TestCluster.explainFailures(() => cluster);

  const pods = async (): Promise<Pod[]> => (await cluster.get<{ items: Pod[] }>('pods', '-l', 'app=web')).items;
  const restarts = async (): Promise<number[]> =>
    (await pods()).map((pod) => pod.status?.containerStatuses?.[0]?.restartCount ?? -1);
  const served = async (timeoutMs = 10_000): Promise<void> => {
    await eventually(async () => assert.equal(await cluster.fetch(address), 'served\n'), timeoutMs, 100);
  };

  test('up makes its context the current one, keeps the others, and keeps a copy of the file', async () => {
    assert.equal(readFileSync(`${cluster.host.kubeconfig}.knarr-backup`, 'utf8'), earlier);
    assert.equal(await cluster.kubectl(['config', 'current-context']), 'knarr-default\n');
    assert.match(await cluster.kubectl(['config', 'get-contexts', '-o', 'name']), /^work$/m);
    assert.match(await cluster.kubectl(['get', 'nodes']), /node-1\s+Ready[^]*node-2\s+Ready/);
  });

  test('what a cluster keeps is for its owner alone', async () => {
    const state = join(cluster.host.directory, 'home', '.knarr', 'default');
    assert.equal(statSync(state).mode & 0o777, 0o700);
    // The volumes of pods have the modes that their pods ask for.
    const find = ['find', state, '-path', '*/nodes/*/pods', '-prune', '-o', '-type', 'f', '-perm', '/077', '-print'];
    assert.equal((await cluster.host.run(find)).stdout, '');
  });

  test('no two nodes have the same InternalIP, although they are one machine', async () => {
    const { items } = await cluster.get<{ items: Node[] }>('nodes');
    const addresses = items
      .flatMap(({ status }) => status?.addresses ?? [])
      .filter(({ type }) => type === 'InternalIP');
    assert.equal(new Set(addresses.map(({ address }) => address)).size, 2);
  });

  test('up again changes nothing and says that the cluster runs', async () => {
    const before = await runningContainers(cluster.host);
    const { stdout } = await cluster.knarr(['up', '--nodes', '2']);
    assert.match(stdout, /context "knarr-default"/);
    assert.equal(await runningContainers(cluster.host), before);
  });

  test('a second cluster is refused in one sentence that names the first', async () => {
    const refused = await cluster.knarr(['up', '--name', 'other'], { accept: [1] });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^error: The cluster "default" already runs on this machine.*\n$/);
    assert.equal(existsSync(join(cluster.host.directory, 'home', '.knarr', 'other')), false);
  });

  test('pods go on and serve while the cluster is stopped, and start takes them as they are', async () => {
    await served();
    const before = await runningContainers(cluster.host);
    await cluster.knarr(['stop']);
    assert.equal((await cluster.knarr(['status'], { accept: [1] })).code, 1);
    for (let request = 0; request < 8; request++) assert.equal(await cluster.fetch(address), 'served\n');
    assert.equal(await runningContainers(cluster.host), before);
    await cluster.knarr(['start']);
    await cluster.waitUntilHealthy();
    await served();
    assert.equal(await runningContainers(cluster.host), before, 'the same containers, not started again');
    assert.deepEqual(await restarts(), [0, 0, 0, 0]);
  });

  test('stop --pods stops the containers too, and start runs the same pods again', async () => {
    const names = (await pods()).map((pod) => pod.metadata.name).sort();
    await cluster.knarr(['stop', '--pods'], { timeoutMs: 90_000 });
    assert.equal(await runningContainers(cluster.host), '');
    await cluster.knarr(['start']);
    await eventually(async () => assert.deepEqual(await restarts(), [1, 1, 1, 1]), 30_000, 250);
    await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    assert.deepEqual((await pods()).map((pod) => pod.metadata.name).sort(), names);
    await served();
  });

  test('up with more nodes adds them and leaves the running containers alone', async () => {
    const before = await runningContainers(cluster.host);
    await cluster.knarr(['up', '--nodes', '3']);
    assert.equal(await runningContainers(cluster.host), before);
    await cluster.kubectl(['cordon', 'node-1', 'node-2']);
    await cluster.kubectl(['scale', 'deployment/web', '--replicas=5']);
    await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    assert.equal((await pods()).filter((pod) => pod.spec.nodeName === 'node-3').length, 1);
    await cluster.kubectl(['uncordon', 'node-1', 'node-2']);
    await served();
  });

  test('a stopped engine is told on the nodes in one sentence, and pods run again when it returns', async () => {
    await cluster.host.stopEngine();
    const ready = async (): Promise<(string | undefined)[][]> =>
      (await cluster.get<{ items: Node[] }>('nodes')).items.map((node) => {
        const condition = node.status?.conditions?.find((c) => c.type === 'Ready');
        return [condition?.status, condition?.message];
      });
    await eventually(
      async () => {
        for (const [status, message] of await ready()) {
          assert.equal(status, 'False', message);
          assert.match(message ?? '', /Docker Engine at .*docker\.sock.*systemctl start docker/);
        }
      },
      60_000,
      250,
    );
    assert.equal((await cluster.knarr(['status'], { accept: [1] })).code, 1);
    await cluster.host.startEngine();
    await cluster.waitUntilHealthy();
    await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    await served();
  });

  test('down leaves nothing behind, and says so when there is nothing', async () => {
    const pids = await eventually(() => componentPids(cluster));
    await cluster.knarr(['down'], { timeoutMs: 120_000 });
    assert.equal(await hostTraces(cluster.host), traces);
    assert.equal(existsSync(join(cluster.host.directory, 'home', '.knarr', 'default')), false);
    for (const pid of pids) assert.equal(existsSync(`/proc/${pid}`), false, `process ${pid} still runs`);
    assert.equal(await cluster.kubectl(['config', 'get-contexts', '-o', 'name']), 'work\n');
    const status = await cluster.knarr(['status'], { accept: [1] });
    assert.equal(status.stderr, 'error: There is no cluster "default". Start one with: knarr up\n');
    assert.equal((await cluster.knarr(['down'])).code, 0);
  });
});

async function componentPids(cluster: TestCluster): Promise<number[]> {
  const { stdout } = await cluster.knarr(['status']);
  const pids = [...stdout.matchAll(/^[a-z][\w-]* +(\d+) +ok$/gm)].map((match) => Number(match[1]));
  assert.equal(pids.length, 9, stdout);
  return pids;
}

describe('a host that cannot run a cluster', () => {
  let lab: Lab;
  let host: Host;
  before(async () => {
    lab = await Lab.create(1, { engines: false });
    host = lab.host(0);
  });
  after(() => lab?.destroy());

  const up = [process.execPath, resolve('bin/knarr'), 'up'];
  const refusal = async (argv: readonly string[]): Promise<string> => {
    const { code, stderr } = await host.run(argv, { accept: [1] });
    assert.equal(code, 1);
    return stderr;
  };

  test('without an engine up says how to install one', async () => {
    assert.match(
      await refusal(up),
      /^error: There is no Docker Engine at \S+\. Install it with: apt-get install docker\.io.*\n$/m,
    );
  });

  test('with an engine that was killed up says how to start it', async () => {
    await host.startEngine();
    await host.stopEngine('SIGKILL');
    assert.match(
      await refusal(up),
      /^error: The Docker Engine at \S+ does not answer \(.*\)\. Start it with: systemctl start docker\n$/m,
    );
  });

  test('without root up says what to type', async () => {
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    assert.match(
      await refusal([...nobody, ...up]),
      /^error: This needs root .* Run: sudo env "PATH=\$PATH" knarr up\n$/,
    );
  });
});
