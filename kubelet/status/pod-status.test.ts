import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodSpec, PodStatus } from '../../shared/api/generated/types.js';
import type { PodObservation } from '../pod/pod-observation.js';
import type { ContainerResources } from '../runtime/container-runtime.js';
import { containerOf, observationOf, podOf } from '../testing/pod-builder.js';
import type { WaitingReason } from './container-status.js';
import { podStatus, type StatusInput } from './pod-status.js';

interface Given {
  readonly spec?: Partial<PodSpec>;
  readonly status?: PodStatus;
  readonly sandboxes?: string;
  readonly containers?: readonly string[];
  readonly waiting?: Readonly<Record<string, WaitingReason>>;
  readonly more?: Partial<StatusInput>;
}

function statusOf({ spec, status, sandboxes = '0:ready', containers = [], waiting = {}, more }: Given): PodStatus {
  const pod = podOf(spec, status);
  return podStatus({
    pod,
    observed: observationOf(pod, sandboxes, ...containers),
    nowMs: Date.parse('2026-01-01T00:01:00Z'),
    hostIPs: ['192.0.2.1'],
    waiting: new Map(Object.entries(waiting)),
    terminal: false,
    failure: undefined,
    resize: undefined,
    hasStarted: () => true,
    isReady: () => true,
    ...more,
  });
}

const withResources = (resources: ContainerResources, { spec, status, containers = [] }: Given): PodObservation => {
  const observed = observationOf(podOf(spec, status), '0:ready', ...containers);
  return { ...observed, containers: observed.containers.map((container) => ({ ...container, resources })) };
};

const conditionsOf = (status: PodStatus): Record<string, string> =>
  Object.fromEntries(
    (status.conditions ?? []).map(({ type, status: value, reason }) => [type, `${value} ${reason ?? ''}`.trim()]),
  );

const phases: readonly (readonly [string, string, Given])[] = [
  ['nothing yet is Pending', 'Pending', { sandboxes: '' }],
  ['running is Running', 'Running', { containers: ['main#0 running'] }],
  [
    'one of two not created yet is Pending',
    'Pending',
    { spec: { containers: [containerOf('a'), containerOf('b')] }, containers: ['a#0 running'] },
  ],
  ['a crash under Always is Running', 'Running', { containers: ['main#0 exited 1'] }],
  ['all ended well is Succeeded', 'Succeeded', { spec: { restartPolicy: 'Never' }, containers: ['main#0 exited 0'] }],
  ['a failure under Never is Failed', 'Failed', { spec: { restartPolicy: 'Never' }, containers: ['main#0 exited 1'] }],
  [
    'a failure under OnFailure is Running',
    'Running',
    { spec: { restartPolicy: 'OnFailure' }, containers: ['main#0 exited 1'] },
  ],
  [
    'init containers at work are Pending',
    'Pending',
    { spec: { initContainers: [containerOf('i')] }, containers: ['i#0 running'] },
  ],
  [
    'a failed init container under Never is Failed',
    'Failed',
    { spec: { initContainers: [containerOf('i')], restartPolicy: 'Never' }, containers: ['i#0 exited 1'] },
  ],
  [
    'success waits for the sidecar to end',
    'Running',
    {
      spec: { initContainers: [containerOf('s', { restartPolicy: 'Always' })], restartPolicy: 'Never' },
      containers: ['s#0 running', 'main#0 exited 0'],
    },
  ],
  ['a phase that is final stays', 'Failed', { status: { phase: 'Failed' }, containers: ['main#0 running'] }],
];
for (const [title, want, given] of phases) test(title, () => assert.equal(statusOf(given).phase, want));

test('a container that waits shows why, and keeps how it ended', () => {
  const message = 'back-off 10s restarting failed container=main pod=pod_default(uid-1)';
  const status = statusOf({
    containers: ['main#1 exited 3'],
    waiting: { main: { reason: 'CrashLoopBackOff', message } },
  }).containerStatuses?.[0];
  assert.deepEqual(status?.state, { waiting: { reason: 'CrashLoopBackOff', message } });
  assert.equal(status.lastState?.terminated?.exitCode, 3);
  assert.equal(status.restartCount, 1);
  assert.equal(status.ready, false);
});

test('before anything is made containers wait with the reason that fits', () => {
  const reasonOf = (spec: Partial<PodSpec>): string | undefined =>
    statusOf({ spec, sandboxes: '' }).containerStatuses?.[0]?.state?.waiting?.reason;
  assert.equal(reasonOf({}), 'ContainerCreating');
  assert.equal(reasonOf({ initContainers: [containerOf('i')] }), 'PodInitializing');
});

test('conditions tell what is missing, in the original words', () => {
  const status = statusOf({ containers: ['main#0 running'], more: { isReady: () => false } });
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  assert.deepEqual(
    [ready?.status, ready?.reason, ready?.message],
    ['False', 'ContainersNotReady', 'containers with unready status: [main]'],
  );
});

test('a finished pod is not ready because it is completed', () => {
  const conditions = conditionsOf(statusOf({ spec: { restartPolicy: 'Never' }, containers: ['main#0 exited 0'] }));
  assert.equal(conditions['Ready'], 'False PodCompleted');
  assert.equal(conditions['ContainersReady'], 'False PodCompleted');
  assert.equal(conditions['Initialized'], 'True');
});

test('readiness gates hold back Ready but not ContainersReady', () => {
  const spec = { readinessGates: [{ conditionType: 'example.com/gate' }] };
  const conditions = conditionsOf(statusOf({ spec, containers: ['main#0 running'] }));
  assert.equal(conditions['Ready'], 'False ReadinessGatesNotReady');
  assert.equal(conditions['ContainersReady'], 'True');
});

test('times of transitions move only with the status, and conditions of others stay', () => {
  const then = '2025-12-31T00:00:00Z';
  const status = statusOf({
    containers: ['main#0 running'],
    status: {
      conditions: [
        { type: 'Ready', status: 'True', lastTransitionTime: then },
        { type: 'ContainersReady', status: 'False', lastTransitionTime: then },
        { type: 'example.com/gate', status: 'True' },
      ],
    },
  });
  const times = Object.fromEntries((status.conditions ?? []).map((c) => [c.type, c.lastTransitionTime]));
  assert.equal(times['Ready'], then);
  assert.equal(times['ContainersReady'], '2026-01-01T00:01:00Z');
  assert.ok('example.com/gate' in times);
});

test('a resize that is not done is a condition, and the container has what it had', () => {
  const before = { requests: { cpu: '100m' }, limits: { cpu: '100m' } };
  const spec = {
    containers: [containerOf('main', { resources: { limits: { cpu: '200m' }, requests: { cpu: '200m' } } })],
  };
  const was = { name: 'main', image: '', imageID: '', ready: true, restartCount: 0, resources: before };
  const given = { spec, status: { containerStatuses: [was] }, containers: ['main#0 running'] };
  const status = statusOf({
    ...given,
    more: {
      observed: withResources({ cpuShares: 102, cpuQuota: 10_000, memoryLimitBytes: 0 }, given),
      resize: { type: 'PodResizePending', reason: 'Infeasible', message: 'too much' },
    },
  });
  assert.deepEqual(status.containerStatuses?.[0]?.resources, before);
  assert.equal(conditionsOf(status)['PodResizePending'], 'True Infeasible');
  const done = statusOf({
    ...given,
    status: { ...given.status, conditions: status.conditions ?? [] },
    more: { observed: withResources({ cpuShares: 204, cpuQuota: 20_000, memoryLimitBytes: 0 }, given) },
  });
  assert.deepEqual(done.containerStatuses?.[0]?.resources, spec.containers[0]?.resources);
  assert.equal(conditionsOf(done)['PodResizePending'], undefined);
});

test('a pod that was refused has no containers, also when nobody remembers why', () => {
  const failure = { reason: 'NodePorts', message: 'Pod was rejected: ...', isRejection: true };
  const refused = statusOf({ sandboxes: '', more: { failure, terminal: true } });
  assert.equal(refused.containerStatuses, undefined);
  assert.equal(statusOf({ sandboxes: '', status: refused, more: { terminal: true } }).containerStatuses, undefined);
});

test('a pod that the kubelet refused is Failed with the reason', () => {
  const failure = { reason: 'OutOfcpu', message: "Pod was rejected: Node didn't have enough resource: cpu" };
  const status = statusOf({ sandboxes: '', more: { failure, terminal: true } });
  assert.deepEqual([status.phase, status.reason, status.message], ['Failed', failure.reason, failure.message]);
});

test('a pod that is being evicted says why when nothing of it runs any more', () => {
  const failure = {
    reason: 'Evicted',
    message: 'Usage of EmptyDir volume "x" exceeds the limit "1Mi". ',
    isDisruption: true,
  };
  const ending = statusOf({ containers: ['main#0 running'], more: { failure, terminal: true } });
  assert.deepEqual([ending.phase, ending.reason, ending.message], ['Running', undefined, undefined]);
  const over = statusOf({ containers: ['main#0 exited 137'], more: { failure, terminal: true } });
  assert.deepEqual([over.phase, over.reason, over.message], ['Failed', failure.reason, failure.message]);
  const target = over.conditions?.find(({ type }) => type === 'DisruptionTarget');
  assert.deepEqual(
    [target?.status, target?.reason, target?.message],
    ['True', 'TerminationByKubelet', failure.message],
  );
});

test('a container lost by the runtime counts as killed when the pod ends', () => {
  const running = { name: 'main', image: 'app:1', imageID: '', ready: true, restartCount: 0, state: { running: {} } };
  const status = statusOf({
    sandboxes: '',
    status: { phase: 'Running', containerStatuses: [running] },
    more: { terminal: true },
  });
  assert.equal(status.containerStatuses?.[0]?.state?.terminated?.reason, 'ContainerStatusUnknown');
  assert.equal(status.phase, 'Failed');
});

test('hostNetwork pods have the addresses of the node', () => {
  const status = statusOf({ spec: { hostNetwork: true }, containers: ['main#0 running'] });
  assert.equal(status.podIP, '192.0.2.1');
});

const debugged = { ephemeralContainers: [{ name: 'shell', image: 'app:1' }] };

test('an ephemeral container shows how it is, and counts for nothing else', () => {
  const status = statusOf({ spec: debugged, containers: ['main#0 running', 'shell#0 exited 3'] });
  const [shell] = status.ephemeralContainerStatuses ?? [];
  assert.equal(shell?.state?.terminated?.exitCode, 3);
  assert.deepEqual([shell.ready, shell.restartCount, 'started' in shell], [false, 0, false]);
  assert.deepEqual([status.phase, conditionsOf(status)['Ready']], ['Running', 'True']);
  const waiting = { shell: { reason: 'ErrImagePull', message: 'no' } };
  const early = statusOf({ spec: debugged, containers: ['main#0 running'], waiting });
  assert.equal(early.ephemeralContainerStatuses?.[0]?.state?.waiting?.reason, 'ErrImagePull');
  assert.equal(early.phase, 'Running');
});

test('a pod is not over while an ephemeral container of it runs, and not failed by how that ends', () => {
  const spec = { ...debugged, restartPolicy: 'Never' };
  const more = { terminal: true };
  assert.equal(statusOf({ spec, containers: ['main#0 exited 0', 'shell#0 running'], more }).phase, 'Running');
  assert.equal(statusOf({ spec, containers: ['main#0 exited 0', 'shell#0 exited 137'], more }).phase, 'Succeeded');
});

test('an ephemeral container that the runtime lost has ended', () => {
  const running = { name: 'shell', image: 'app:1', imageID: '', ready: false, restartCount: 0, state: { running: {} } };
  const status = statusOf({
    spec: debugged,
    containers: ['main#0 running'],
    status: { ephemeralContainerStatuses: [running] },
  });
  assert.equal(status.ephemeralContainerStatuses?.[0]?.state?.terminated?.reason, 'ContainerStatusUnknown');
});
