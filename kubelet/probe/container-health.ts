import type { Pod } from '../../shared/api/generated/types.js';
import type { ObservedContainer, PodObservation } from '../pod/pod-observation.js';

/** What the probes found. */
export interface ContainerHealth {
  /** Starts and ends probing as the pod's containers come and go. */
  sync(pod: Pod, observed: PodObservation): void;
  /** Ends probing of a pod. */
  stop(uid: string): void;
  /** The probe that wants this container killed. */
  condemned(containerId: string): 'liveness' | 'startup' | undefined;
  /** The container's startup probe, if it has one, has succeeded. */
  hasStarted(pod: Pod, container: ObservedContainer): boolean;
  /** The container runs and its readiness probe, if it has one, succeeds. */
  isReady(pod: Pod, container: ObservedContainer): boolean;
}
