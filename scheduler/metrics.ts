import type { MetricsRegistry } from '../shared/metrics/registry.js';
import { DEFAULT_SCHEDULER } from '../shared/api/well-known.js';

/** What the scheduler counts, under the original's names. */
export interface SchedulerMetrics {
  placed(durationMs: number, isPlaced: boolean): void;
}

/** Registers the metrics; `counts` is asked when they are read. */
export function schedulerMetrics(
  registry: MetricsRegistry,
  counts: () => { active: number; backoff: number; unschedulable: number },
): SchedulerMetrics {
  const labels = ['profile', 'result'];
  const attempts = registry.counter({
    name: 'scheduler_schedule_attempts_total',
    help: 'Number of attempts to schedule pods, by the result.',
    labels,
  });
  const durations = registry.histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'Scheduling attempt latency in seconds (scheduling algorithm).',
    labels,
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
  };
}
