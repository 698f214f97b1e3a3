import type { Pod } from '../../shared/api/generated/types.js';
import type { PodAction } from './container-actions.js';
import { isLeftover, newestContainer, type PodObservation } from './pod-observation.js';
import { ephemeralContainersOf } from './pod-spec.js';

/**
 * Starts ephemeral containers that have not been started yet, also while init containers still run. One that has ended is never
 * started again, whatever the restart policy, nor is one that the API remembers and the runtime has lost.
 */
export function ephemeralContainerActions(pod: Pod, observed: PodObservation): PodAction[] {
  return ephemeralContainersOf(pod).flatMap(({ name }): PodAction[] => {
    const start: PodAction = { type: 'startContainer', role: 'ephemeral', name, attempt: 0 };
    const last = newestContainer(observed, name);
    if (last) return isLeftover(last) ? [{ type: 'removeContainer', id: last.id }, start] : [];
    const told = pod.status?.ephemeralContainerStatuses?.find((status) => status.name === name);
    return told?.containerID ? [] : [start];
  });
}
