import { DEFAULT_SCHEDULER } from '../shared/api/well-known.js';
import type { MetricsRegistry } from '../shared/metrics/registry.js';
import type { IncomingEvent, QueueName } from './scheduling-queue.js';

/** The steps of an attempt, as the original's scheduling framework names them. */
export type ExtensionPoint = 'PreFilter' | 'Filter' | 'PostFilter' | 'Score' | 'Reserve' | 'PreBind' | 'Bind';
export type StepStatus = 'Success' | 'Unschedulable' | 'Error';
/** Told after each step of an attempt. */
export type OnStep = (point: ExtensionPoint, durationMs: number, status: StepStatus) => void;

/** What the scheduler counts, under the original's names. */
export interface SchedulerMetrics {
  readonly step: OnStep;
  /** A node was looked for. */
  decided(durationMs: number): void;
  /** An attempt is over, with the binding if it came to that. */
  attempted(durationMs: number, result: 'scheduled' | 'unschedulable' | 'error'): void;
  /** A pod has its node after so many attempts, so long after it came into the queue. */
  bound(attempts: number, queuedMs: number): void;
  readonly incoming: (event: IncomingEvent, queue: QueueName) => void;
  /** It was looked for pods that could make room for another; that many are evicted. */
  preemptionPlanned(victims: number): void;
}

export interface SchedulerCounts {
  readonly active: number;
  readonly backoff: number;
  readonly unschedulable: number;
  readonly gated: number;
}

/** `count` bounds in seconds, each twice the one before. */
const doubling = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Number((first * 2 ** i).toPrecision(9)));

/** Registers the metrics; `counts` is asked when they are read. */
export function schedulerMetrics(registry: MetricsRegistry, counts: () => SchedulerCounts): SchedulerMetrics {
  const labels = ['profile', 'result'];
  const attempts = registry.counter({
    name: 'scheduler_schedule_attempts_total',
    help: "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
    labels,
  });
  const durations = registry.histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'Scheduling attempt latency in seconds (scheduling algorithm + binding)',
    labels,
    buckets: doubling(0.001, 15),
  });
  const algorithm = registry.histogram({
    name: 'scheduler_scheduling_algorithm_duration_seconds',
    help: 'Scheduling algorithm latency in seconds',
    buckets: doubling(0.001, 15),
  });
  addPending(registry, counts);
  return {
    step: extensionPoints(registry),
    decided: (durationMs) => algorithm.observe(durationMs / 1000),
    attempted: (durationMs, result) => {
      attempts.inc([DEFAULT_SCHEDULER, result]);
      durations.observe(durationMs / 1000, [DEFAULT_SCHEDULER, result]);
    },
    ...podMetrics(registry),
    ...preemptionMetrics(registry),
  };
}

function extensionPoints(registry: MetricsRegistry): OnStep {
  const durations = registry.histogram({
    name: 'scheduler_framework_extension_point_duration_seconds',
    help: 'Latency for running all plugins of a specific extension point.',
    labels: ['extension_point', 'profile', 'status'],
    buckets: doubling(0.0001, 12),
  });
  const observers = new Map<string, (value: number) => void>();
  return (point, durationMs, status) => {
    const key = point + status;
    let observe = observers.get(key);
    if (!observe) observers.set(key, (observe = durations.bind([point, DEFAULT_SCHEDULER, status])));
    observe(durationMs / 1000);
  };
}

function addPending(registry: MetricsRegistry, counts: () => SchedulerCounts): void {
  const pending = registry.gauge({
    name: 'scheduler_pending_pods',
    help: "Number of pending pods, by the queue type. 'active' means number of pods in activeQ; 'backoff' means number of pods in backoffQ; 'unschedulable' means number of pods in unschedulablePods that the scheduler attempted to schedule and failed; 'gated' is the number of unschedulable pods that the scheduler never attempted to schedule because they are gated.",
    labels: ['queue'],
  });
  registry.onCollect(() => {
    for (const [queue, count] of Object.entries(counts())) pending.set(count, [queue]);
  });
}

/** The original tells apart no more attempts than these. */
const mostAttempts = 15;

function podMetrics(registry: MetricsRegistry): Pick<SchedulerMetrics, 'bound' | 'incoming'> {
  const attempts = registry.histogram({
    name: 'scheduler_pod_scheduling_attempts',
    help: 'Number of attempts to successfully schedule a pod.',
    buckets: [1, 2, 4, 8, 16],
  });
  const durations = registry.histogram({
    name: 'scheduler_pod_scheduling_sli_duration_seconds',
    help: 'E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and might involve multiple scheduling attempts.',
    labels: ['attempts'],
    buckets: doubling(0.01, 20),
  });
  const incoming = registry.counter({
    name: 'scheduler_queue_incoming_pods_total',
    help: 'Number of pods added to scheduling queues by event and queue type.',
    labels: ['event', 'queue'],
  });
  return {
    bound: (count, queuedMs) => {
      attempts.observe(count);
      durations.observe(queuedMs / 1000, [count >= mostAttempts ? `${mostAttempts}+` : String(count)]);
    },
    incoming: (event, queue) => incoming.inc([event, queue]),
  };
}

function preemptionMetrics(registry: MetricsRegistry): Pick<SchedulerMetrics, 'preemptionPlanned'> {
  const attempts = registry.counter({
    name: 'scheduler_preemption_attempts_total',
    help: 'Total preemption attempts in the cluster till now',
  });
  const victims = registry.histogram({
    name: 'scheduler_preemption_victims',
    help: 'Number of selected preemption victims',
    buckets: [1, 2, 4, 8, 16, 32, 64],
  });
  return {
    preemptionPlanned: (count) => {
      attempts.inc();
      if (count > 0) victims.observe(count);
    },
  };
}
