import type { Pod } from '../../shared/api/generated/types.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { KubeletMetrics } from '../kubelet-metrics.js';
import type { PodObservation } from '../pod/pod-observation.js';
import type { PodRecord } from '../pod/pod-record.js';
import type { ContainerHealth } from '../probe/container-health.js';
import { mergeConditions } from './pod-conditions.js';
import { podStatus } from './pod-status.js';
import type { StatusManager } from './status-manager.js';

export interface StatusPublisherOptions {
  readonly clock: Clock;
  readonly health: ContainerHealth;
  readonly statuses: StatusManager;
  readonly hostIPs: readonly string[];
  readonly metrics: Pick<KubeletMetrics, 'podPhase'>;
}

/** Turns what was seen of a pod into its status and hands it to be written. */
export class StatusPublisher {
  readonly #options: StatusPublisherOptions;

  constructor(options: StatusPublisherOptions) {
    this.#options = options;
  }

  /** `terminal`: nothing of it will be started any more. */
  publish(record: PodRecord, pod: Pod, observed: PodObservation, terminal: boolean): void {
    const { clock, health, statuses, hostIPs, metrics } = this.#options;
    // Our own last word may be ahead of the watch; times of transition and of the start must not move.
    const latest = statuses.latest(record.uid);
    const known = latest
      ? {
          ...pod,
          status: { ...pod.status, ...latest, conditions: mergeConditions(latest.conditions, pod.status?.conditions) },
        }
      : pod;
    const status = podStatus({
      pod: known,
      observed,
      nowMs: clock.now(),
      hostIPs,
      waiting: record.waiting,
      terminal,
      failure: record.failure,
      resize: record.resize,
      hasStarted: (container) => health.hasStarted(pod, container),
      isReady: (container) => health.isReady(pod, container),
    });
    metrics.podPhase(record.uid, status.phase);
    statuses.set(pod, status);
  }
}
