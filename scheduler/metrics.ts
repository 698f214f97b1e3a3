import type { MetricsRegistry } from '../shared/metrics/registry.js';
import type { IncomingEvent, QueueName } from './scheduling-queue.js';
import { DEFAULT_SCHEDULER } from '../shared/api/well-known.js';

/** What the scheduler counts, under the original's names. */
export interface SchedulerMetrics {
  placed(durationMs: number, isPlaced: boolean): void;
  /** A pod has its node after so many attempts. */
  bound(attempts: number): void;
  readonly incoming: (event: IncomingEvent, queue: QueueName) => void;
  /** It was looked for pods that could make room for another; that many are evicted. */
  preemptionPlanned(victims: number): void;
}

/** Registers the metrics; `counts` is asked when they are read. */
export function schedulerMetrics(
  registry: MetricsRegistry,
  counts: () => { active: number; backoff: number; unschedulable: number },
): SchedulerMetrics {
  const labels = ['profile', 'result'];
  const attempts = registry.counter({
    name: 'scheduler_schedule_attempts_total',
    help: "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
    labels,
  });
  const durations = registry.histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'Scheduling attempt latency in seconds (scheduling algorithm).',
    labels,
    buckets: Array.from({ length: 15 }, (_, i) => 2 ** i / 1_000),
  });
  const attemptsOfPods = registry.histogram({
    name: 'scheduler_pod_scheduling_attempts',
    help: 'Number of attempts to successfully schedule a pod.',
    buckets: [1, 2, 4, 8, 16],
  });
  const incoming = registry.counter({
    name: 'scheduler_queue_incoming_pods_total',
    help: 'Number of pods added to scheduling queues by event and queue type.',
    labels: ['event', 'queue'],
  });
  const preemptions = registry.counter({
    name: 'scheduler_preemption_attempts_total',
    help: 'Total preemption attempts in the cluster till now',
  });
  const victimCounts = registry.histogram({
    name: 'scheduler_preemption_victims',
    help: 'Number of selected preemption victims',
    buckets: [1, 2, 4, 8, 16, 32, 64],
  });
  const pending = registry.gauge({
    name: 'scheduler_pending_pods',
    help: 'Number of pending pods, by the queue type.',
    labels: ['queue'],
  });
  registry.onCollect(() => {
    for (const [queue, count] of Object.entries(counts())) pending.set(count, [queue]);
  });
  return {
    placed: (durationMs, isPlaced) => {
      const values = [DEFAULT_SCHEDULER, isPlaced ? 'scheduled' : 'unschedulable'];
      attempts.inc(values);
      durations.observe(durationMs / 1000, values);
    },
    bound: (count) => attemptsOfPods.observe(count),
    incoming: (event, queue) => incoming.inc([event, queue]),
    preemptionPlanned: (victims) => {
      preemptions.inc();
      if (victims > 0) victimCounts.observe(victims);
    },
  };
}
