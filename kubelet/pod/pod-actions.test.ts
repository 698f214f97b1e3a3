import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, PodSpec } from '../../shared/api/generated/types.js';
import type { ContainerResources } from '../runtime/container-runtime.js';
import { containerOf, observationOf, podOf } from '../testing/pod-builder.js';
import type { PlanContext, PodAction } from './container-actions.js';
import { computePodActions } from './pod-actions.js';

const calm: PlanContext = {
  nowMs: 100_000,
  condemned: () => undefined,
  mayResize: true,
  hasStarted: () => true,
  backOff: () => undefined,
};

/** One line per action, for tables that can be read. */
function told(action: PodAction): string {
  switch (action.type) {
    case 'createSandbox':
      return `sandbox ${action.attempt}`;
    case 'startContainer':
      return `start ${action.role} ${action.name}#${action.attempt}`;
    case 'killContainer':
      return `kill ${action.id} ${action.reason}`;
    case 'resizeContainer':
      return `resize ${action.id} ${JSON.stringify(action.resources)}`;
    case 'removeContainer':
    case 'removeSandbox':
      return `remove ${action.id}`;
    case 'backOff':
      return `wait ${action.name} ${action.delayMs}`;
    case 'finishPod':
      return 'finish';
  }
}

const debugged = { ephemeralContainers: [{ name: 'shell', image: 'app:1' }] };

interface Row {
  readonly title: string;
  readonly spec?: Partial<PodSpec>;
  readonly sandboxes: string;
  readonly containers?: readonly string[];
  readonly context?: Partial<PlanContext>;
  readonly want: readonly string[];
}

const two = { containers: [containerOf('a'), containerOf('b')] };
const init = { initContainers: [containerOf('i1'), containerOf('i2')] };
const sidecar = { initContainers: [containerOf('side', { restartPolicy: 'Always' }), containerOf('i1')] };

const rows: readonly Row[] = [
  { title: 'a new pod gets a sandbox first', sandboxes: '', want: ['sandbox 0'] },
  {
    title: 'containers start side by side in a ready sandbox',
    spec: two,
    sandboxes: '0:ready',
    want: ['start app a#0', 'start app b#0'],
  },
  { title: 'a running pod is left alone', sandboxes: '0:ready', containers: ['main#0 running'], want: [] },
  {
    title: 'a crashed container is started again',
    sandboxes: '0:ready',
    containers: ['main#0 exited 1'],
    want: ['start app main#1'],
  },
  {
    title: 'a crash loop waits',
    sandboxes: '0:ready',
    containers: ['main#1 exited 1'],
    context: { backOff: () => ({ delayMs: 10_000, untilMs: 110_000 }) },
    want: ['wait main 10000'],
  },
  {
    title: 'OnFailure lets a success rest',
    spec: { restartPolicy: 'OnFailure' },
    sandboxes: '0:ready',
    containers: ['main#0 exited 0'],
    want: ['finish'],
  },
  {
    title: 'OnFailure repeats a failure',
    spec: { restartPolicy: 'OnFailure' },
    sandboxes: '0:ready',
    containers: ['main#0 exited 2'],
    want: ['start app main#1'],
  },
  {
    title: 'Never lets a failure rest',
    spec: { restartPolicy: 'Never' },
    sandboxes: '0:ready',
    containers: ['main#0 exited 2'],
    want: ['finish'],
  },
  {
    title: 'one ended container of two does not end the pod',
    spec: { ...two, restartPolicy: 'Never' },
    sandboxes: '0:ready',
    containers: ['a#0 exited 0', 'b#0 running'],
    want: [],
  },
  {
    title: 'a dead sandbox is made anew and its survivors are killed',
    sandboxes: '0:dead',
    containers: ['main#0 running'],
    want: ['kill main-0 sandboxGone', 'sandbox 1'],
  },
  {
    title: 'a dead sandbox of a Never pod ends it',
    spec: { restartPolicy: 'Never' },
    sandboxes: '0:dead',
    containers: ['main#0 exited 137'],
    want: ['finish'],
  },
  {
    title: 'a sandbox that never held a container is replaced also for Never',
    spec: { restartPolicy: 'Never' },
    sandboxes: '0:dead',
    want: ['sandbox 1'],
  },
  {
    title: 'after a new sandbox attempts go on counting, and the old sandbox stays for its logs',
    sandboxes: '0:dead 1:ready',
    containers: ['main#0 exited 137'],
    want: ['start app main#1'],
  },
  {
    title: 'an old sandbox goes when nothing in it is worth keeping',
    sandboxes: '0:dead 1:ready',
    containers: ['main#1@1 running'],
    want: ['remove sandbox-0'],
  },
  {
    title: 'a leftover of a killed kubelet is replaced with the same attempt',
    sandboxes: '0:ready',
    containers: ['main#0 created'],
    want: ['remove main-0', 'start app main#0'],
  },
  {
    title: 'only the newest dead container is kept beside the running one',
    sandboxes: '0:ready',
    containers: ['main#2 running', 'main#1 exited 1', 'main#0 exited 1'],
    want: ['remove main-0'],
  },
  { title: 'the first init container runs alone', spec: init, sandboxes: '0:ready', want: ['start init i1#0'] },
  {
    title: 'the next init container follows a success',
    spec: init,
    sandboxes: '0:ready',
    containers: ['i1#0 exited 0'],
    want: ['start init i2#0'],
  },
  {
    title: 'a running init container is waited for',
    spec: init,
    sandboxes: '0:ready',
    containers: ['i1#0 running'],
    want: [],
  },
  {
    title: 'apps follow the last init container',
    spec: init,
    sandboxes: '0:ready',
    containers: ['i1#0 exited 0', 'i2#0 exited 0'],
    want: ['start app main#0'],
  },
  {
    title: 'a failed init container is repeated',
    spec: init,
    sandboxes: '0:ready',
    containers: ['i1#0 exited 1'],
    want: ['start init i1#1'],
  },
  {
    title: 'a failed init container ends a Never pod',
    spec: { ...init, restartPolicy: 'Never' },
    sandboxes: '0:ready',
    containers: ['i1#0 exited 1'],
    want: ['finish'],
  },
  {
    title: 'a new sandbox runs init containers again',
    spec: init,
    sandboxes: '0:dead 1:ready',
    containers: ['i1#0 exited 0', 'i2#0 exited 0', 'main#0 exited 137'],
    want: ['start init i1#1'],
  },
  {
    title: 'a sidecar starts before the next init container',
    spec: sidecar,
    sandboxes: '0:ready',
    want: ['start sidecar side#0'],
  },
  {
    title: 'a started sidecar lets the next one go',
    spec: sidecar,
    sandboxes: '0:ready',
    containers: ['side#0 running'],
    want: ['start init i1#0'],
  },
  {
    title: 'a sidecar that has not started holds the others back',
    spec: sidecar,
    sandboxes: '0:ready',
    containers: ['side#0 running'],
    context: { hasStarted: () => false },
    want: [],
  },
  {
    title: 'a dead sidecar is restarted beside running apps',
    spec: sidecar,
    sandboxes: '0:ready',
    containers: ['side#0 exited 1', 'i1#0 exited 0', 'main#0 running'],
    want: ['start sidecar side#1'],
  },
  {
    title: 'when the apps are through a sidecar does not keep the pod',
    spec: { ...sidecar, restartPolicy: 'Never' },
    sandboxes: '0:ready',
    containers: ['side#0 running', 'i1#0 exited 0', 'main#0 exited 0'],
    want: ['finish'],
  },
  {
    title: 'an ephemeral container starts beside what runs',
    spec: debugged,
    sandboxes: '0:ready',
    containers: ['main#0 running'],
    want: ['start ephemeral shell#0'],
  },
  {
    title: 'an ephemeral container waits for the sandbox, but not for init containers',
    spec: { ...debugged, ...init },
    sandboxes: '0:ready',
    containers: ['i1#0 running'],
    want: ['start ephemeral shell#0'],
  },
  { title: 'a sandbox comes before an ephemeral container', spec: debugged, sandboxes: '', want: ['sandbox 0'] },
  {
    title: 'an ephemeral container that ended is never started again',
    spec: debugged,
    sandboxes: '0:ready',
    containers: ['main#0 running', 'shell#0 exited 1'],
    want: [],
  },
  {
    title: 'one that a killed kubelet left behind is made anew',
    spec: debugged,
    sandboxes: '0:ready',
    containers: ['main#0 running', 'shell#0 created'],
    want: ['remove shell-0', 'start ephemeral shell#0'],
  },
  {
    title: 'the old sandbox stays for the end of an ephemeral container',
    spec: debugged,
    sandboxes: '1:ready 0:notReady',
    containers: ['main#1@1 running', 'shell#0 exited 137'],
    want: [],
  },
  {
    title: 'an ephemeral container does not keep a pod that is through',
    spec: { ...debugged, restartPolicy: 'Never' },
    sandboxes: '0:ready',
    containers: ['main#0 exited 0', 'shell#0 running'],
    want: ['finish'],
  },
  {
    title: 'a failed liveness probe kills',
    sandboxes: '0:ready',
    containers: ['main#0 running'],
    context: { condemned: () => 'liveness' },
    want: ['kill main-0 liveness'],
  },
];

for (const row of rows) {
  test(row.title, () => {
    const pod = podOf(row.spec);
    const observed = observationOf(pod, row.sandboxes, ...(row.containers ?? []));
    assert.deepEqual(computePodActions(pod, observed, { ...calm, ...row.context }).map(told), row.want);
  });
}

test('a changed image kills the container, whatever the restart policy', () => {
  const before = podOf({ restartPolicy: 'Never' });
  const observed = observationOf(before, '0:ready', 'main#0 running');
  const after = podOf({ restartPolicy: 'Never', containers: [containerOf('main', { image: 'app:2' })] });
  const [action] = computePodActions(after, observed, calm);
  assert.ok(action?.type === 'killContainer');
  assert.equal(action.message, 'Container main definition changed, will be restarted');
});

test('a container that the runtime lost goes on counting from what the API remembers', () => {
  const lost = {
    name: 'main',
    image: 'app:1',
    imageID: '',
    ready: true,
    restartCount: 4,
    containerID: 'docker://gone',
  };
  const pod = podOf({}, { containerStatuses: [lost] });
  assert.deepEqual(computePodActions(pod, observationOf(pod, '0:ready'), calm).map(told), ['start app main#5']);
});

test('an ephemeral container that the runtime lost is not started again', () => {
  const told = {
    name: 'shell',
    image: 'app:1',
    imageID: '',
    ready: false,
    restartCount: 0,
    containerID: 'docker://gone',
  };
  const pod = podOf(debugged, { ephemeralContainerStatuses: [told] });
  assert.deepEqual(computePodActions(pod, observationOf(pod, '0:ready', 'main#0 running'), calm), []);
});

test('other limits reach the container that runs, or make it start anew where its policy says so', () => {
  const limits = { cpu: '200m', memory: '64Mi' };
  const actions = (
    has: ContainerResources,
    more: Partial<Container> = {},
    context: Partial<PlanContext> = {},
  ): string[] => {
    const pod = podOf({ containers: [containerOf('main', { resources: { limits, requests: limits }, ...more })] });
    const observed = observationOf(pod, '0:ready', 'main#0 running');
    const containers = observed.containers.map((container) => ({ ...container, resources: has }));
    return computePodActions(pod, { ...observed, containers }, { ...calm, ...context }).map(told);
  };
  const right = { cpuShares: 204, cpuQuota: 20_000, memoryLimitBytes: 64 * 2 ** 20 };
  const wanted = '{"cpuShares":204,"cpuQuota":20000,"cpuPeriod":100000,"memoryLimitBytes":67108864}';
  const small = { ...right, memoryLimitBytes: 2 ** 20 };
  const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
  assert.deepEqual(actions(right), []);
  assert.deepEqual(actions(small), [`resize main-0 ${wanted}`]);
  assert.deepEqual(actions({}), [`resize main-0 ${wanted}`]);
  assert.deepEqual(actions(small, {}, { mayResize: false }), []);
  assert.deepEqual(actions(small, { resizePolicy }), ['kill main-0 resize']);
  assert.deepEqual(actions({ ...right, cpuShares: 2 }, { resizePolicy }), [`resize main-0 ${wanted}`]);
});
