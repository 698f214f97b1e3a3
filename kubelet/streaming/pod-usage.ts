import type { PodIdentity } from '../runtime/container-runtime.js';
import type { ContainerUsage } from './usage-recorder.js';

/** What the containers of one pod use. */
export interface PodUsage {
  readonly pod: PodIdentity;
  readonly containers: readonly ContainerUsage[];
}

export function byPod(containers: readonly ContainerUsage[]): PodUsage[] {
  const pods = new Map<string, ContainerUsage[]>();
  for (const container of containers) {
    const own = pods.get(container.pod.uid);
    if (own) own.push(container);
    else pods.set(container.pod.uid, [container]);
  }
  return [...pods.values()].flatMap((own) => (own[0] ? [{ pod: own[0].pod, containers: own }] : []));
}

export function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
