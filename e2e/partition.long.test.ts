import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { EndpointSlice, Node, Pod } from '../shared/api/generated/types.js';
import { eventually } from '../shared/clock/eventually.js';
import { TestCluster } from './lab/cluster.js';
import type { Host } from './lab/host.js';
import { toolbox } from './lab/images.js';

/** Prefers the second machine, and stays `seconds` on one that cannot be reached. */
const web = (name: string, seconds: number): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      terminationGracePeriodSeconds: 1
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 100
            preference: {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [joined]}]}
      tolerations:
      - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: ${seconds}}
      - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: ${seconds}}
      containers:
      - name: web
        image: ${toolbox}
        command: [sh, -c, 'echo ${name} > /tmp/index.html; exec httpd -f -p 8080 -h /tmp']
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec:
  selector: {app: ${name}}
  ports: [{port: 80, targetPort: 8080}]
`;

const toleratedSeconds = 10;
let cluster: TestCluster;
let second: Host;

before(async () => {
  cluster = await TestCluster.start({ hosts: 2 });
  second = cluster.lab.host(1);
  const { stdout } = await cluster.knarr(['token', 'create', '--print-join-command']);
  await cluster.knarr([...stdout.trim().split(' ').slice(1), '--node-name', 'joined'], { timeoutMs: 120_000 }, second);
  await cluster.apply(`${web('hasty', toleratedSeconds)}---${web('patient', 3600)}`);
  for (const name of ['hasty', 'patient'])
    await cluster.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=60s'], { timeoutMs: 70_000 });
});
after(() => cluster?.destroy());

const podsOf = async (app: string): Promise<Pod[]> =>
  (await cluster.get<{ items: Pod[] }>('pods', '-l', `app=${app}`)).items;
const readyNode = async (): Promise<string | undefined> =>
  (await cluster.get<Node>('node', 'joined')).status?.conditions?.find((c) => c.type === 'Ready')?.status;
/** Seconds since the epoch at which the node got the taint that evicts. */
const taintedAt = async (): Promise<number> => {
  const { taints = [] } = (await cluster.get<Node>('node', 'joined')).spec ?? {};
  const taint = taints.find((t) => t.key === 'node.kubernetes.io/unreachable' && t.effect === 'NoExecute');
  assert.ok(taint?.timeAdded, `no taint yet: ${JSON.stringify(taints)}`);
  return Date.parse(taint.timeAdded) / 1000;
};
const runningThere = async (app: string): Promise<string[]> => {
  const filter = ['--filter', `label=io.kubernetes.pod.namespace=default`, '--format', '{{.Names}}'];
  const { stdout } = await second.run(['docker', 'ps', ...filter]);
  return stdout.split('\n').filter((name) => name.startsWith(`k8s_web_${app}-`));
};

/** Drops every packet between the second machine and the others. */
const cutOff = (): Promise<unknown> =>
  second.run(['nft', '-f', '-'], {
    input: `table inet cut {
      chain in { type filter hook prerouting priority -400; iifname "eth0" drop; }
      chain out { type filter hook postrouting priority 400; oifname "eth0" drop; }
    }`,
  });
const reconnect = (): Promise<unknown> => second.run(['nft', 'delete', 'table', 'inet', 'cut']);

test('a machine that is cut off turns NotReady, and its pods leave when they tolerate it no longer', async () => {
  for (const app of ['hasty', 'patient']) assert.equal((await podsOf(app))[0]?.spec.nodeName, 'joined');
  await cutOff();
  await eventually(async () => assert.equal(await readyNode(), 'Unknown'), 120_000, 1_000);
  const fromSeconds = await eventually(taintedAt, 30_000, 500);
  const replacement = await eventually(
    async () => {
      const found = (await podsOf('hasty')).find((pod) => pod.spec.nodeName === 'node-1');
      assert.ok(found, 'there is no pod on the other machine yet');
      return found;
    },
    60_000,
    500,
  );
  const createdSeconds = Date.parse(replacement.metadata?.creationTimestamp ?? '') / 1000;
  const waited = createdSeconds - fromSeconds;
  assert.ok(waited >= toleratedSeconds - 1 && waited < toleratedSeconds + 15, `replaced after ${waited} s`);
  await cluster.kubectl(['wait', '--for=condition=Ready', `pod/${replacement.metadata?.name}`, '--timeout=30s']);
});

test('the pod that tolerates it stays, but gets no requests', async () => {
  const [pod, ...more] = await podsOf('patient');
  assert.deepEqual([pod?.spec.nodeName, pod?.metadata?.deletionTimestamp, more], ['joined', undefined, []]);
  const { items } = await cluster.get<{ items: EndpointSlice[] }>(
    'endpointslices',
    '-l',
    'kubernetes.io/service-name=patient',
  );
  assert.deepEqual(
    items.flatMap((slice) => slice.endpoints?.map((e) => e.conditions?.ready)),
    [false],
  );
  assert.equal((await runningThere('hasty')).length, 1, 'nobody could tell the machine to stop it');
});

test('when the machine is back, replaced pods end there and the others serve as before', async () => {
  const before = await podsOf('patient');
  await reconnect();
  await eventually(async () => assert.equal(await readyNode(), 'True'), 60_000, 500);
  await eventually(
    async () => {
      assert.deepEqual(await runningThere('hasty'), []);
      assert.deepEqual(
        (await podsOf('hasty')).map((pod) => pod.spec.nodeName),
        ['node-1'],
      );
    },
    60_000,
    500,
  );
  const after = await podsOf('patient');
  const container = (pods: Pod[]): unknown[] =>
    pods.map((p) => [p.metadata?.uid, p.status?.containerStatuses?.map((c) => [c.containerID, c.restartCount])]);
  assert.deepEqual(container(after), container(before));
  const request = ['exec', 'deployment/hasty', '--', 'timeout', '5', 'wget', '-q', '-O', '-', 'http://patient/'];
  await eventually(async () => assert.equal(await cluster.kubectl(request), 'patient\n'), 60_000, 500);
  const { taints = [] } = (await cluster.get<Node>('node', 'joined')).spec ?? {};
  assert.deepEqual(taints, []);
});
