import type { Container, Pod, Volume } from '../../shared/api/generated/types.js';
import { quantityValue } from '../../shared/api/quantity.js';
import { allContainers } from '../pod/pod-spec.js';

/** Bytes of the node's disk that a pod uses. */
export interface StorageUse {
  /** Of emptyDir volumes, by name. */
  readonly volumes: ReadonlyMap<string, number>;
  /** Of containers' own files and logs, by name. */
  readonly containers: ReadonlyMap<string, number>;
}

const resource = 'ephemeral-storage';
const limitOf = (container: Container): string | undefined => container.resources?.limits?.[resource];
const isOnDisk = ({ emptyDir }: Volume): boolean => emptyDir !== undefined && emptyDir.medium !== 'Memory';

/** Volumes whose size counts: all on disk where the containers have a limit, else those with a limit of their own. */
export function measuredVolumes(pod: Pod): string[] {
  const countsAll = pod.spec.containers.some(limitOf);
  return (pod.spec.volumes ?? [])
    .filter((volume) => isOnDisk(volume) && (countsAll || volume.emptyDir?.sizeLimit))
    .map(({ name }) => name);
}

/** Containers whose files count: all, where one has a limit. */
export function measuredContainers(pod: Pod): string[] {
  const all = allContainers(pod);
  return all.some(limitOf) ? all.map(({ name }) => name) : [];
}

/** Which limit of local storage a pod exceeds, in the original's words; undefined while it keeps them all. Pure. */
export function storageExcess(pod: Pod, use: StorageUse): string | undefined {
  return volumeExcess(pod, use) ?? podExcess(pod, use) ?? containerExcess(pod, use);
}

function volumeExcess(pod: Pod, { volumes }: StorageUse): string | undefined {
  for (const volume of (pod.spec.volumes ?? []).filter(isOnDisk)) {
    const limit = volume.emptyDir?.sizeLimit;
    const isOver =
      limit !== undefined && quantityValue(limit) > 0 && (volumes.get(volume.name) ?? 0) > quantityValue(limit);
    if (isOver) return `Usage of EmptyDir volume ${JSON.stringify(volume.name)} exceeds the limit "${limit}". `;
  }
  return undefined;
}

function podExcess(pod: Pod, use: StorageUse): string | undefined {
  const limits = pod.spec.containers.flatMap((container) => limitOf(container) ?? []);
  if (limits.length === 0) return undefined;
  const limit = limits.reduce((sum, one) => sum + quantityValue(one), 0);
  const used = [...use.volumes.values(), ...use.containers.values()].reduce((sum, one) => sum + one, 0);
  if (used <= limit) return undefined;
  const text = limits.length === 1 ? limits[0] : String(limit);
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${text}. `;
}

function containerExcess(pod: Pod, { containers }: StorageUse): string | undefined {
  for (const container of allContainers(pod)) {
    const limit = limitOf(container);
    if (limit === undefined || (containers.get(container.name) ?? 0) <= quantityValue(limit)) continue;
    return `Container ${container.name} exceeded its local ephemeral storage limit "${limit}". `;
  }
  return undefined;
}
