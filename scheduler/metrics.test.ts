import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../shared/clock/fake-clock.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import { schedulerMetrics } from './metrics.js';
import { toPodInfo } from './pod-info.js';
import { SchedulingQueue } from './scheduling-queue.js';
import { pod } from './testing/objects.js';

test('pods are counted by what brought them into which queue', async () => {
  const registry = new MetricsRegistry();
  const metrics = schedulerMetrics(registry, () => ({ active: 0, backoff: 0, unschedulable: 0 }));
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
  const metrics = schedulerMetrics(registry, () => ({ active: 1, backoff: 0, unschedulable: 0 }));
  metrics.placed(3, true);
  metrics.bound(3);
  const text = registry.render();
  assert.match(
    text,
    /^scheduler_pod_scheduling_attempts_bucket\{le="2"\} 0\nscheduler_pod_scheduling_attempts_bucket\{le="4"\} 1$/m,
  );
  assert.match(text, /^scheduler_scheduling_attempt_duration_seconds_bucket\{.*le="0.004"\} 1$/m);
  assert.match(text, /^scheduler_scheduling_attempt_duration_seconds_bucket\{.*le="16.384"\} 1$/m);
  assert.match(text, /^scheduler_pending_pods\{queue="active"\} 1$/m);
});
