import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../shared/clock/fake-clock.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import { KubeletMetrics } from './kubelet-metrics.js';
import { ProbeMetrics } from './probe/probe-metrics.js';
import { HollowRuntime } from './runtime/hollow/hollow-runtime.js';
import { measuredRuntime } from './runtime/measured-runtime.js';
import { containerOf, podOf } from './testing/pod-builder.js';

const registry = new MetricsRegistry();
const clock = new FakeClock();
const metrics = new KubeletMetrics(registry, clock, 'node-1');
const shows = (line: string): void => assert.ok(registry.render().includes(`\n${line}\n`), line);

test('every operation of the runtime is counted, and what failed twice over', async () => {
  const runtime = measuredRuntime(new HollowRuntime({ clock }), metrics.operation);
  assert.equal((await runtime.version()).name, 'hollow');
  await runtime.listContainers();
  await runtime.listContainers();
  await assert.rejects(runtime.startContainer('nothing'), { code: 'NotFound' });
  shows('kubelet_runtime_operations_total{operation_type="list_containers"} 2');
  shows('kubelet_runtime_operations_total{operation_type="start_container"} 1');
  shows('kubelet_runtime_operations_errors_total{operation_type="start_container"} 1');
  shows('kubelet_runtime_operations_duration_seconds_count{operation_type="list_containers"} 2');
  assert.doesNotMatch(registry.render(), /errors_total\{operation_type="list_containers"/);
});

test('what runs is told as of the last relist', async () => {
  metrics.relisted(20, [{ state: 'ready' }, { state: 'notReady' }], [{ state: 'running' }, { state: 'exited' }]);
  await clock.advance(20_000);
  metrics.relisted(20, [{ state: 'ready' }], [{ state: 'running' }, { state: 'running' }]);
  shows('kubelet_node_name{node="node-1"} 1');
  shows('kubelet_running_pods 1');
  shows('kubelet_running_containers{container_state="running"} 2');
  shows('kubelet_running_containers{container_state="exited"} 0');
  shows('kubelet_pleg_relist_duration_seconds_count 2');
  shows('kubelet_pleg_relist_interval_seconds_sum 20');
  shows(`kubelet_pleg_last_seen_seconds ${clock.now() / 1000}`);
});

test('the start of a pod counts from the first sight of it, once, and not at all where it ran before', async () => {
  const pod = podOf();
  const uid = pod.metadata.uid ?? '';
  metrics.podSeen(pod);
  await clock.advance(1_500);
  metrics.podSeen(pod);
  metrics.podPhase(uid, 'Pending');
  metrics.podPhase(uid, 'Running');
  metrics.podPhase(uid, 'Running');
  const adopted = { ...pod, metadata: { ...pod.metadata, uid: 'other' }, status: { phase: 'Running' } };
  metrics.podSeen(adopted);
  metrics.podPhase('other', 'Running');
  shows('kubelet_pod_start_duration_seconds_sum 1.5');
  shows('kubelet_pod_start_duration_seconds_count 1');
});

test('probes are counted by container and result until their pod is gone', () => {
  const own = new MetricsRegistry();
  const probes = new ProbeMetrics(own);
  const pod = podOf();
  const { name, namespace, uid } = pod.metadata;
  const target = { pod, container: containerOf('main'), containerId: 'c', podIP: '127.0.0.1' };
  for (const result of ['successful', 'successful', 'failed', 'unknown'] as const)
    probes.probed('readiness', target, result, 3);
  const series = (result: string): string =>
    `prober_probe_total{probe_type="Readiness",result="${result}",container="main",pod="${name}",namespace="${namespace}",pod_uid="${uid}"}`;
  const text = own.render();
  for (const line of [`${series('successful')} 2`, `${series('failed')} 1`, `${series('unknown')} 1`])
    assert.ok(text.includes(`\n${line}\n`), text);
  assert.match(text, /prober_probe_duration_seconds_count\{probe_type="Readiness",container="main",.*\} 4/);
  probes.forget(uid);
  assert.doesNotMatch(own.render(), /pod_uid|container="main"/);
});
