import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from '../apiserver/testing/test-server.js';
import {
  events,
  nodes,
  persistentvolumeclaims,
  persistentvolumes,
  pods,
  storageclasses,
} from '../shared/api/generated/resources.js';
import type { Pod } from '../shared/api/generated/types.js';
import type { Client } from '../shared/client/client.js';
import { clientFromKubeconfig } from '../shared/client/connect.js';
import { eventually } from '../shared/clock/eventually.js';
import { systemClock } from '../shared/clock/clock.js';
import { silentLog } from '../shared/log/log.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import { build } from './build.js';

const metrics = new MetricsRegistry();
let server: TestServer;
let admin: Client;
const stopping = new AbortController();
let running: Promise<void>;

before(async () => {
  server = await startTestServer();
  admin = await clientFromKubeconfig(server.kubeconfigPath, { clock: systemClock });
  const kubeconfig = await server.kubeconfigFor('system:kube-scheduler');
  const client = await clientFromKubeconfig(kubeconfig, { clock: systemClock });
  const deps = { client, clock: systemClock, log: silentLog, metrics, random: Math.random };
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
    '0/1 nodes are available: 1 Insufficient cpu. ' +
      'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling. ' +
      'small: cpu 2 requested, 500m of 500m free',
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

test('room that a deleted pod leaves, or a smaller one, goes to the one that waits', async () => {
  await addNode('single', '1', { only: 'this' });
  const here = { nodeSelector: { only: 'this' } };
  await addPod('first', '800m', here);
  await placed('first', 'single');
  await addPod('second', '800m', here);
  await told('second', 'FailedScheduling');
  await admin.delete(pods, 'first', 'default', { gracePeriodSeconds: 0 });
  await placed('second', 'single');
  await addPod('third', '500m', here);
  await told('third', 'FailedScheduling');
  const smaller = { containers: [{ name: 'c', resources: { requests: { cpu: '300m' } } }] };
  await admin.patch(pods, 'second', 'default', 'strategic', { spec: smaller }, { subresource: 'resize' });
  await placed('third', 'single');
});

test('a pod that is refused again for the same reason has one event that counts; another reason is another event', async () => {
  await addNode('narrow', '100m', { only: 'narrow' });
  await addPod('patient', '2', { nodeSelector: { only: 'narrow' } });
  const grow = async (amounts: Record<string, string>): Promise<void> => {
    const { status, ...node } = await admin.get(nodes, 'narrow');
    const allocatable = { ...status?.allocatable, ...amounts };
    await admin.updateStatus(nodes, { ...node, status: { ...status, capacity: allocatable, allocatable } });
  };
  /** The one event about so much of free CPU, once it counts more than `past`. */
  const counted = (free: string, past: number): Promise<number> =>
    eventually(async () => {
      const fieldSelector = 'involvedObject.name=patient,reason=FailedScheduling';
      const { items } = await admin.list(events, { namespace: 'default', fieldSelector });
      const about = items.filter(({ message }) => message?.includes(`${free} of ${free} free`));
      assert.equal(about.length, 1);
      const [{ count = 0, firstTimestamp = '', lastTimestamp = '' } = {}] = about;
      assert.ok(count > past && firstTimestamp <= lastTimestamp);
      return count;
    });
  const first = await counted('100m', 0);
  await grow({ memory: '2Gi' });
  const second = await counted('100m', first);
  await grow({ memory: '3Gi' });
  await counted('100m', second);
  await grow({ cpu: '200m' });
  await counted('200m', 0);
});

test('a pod of another scheduler is left alone', async () => {
  await addPod('foreign', '1m', { schedulerName: 'somebody-else' });
  await addPod('ours', '1m');
  await eventually(async () => assert.ok((await admin.get(pods, 'ours', 'default')).spec.nodeName));
  assert.equal((await admin.get(pods, 'foreign', 'default')).spec.nodeName, undefined);
});

test('a pod of higher priority takes the place of another, which is told why', async () => {
  await addNode('contested', '1', { only: 'contested' });
  const here = { nodeSelector: { only: 'contested' } };
  const { metadata } = await addPod('humble', '800m', { ...here, priority: 0, terminationGracePeriodSeconds: 30 });
  await placed('humble', 'contested');
  const urgent = await addPod('urgent', '800m', { ...here, priorityClassName: 'system-cluster-critical' });
  assert.match(
    await told('urgent', 'FailedScheduling'),
    /: 1 Insufficient cpu, \d+ node\(s\) didn't match [^.]*\. contested/,
  );
  assert.equal(await told('humble', 'Preempted'), `Preempted by pod ${urgent.metadata.uid} on node contested`);
  const leaving = await eventually(async () => {
    const found = await admin.get(pods, 'humble', 'default');
    assert.ok(found.metadata.deletionTimestamp);
    return found;
  });
  const target = leaving.status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  assert.deepEqual(
    [target?.status, target?.reason, target?.message],
    ['True', 'PreemptionByScheduler', 'default-scheduler: preempting to accommodate a higher priority pod'],
  );
  const waiting = await admin.get(pods, 'urgent', 'default');
  assert.deepEqual([waiting.spec.nodeName, waiting.status?.nominatedNodeName], [undefined, 'contested']);
  await addPod('thief', '500m', { ...here, priority: 0 });
  await told('thief', 'FailedScheduling');
  await admin.delete(pods, 'humble', 'default', { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } });
  await placed('urgent', 'contested');
  assert.equal((await admin.get(pods, 'urgent', 'default')).status?.nominatedNodeName, undefined);
});

const claim = async (name: string, storageClassName: string): Promise<void> => {
  const resources = { requests: { storage: '1Gi' } };
  const spec = { accessModes: ['ReadWriteOnce'], resources, storageClassName };
  await admin.create(persistentvolumeclaims, { metadata: { name, namespace: 'default' }, spec });
};
const uses = (claimName: string) => ({ volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] });
/** What the controller of volumes does when a claim has got its volume. */
const completeBinding = (name: string, volumeName: string): Promise<unknown> => {
  const annotations = { 'pv.kubernetes.io/bind-completed': 'yes' };
  const patch = { metadata: { annotations }, spec: { volumeName } };
  return admin.patch(persistentvolumeclaims, name, 'default', 'merge', patch);
};

test('a pod whose claim is missing waits for it, and for its volume', async () => {
  await addPod('stateful', '1m', uses('missing'));
  assert.match(
    await told('stateful', 'FailedScheduling'),
    /^0\/\d nodes are available: persistentvolumeclaim "missing" not found\. preemption: 0\/\d nodes are available: \d Preemption is not helpful for scheduling\.$/,
  );
  await claim('missing', 'none');
  await eventually(async () => {
    const { status } = await admin.get(pods, 'stateful', 'default');
    const condition = status?.conditions?.find((c) => c.type === 'PodScheduled');
    assert.match(condition?.message ?? '', /: pod has unbound immediate PersistentVolumeClaims\. /);
  });
  const hostPath = { path: '/tmp/knarr-volume' };
  const spec = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath };
  await admin.create(persistentvolumes, { metadata: { name: 'volume' }, spec });
  await completeBinding('missing', 'volume');
  await eventually(async () => assert.ok((await admin.get(pods, 'stateful', 'default')).spec.nodeName));
});

test('a claim that waits for its consumer gets a volume of the node that the pod then has in view', async () => {
  await addNode('storing', '1', { only: 'storing' });
  await admin.create(storageclasses, {
    metadata: { name: 'local' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  });
  const expressions = [{ key: 'only', operator: 'In', values: ['storing'] }];
  const made = await admin.create(persistentvolumes, {
    metadata: { name: 'local-1' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '2Gi' },
      storageClassName: 'local',
      local: { path: '/tmp/knarr-local' },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: expressions }] } },
    },
  });
  await admin.updateStatus(persistentvolumes, { ...made, status: { phase: 'Available' } });
  await claim('delayed', 'local');
  await addPod('consumer', '1m', uses('delayed'));
  await eventually(async () => {
    const { spec, metadata } = await admin.get(persistentvolumes, 'local-1');
    assert.equal(spec.claimRef?.name, 'delayed');
    assert.equal(metadata.annotations?.['pv.kubernetes.io/bound-by-controller'], 'yes');
    const { status } = await admin.get(pods, 'consumer', 'default');
    assert.equal(status?.nominatedNodeName, 'storing');
  });
  await completeBinding('delayed', 'local-1');
  await placed('consumer', 'storing');
});

test('a gated pod is not looked at until its gates are gone', async () => {
  await addPod('gated', '1m', { schedulingGates: [{ name: 'example.com/wait' }] });
  await addPod('open', '1m');
  await eventually(async () => assert.ok((await admin.get(pods, 'open', 'default')).spec.nodeName));
  const { spec, status } = await admin.get(pods, 'gated', 'default');
  assert.equal(spec.nodeName, undefined);
  assert.equal(status?.conditions?.find(({ type }) => type === 'PodScheduled')?.reason, 'SchedulingGated');
  await admin.patch(pods, 'gated', 'default', 'merge', { spec: { schedulingGates: null } });
  await eventually(async () => assert.ok((await admin.get(pods, 'gated', 'default')).spec.nodeName));
});

test('the steps of what was done here are timed', () => {
  const text = metrics.render();
  const steps = ['PreFilter', 'Filter', 'Score', 'Reserve', 'Bind'].map((point) => `${point} Success`);
  for (const step of [...steps, 'Filter Unschedulable', 'PostFilter Unschedulable']) {
    const [point, status] = step.split(' ');
    const labels = `extension_point="${point}",profile="default-scheduler",status="${status}"`;
    const name = 'scheduler_framework_extension_point_duration_seconds_count';
    assert.match(text, new RegExp(`^${name}\\{${labels}\\} [1-9]`, 'm'), step);
  }
  assert.match(text, /^scheduler_pod_scheduling_sli_duration_seconds_count\{attempts="1"\} [1-9]/m);
  assert.match(text, /^scheduler_schedule_attempts_total\{profile="default-scheduler",result="scheduled"\} [1-9]/m);
});
