import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, NodeStatus, Pod, PodSpec } from '../../shared/api/generated/types.js';
import { containerOf, podOf } from '../testing/pod-builder.js';
import { nodeStatus, type NodeHealth } from './node-object.js';
import { admitPod, resizeRefusal } from './pod-admission.js';
import { SysctlAllowlist } from './sysctl-allowlist.js';

const identity = { name: 'node-1', ip: '192.0.2.1', linkAddress: '192.0.2.1', labels: {}, port: 10250 };
const machine = {
  cpus: 4,
  memoryBytes: 8 * 2 ** 30,
  diskBytes: 100 * 2 ** 30,
  architecture: 'amd64',
  kernelVersion: '6',
  osImage: 'x',
  machineId: 'm',
  systemUuid: 's',
  bootId: 'b',
  hasAppArmor: false,
};
const well: NodeHealth = {
  runtimeProblem: undefined,
  runtimeVersion: 'docker://20.10',
  networkProblem: undefined,
  pressure: { availableMemoryBytes: 2 ** 30, availableDiskBytes: 50 * 2 ** 30 },
  images: [],
};
const statusOf = (before: NodeStatus, health: Partial<NodeHealth> = {}): NodeStatus =>
  nodeStatus(before, identity, machine, { ...well, ...health }, Date.parse('2026-01-01T00:00:00Z'));

test('extended resources that somebody patched in stay, and become allocatable', () => {
  const status = statusOf({ capacity: { 'example.com/gpu': '2', cpu: '99' }, allocatable: { 'example.com/old': '1' } });
  assert.equal(status.capacity?.['example.com/gpu'], '2');
  assert.equal(status.allocatable?.['example.com/gpu'], '2');
  assert.equal(status.allocatable['example.com/old'], undefined);
  assert.equal(status.capacity['cpu'], '4');
});

test('a runtime that is down and a network that is not there are told in Ready', () => {
  const ready = (health: Partial<NodeHealth>): string => {
    const condition = statusOf({}, health).conditions?.find(({ type }) => type === 'Ready');
    return `${condition?.status} ${condition?.message}`;
  };
  assert.equal(ready({}), 'True kubelet is posting ready status');
  assert.match(ready({ runtimeProblem: 'start it' }), /^False container runtime is down: start it$/);
  assert.match(
    ready({ networkProblem: 'no podCIDR' }),
    /NetworkReady=false reason:NetworkPluginNotReady message:no podCIDR/,
  );
});

test('little memory and little disk show as pressure', () => {
  const status = statusOf({}, { pressure: { availableMemoryBytes: 2 ** 20, availableDiskBytes: 2 ** 30 } });
  const values = Object.fromEntries((status.conditions ?? []).map(({ type, status: value }) => [type, value]));
  assert.deepEqual([values['MemoryPressure'], values['DiskPressure']], ['True', 'True']);
});

const node: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node-1', labels: { zone: 'a' }, uid: 'n', resourceVersion: '1', creationTimestamp: '' },
  spec: {},
  status: statusOf({}),
};
const rules = { sysctls: new SysctlAllowlist(), machine };
const refusal = (spec: Partial<PodSpec>, others: ReturnType<typeof podOf>[] = []): string | undefined =>
  admitPod(podOf(spec), others, node, rules)?.reason;
const asking = (cpu: string): Partial<PodSpec> => ({
  containers: [containerOf('main', { resources: { requests: { cpu } } })],
});
const other = (spec: Partial<PodSpec>): ReturnType<typeof podOf> => {
  const pod = podOf(spec);
  pod.metadata.uid = 'uid-other';
  return pod;
};

test('a pod is refused where the node has no room, port or label for it', () => {
  const web = { containers: [containerOf('main', { ports: [{ containerPort: 80, hostPort: 80 }] })] };
  assert.equal(refusal(asking('4')), undefined);
  assert.equal(refusal(asking('4100m')), 'OutOfcpu');
  assert.equal(refusal(asking('2'), [other(asking('3'))]), 'OutOfcpu');
  assert.equal(refusal(web, [other(web)]), 'NodePorts');
  assert.equal(refusal({ nodeSelector: { zone: 'b' } }), 'NodeAffinity');
  assert.equal(refusal({ nodeSelector: { zone: 'a' } }), undefined);
  assert.equal(
    admitPod(podOf(asking('5')), [], node, rules)?.message,
    "Node didn't have enough resource: cpu, requested: 5000, used: 0, capacity: 4000",
  );
});

test('a pod is refused for its sysctls, whether the Node is known yet or not', () => {
  const sysctls = [{ name: 'kernel.msgmax', value: '65536' }];
  const pod = podOf({ securityContext: { sysctls } });
  assert.deepEqual(admitPod(pod, [], undefined, rules), {
    reason: 'SysctlForbidden',
    message: 'forbidden sysctl: "kernel.msgmax" not allowlisted',
    isRejection: true,
  });
  assert.equal(admitPod(pod, [], node, { machine, sysctls: new SysctlAllowlist(['kernel.msg*']) }), undefined);
});

test('a pod that wants to be confined is refused where the machine has no AppArmor', () => {
  const pod = podOf({ securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } });
  assert.deepEqual(admitPod(pod, [], node, rules), {
    reason: 'AppArmor',
    message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host',
    isRejection: true,
  });
  assert.equal(admitPod(pod, [], node, { ...rules, machine: { hasAppArmor: true } }), undefined);
});

test('a pod that already runs is never refused', () => {
  const pod = podOf(asking('100'), {
    containerStatuses: [
      { name: 'main', image: '', imageID: '', ready: true, restartCount: 0, containerID: 'docker://x' },
    ],
  });
  assert.equal(admitPod(pod, [], node, rules), undefined);
});

test('a resize waits while others have the room, and for ever where the node is too small', () => {
  const small: Node = { ...node, status: { allocatable: { cpu: '2', memory: '1Gi' } } };
  const asks = (cpu: string, uid: string): Pod => {
    const pod = podOf({ containers: [containerOf('main', { resources: { requests: { cpu } } })] });
    return { ...pod, metadata: { ...pod.metadata, uid } };
  };
  const others = [asks('1500m', 'other')];
  assert.equal(resizeRefusal(asks('500m', 'own'), [...others, asks('500m', 'own')], small), undefined);
  assert.deepEqual(resizeRefusal(asks('1', 'own'), others, small), {
    type: 'PodResizePending',
    reason: 'Deferred',
    message: "Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000",
  });
  assert.deepEqual(resizeRefusal(asks('3', 'own'), others, small), {
    type: 'PodResizePending',
    reason: 'Infeasible',
    message: "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000",
  });
});
