import type { MetricsRegistry } from '../metrics/registry.js';
import type { QueueObserver } from '../workqueue/rate-limiting-queue.js';

/** Metrics of a workqueue under client-go's names. */
export function queueMetrics(metrics: MetricsRegistry, name: string): QueueObserver {
  const labels = ['name'];
  const buckets = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10];
  const depth = metrics.gauge({ name: 'workqueue_depth', help: 'Current depth of workqueue', labels });
  const adds = metrics.counter({
    name: 'workqueue_adds_total',
    help: 'Total number of adds handled by workqueue',
    labels,
  });
  const retries = metrics.counter({
    name: 'workqueue_retries_total',
    help: 'Total number of retries handled by workqueue',
    labels,
  });
  const waits = metrics.histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long in seconds an item stays in workqueue before being requested.',
    labels,
    buckets,
  });
  const works = metrics.histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long in seconds processing an item from workqueue takes.',
    labels,
    buckets,
  });
  return {
    onAdd: (length) => {
      adds.inc([name]);
      depth.set(length, [name]);
    },
    onGet: (length, waitedMs) => {
      depth.set(length, [name]);
      waits.observe(waitedMs / 1000, [name]);
    },
    onDone: (workedMs) => works.observe(workedMs / 1000, [name]),
    onRetry: () => retries.inc([name]),
  };
}
