import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../shared/clock/fake-clock.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import { schedulerMetrics } from './metrics.js';
import { toPodInfo } from './pod-info.js';
import { podResourceMetrics } from './pod-resources.js';
import { SchedulingQueue } from './scheduling-queue.js';
import { pod } from './testing/objects.js';

test('pods are counted by what brought them into which queue', async () => {
  const registry = new MetricsRegistry();
  const metrics = schedulerMetrics(registry, () => ({ active: 0, backoff: 0, unschedulable: 0, gated: 0 }));
  const clock = new FakeClock();
  const queue = new SchedulingQueue({ clock, onReady: () => undefined, onIncoming: metrics.incoming });
  const attempt = () => {
    const taken = queue.take();
    assert.ok(taken);
    return taken;
  };
  queue.add(toPodInfo(pod('a')));
  queue.refuse(attempt(), new Set(['PodGone']));
  queue.notice('PodGone');
  await clock.advance(1_000);
  queue.retry(attempt());
  await clock.advance(2_000);
  queue.refuse(attempt(), new Set(['PodGone']));
  queue.wake('default/a');
  const shown = [
    ...registry.render().matchAll(/^scheduler_queue_incoming_pods_total\{event="(\w+)",queue="(\w+)"\} (\d+)$/gm),
  ];
  assert.deepEqual(Object.fromEntries(shown.map(([, event, name, count]) => [`${event ?? ''} ${name ?? ''}`, count])), {
    'PodAdd active': '1',
    'ScheduleAttemptFailure unschedulable': '2',
    'PodGone backoff': '1',
    'BackoffComplete active': '2',
    'ScheduleAttemptFailure backoff': '1',
    'ForceActivate active': '1',
  });
});

test('attempts are counted by pod, and timed as the original does', () => {
  const registry = new MetricsRegistry();
  const metrics = schedulerMetrics(registry, () => ({ active: 1, backoff: 0, unschedulable: 0, gated: 2 }));
  metrics.attempted(3, 'scheduled');
  metrics.bound(3, 25);
  metrics.bound(40, 100_000);
  metrics.step('Filter', 0.3, 'Success');
  const text = registry.render();
  assert.match(
    text,
    /^scheduler_pod_scheduling_attempts_bucket\{le="2"\} 0\nscheduler_pod_scheduling_attempts_bucket\{le="4"\} 1$/m,
  );
  assert.match(text, /^scheduler_scheduling_attempt_duration_seconds_bucket\{.*le="0.004"\} 1$/m);
  assert.match(text, /^scheduler_scheduling_attempt_duration_seconds_bucket\{.*le="16.384"\} 1$/m);
  assert.match(text, /^scheduler_pending_pods\{queue="active"\} 1$/m);
  assert.match(text, /^scheduler_pending_pods\{queue="gated"\} 2$/m);
  assert.match(text, /^scheduler_pod_scheduling_sli_duration_seconds_bucket\{attempts="3",le="0.02"\} 0$/m);
  assert.match(text, /^scheduler_pod_scheduling_sli_duration_seconds_bucket\{attempts="3",le="0.04"\} 1$/m);
  assert.match(text, /^scheduler_pod_scheduling_sli_duration_seconds_count\{attempts="15\+"\} 1$/m);
  const point = 'extension_point="Filter",profile="default-scheduler",status="Success"';
  for (const [bound, count] of Object.entries({ '0.0002': 0, '0.0004': 1, '0.2048': 1 }))
    assert.ok(
      text.includes(`scheduler_framework_extension_point_duration_seconds_bucket{${point},le="${bound}"} ${count}\n`),
    );
});

test('what pods ask for and may use is told by pod and node, those that have ended left out', () => {
  const asking = pod('a', {
    nodeName: 'node-1',
    schedulerName: 'default-scheduler',
    priority: 7,
    overhead: { cpu: '100m' },
    containers: [
      {
        name: 'c',
        resources: { requests: { cpu: '1500m', memory: '1Ki' }, limits: { memory: '2Ki', 'x.io/gpu': '1' } },
      },
    ],
  });
  const ended = { ...pod('b', asking.spec), status: { phase: 'Succeeded' } };
  const of = 'namespace="default",pod="a",node="node-1",scheduler="default-scheduler",priority="7"';
  const lines = podResourceMetrics([asking, ended, pod('plain')]).split('\n');
  assert.deepEqual(
    lines.filter((line) => line.startsWith('kube')),
    [
      `kube_pod_resource_limit{${of},resource="memory",unit="bytes"} 2048`,
      `kube_pod_resource_limit{${of},resource="x.io/gpu",unit="integer"} 1`,
      `kube_pod_resource_request{${of},resource="cpu",unit="cores"} 1.6`,
      `kube_pod_resource_request{${of},resource="memory",unit="bytes"} 1024`,
    ],
  );
});
