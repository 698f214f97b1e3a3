import type { Pod } from '../shared/api/generated/types.js';
import type { Clock } from '../shared/clock/clock.js';
import type { Counter, Gauge, Histogram, MetricsRegistry } from '../shared/metrics/registry.js';
import type { ContainerStatus, SandboxStatus } from './runtime/container-runtime.js';

const startBuckets = [
  0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600,
];

/** What the kubelet counts, under the original's names. */
export class KubeletMetrics {
  readonly #clock: Clock;
  readonly #runningPods: Gauge;
  readonly #runningContainers: Gauge;
  readonly #relists: Histogram;
  readonly #intervals: Histogram;
  readonly #lastRelist: Gauge;
  readonly #starts: Histogram;
  readonly #operations: Counter;
  readonly #failures: Counter;
  readonly #durations: Histogram;
  /** When pods that do not run yet were first seen, by uid. */
  readonly #seenMs = new Map<string, number>();
  #relistedMs: number | undefined;

  constructor(registry: MetricsRegistry, clock: Clock, nodeName: string) {
    this.#clock = clock;
    const labels = ['operation_type'];
    registry
      .gauge({ name: 'kubelet_node_name', help: "The node's name. The count is always 1.", labels: ['node'] })
      .set(1, [nodeName]);
    this.#runningPods = registry.gauge({
      name: 'kubelet_running_pods',
      help: 'Number of pods that have a running pod sandbox',
    });
    this.#runningContainers = registry.gauge({
      name: 'kubelet_running_containers',
      help: 'Number of containers currently running',
      labels: ['container_state'],
    });
    this.#relists = registry.histogram({
      name: 'kubelet_pleg_relist_duration_seconds',
      help: 'Duration in seconds for relisting pods in PLEG.',
    });
    this.#intervals = registry.histogram({
      name: 'kubelet_pleg_relist_interval_seconds',
      help: 'Interval in seconds between relisting in PLEG.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40],
    });
    this.#lastRelist = registry.gauge({
      name: 'kubelet_pleg_last_seen_seconds',
      help: 'Timestamp in seconds when PLEG was last seen active.',
    });
    this.#starts = registry.histogram({
      name: 'kubelet_pod_start_duration_seconds',
      help: 'Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run',
      buckets: startBuckets,
    });
    this.#operations = registry.counter({
      name: 'kubelet_runtime_operations_total',
      help: 'Cumulative number of runtime operations by operation type.',
      labels,
    });
    this.#failures = registry.counter({
      name: 'kubelet_runtime_operations_errors_total',
      help: 'Cumulative number of runtime operation errors by operation type.',
      labels,
    });
    this.#durations = registry.histogram({
      name: 'kubelet_runtime_operations_duration_seconds',
      help: 'Duration in seconds of runtime operations. Broken down by operation type.',
      labels,
      buckets: Array.from({ length: 14 }, (_, i) => Number((0.005 * 2.5 ** i).toPrecision(6))),
    });
  }

  /** The runtime has answered. */
  readonly operation = (operation: string, durationMs: number, hasFailed: boolean): void => {
    this.#operations.inc([operation]);
    this.#durations.observe(durationMs / 1000, [operation]);
    if (hasFailed) this.#failures.inc([operation]);
  };

  /** The runtime told all that it has. */
  relisted(
    durationMs: number,
    sandboxes: readonly Pick<SandboxStatus, 'state'>[],
    containers: readonly Pick<ContainerStatus, 'state'>[],
  ): void {
    const nowMs = this.#clock.now();
    this.#relists.observe(durationMs / 1000);
    if (this.#relistedMs !== undefined) this.#intervals.observe((nowMs - this.#relistedMs) / 1000);
    this.#relistedMs = nowMs;
    this.#lastRelist.set(nowMs / 1000);
    this.#runningPods.set(sandboxes.filter(({ state }) => state === 'ready').length);
    for (const state of ['created', 'running', 'exited'] as const)
      this.#runningContainers.set(containers.filter((one) => one.state === state).length, [state]);
  }

  /** The API told of a pod. */
  podSeen({ metadata, status }: Pod): void {
    const uid = metadata.uid ?? '';
    const isNew = status?.phase === undefined || (status.phase === 'Pending' && status.startTime === undefined);
    if (isNew && !this.#seenMs.has(uid)) this.#seenMs.set(uid, this.#clock.now());
  }

  /** A pod has come to this phase. */
  podPhase(uid: string, phase: string | undefined): void {
    if (phase === undefined || phase === 'Pending') return;
    const seenMs = this.#seenMs.get(uid);
    if (seenMs !== undefined && phase === 'Running') this.#starts.observe((this.#clock.now() - seenMs) / 1000);
    this.#seenMs.delete(uid);
  }

  forget(uid: string): void {
    this.#seenMs.delete(uid);
  }
}
