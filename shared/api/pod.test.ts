import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Pod, PodSpec } from './generated/types.js';
import { hostPorts, isPodActive, isPodAvailable, isPodReady, podRequests, qosClass } from './pod.js';

const container = (requests: Record<string, string> = {}, limits?: Record<string, string>): Container => ({
  name: 'c',
  resources: { requests, ...(limits ? { limits } : {}) },
});
const pod = (spec: Partial<PodSpec>, status: Pod['status'] = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
  spec: { containers: [], ...spec },
  status,
});

test('requests are the larger of the containers together and the init containers in turn', () => {
  const sidecar = { ...container({ cpu: '100m' }), restartPolicy: 'Always' };
  const table: [string, Partial<PodSpec>, Record<string, number>][] = [
    [
      'sum',
      { containers: [container({ cpu: '100m', memory: '1Mi' }), container({ cpu: '1' })] },
      { cpu: 1100, memory: 1048576 },
    ],
    [
      'init is larger',
      { containers: [container({ cpu: '1' })], initContainers: [container({ cpu: '2' })] },
      { cpu: 2000 },
    ],
    [
      'init is smaller',
      { containers: [container({ cpu: '1' })], initContainers: [container({ cpu: '500m' })] },
      { cpu: 1000 },
    ],
    ['sidecar runs beside all', { containers: [container({ cpu: '1' })], initContainers: [sidecar] }, { cpu: 1100 }],
    [
      'init after a sidecar',
      { containers: [container({ cpu: '1' })], initContainers: [sidecar, container({ cpu: '2' })] },
      { cpu: 2100 },
    ],
    [
      'init before a sidecar',
      { containers: [container({ cpu: '1' })], initContainers: [container({ cpu: '2' }), sidecar] },
      { cpu: 2000 },
    ],
    ['overhead', { containers: [container({ cpu: '1' })], overhead: { cpu: '250m' } }, { cpu: 1250 }],
    ['pod level', { containers: [container({ cpu: '1' })], resources: { requests: { cpu: '3' } } }, { cpu: 3000 }],
  ];
  for (const [title, spec, expected] of table)
    assert.deepEqual(Object.fromEntries(podRequests(pod(spec).spec)), expected, title);
});

test('the quality of service follows requests and limits of cpu and memory', () => {
  const both = { cpu: '1', memory: '1Gi' };
  const table: [string, Container[], string][] = [
    ['nothing said', [container()], 'BestEffort'],
    ['other resources do not count', [container({ 'example.com/gpu': '1' })], 'BestEffort'],
    ['zero does not count', [container({ cpu: '0' })], 'BestEffort'],
    ['equal', [container(both, both)], 'Guaranteed'],
    ['equal in another notation', [container({ cpu: '1000m', memory: '1024Mi' }, both)], 'Guaranteed'],
    ['one of two', [container(both, both), container()], 'Burstable'],
    ['memory only', [container({ memory: '1Gi' }, { memory: '1Gi' })], 'Burstable'],
    ['lower request', [container({ cpu: '500m', memory: '1Gi' }, both)], 'Burstable'],
  ];
  for (const [title, containers, expected] of table) assert.equal(qosClass({ containers }), expected, title);
});

test('readiness and availability read the condition', () => {
  const ready = pod(
    {},
    { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2024-01-01T00:00:00Z' }] },
  );
  const now = Date.parse('2024-01-01T00:00:10Z');
  assert.equal(isPodReady(ready), true);
  assert.equal(isPodAvailable(ready, 10, now), true);
  assert.equal(isPodAvailable(ready, 11, now), false);
  assert.equal(isPodReady(pod({}, { phase: 'Running' })), false);
  assert.equal(isPodActive(pod({}, { phase: 'Failed' })), false);
});

test('host ports are those of containers and sidecars', () => {
  const ports = [{ containerPort: 80, hostPort: 8080 }, { containerPort: 81 }];
  const spec: PodSpec = {
    containers: [{ name: 'a', ports }],
    initContainers: [
      { name: 'i', ports: [{ containerPort: 1, hostPort: 1 }] },
      {
        name: 's',
        restartPolicy: 'Always',
        ports: [{ containerPort: 2, hostPort: 2, hostIP: '127.0.0.1', protocol: 'UDP' }],
      },
    ],
  };
  assert.deepEqual(hostPorts(spec), [
    { protocol: 'UDP', ip: '127.0.0.1', port: 2 },
    { protocol: 'TCP', ip: '0.0.0.0', port: 8080 },
  ]);
});
