import type { Container, Pod } from '../../shared/api/generated/types.js';
import { resourceLimits } from '../container/container-resources.js';
import type { ContainerResources } from '../runtime/container-runtime.js';
import { isRunning, newestContainer, type ObservedContainer, type PodObservation } from './pod-observation.js';
import { allContainers } from './pod-spec.js';

/** A resize that is not done: its condition in the pod's status. */
export interface PodResize {
  readonly type: 'PodResizePending' | 'PodResizeInProgress';
  readonly reason?: 'Infeasible' | 'Deferred' | 'Error';
  readonly message?: string;
  /** Of the pod that asked for it. */
  readonly generation?: number | undefined;
}

/** What a container that runs is to get, where it has something else; undefined where nothing is to be done. */
export function resizeOf(container: Container, running: ObservedContainer): ContainerResources | undefined {
  const has = running.resources;
  if (!has) return undefined;
  const wants = resourceLimits(container);
  return changedResources(wants, has).length > 0 ? wants : undefined;
}

/** Whether a changed resource needs a new process to be heeded (resizePolicy). */
export function resizeNeedsRestart(container: Container, running: ObservedContainer): boolean {
  const changed = changedResources(resourceLimits(container), running.resources ?? {});
  return (container.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) => restartPolicy === 'RestartContainer' && changed.includes(resourceName),
  );
}

/** Whether anything that runs of the pod has other resources than the pod asks for. */
export function needsResize(pod: Pod, observed: PodObservation): boolean {
  return allContainers(pod).some((container) => {
    const newest = newestContainer(observed, container.name);
    return newest !== undefined && isRunning(newest) && resizeOf(container, newest) !== undefined;
  });
}

/** Engines tell 0 for what is not limited. A limit cannot be taken away, so nothing is asked where nothing is wanted. */
function changedResources(wants: ContainerResources, has: ContainerResources): string[] {
  const differs = (want: number | undefined, found: number | undefined): boolean =>
    want !== undefined && want !== (found ?? 0);
  return [
    ...(differs(wants.cpuShares, has.cpuShares) || differs(wants.cpuQuota, has.cpuQuota) ? ['cpu'] : []),
    ...(differs(wants.memoryLimitBytes, has.memoryLimitBytes) ? ['memory'] : []),
  ];
}
