import type { Container, VolumeMount } from '../../shared/api/generated/types.js';
import type { ContainerConfig, Mount } from '../runtime/container-runtime.js';
import { resolveSubPath } from '../volume/sub-path.js';
import type { MountedVolume } from '../volume/volume-manager.js';
import { expandStrictly } from './expansion.js';
import { CreateContainerConfigError } from './start-error.js';

export interface ContainerMounts {
  readonly mounts: readonly Mount[];
  readonly memoryVolumes: NonNullable<ContainerConfig['memoryVolumes']>;
}

/** Where the container's volumeMounts lie on the host. */
export async function containerMounts(
  container: Container,
  volumes: ReadonlyMap<string, MountedVolume>,
  environment: ReadonlyMap<string, string>,
): Promise<ContainerMounts> {
  const mounts: Mount[] = [];
  const memory: { name: string; containerPath: string; readOnly: boolean }[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.get(mount.name);
    if (!volume) throw new CreateContainerConfigError(`cannot find volume ${JSON.stringify(mount.name)} to mount`);
    const containerPath = mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`;
    const readOnly = mount.readOnly === true;
    if (volume.type === 'memory') {
      memory.push({ name: mount.name, containerPath, readOnly });
    } else {
      const hostPath = await hostPathOf(mount, volume.path, environment);
      mounts.push({ hostPath, containerPath, readOnly, propagation: propagationOf(mount) });
    }
  }
  return { mounts, memoryVolumes: memory };
}

async function hostPathOf(
  mount: VolumeMount,
  volumePath: string,
  environment: ReadonlyMap<string, string>,
): Promise<string> {
  const subPath = mount.subPathExpr ? expandPath(mount.subPathExpr, environment) : (mount.subPath ?? '');
  return subPath === '' ? volumePath : await resolveSubPath(volumePath, subPath);
}

function expandPath(expression: string, environment: ReadonlyMap<string, string>): string {
  try {
    return expandStrictly(expression, environment);
  } catch (error) {
    throw new CreateContainerConfigError(error instanceof Error ? error.message : String(error));
  }
}

function propagationOf({ mountPropagation }: VolumeMount): Mount['propagation'] {
  if (mountPropagation === 'HostToContainer') return 'rslave';
  return mountPropagation === 'Bidirectional' ? 'rshared' : 'private';
}
