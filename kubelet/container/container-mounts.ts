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
  memoryVolumePath: (name: string) => Promise<string | undefined>,
): Promise<ContainerMounts> {
  const mounts: Mount[] = [];
  const memory: { name: string; containerPath: string; readOnly: boolean }[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.get(mount.name);
    if (!volume) throw new CreateContainerConfigError(`cannot find volume ${JSON.stringify(mount.name)} to mount`);
    const containerPath = mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`;
    const readOnly = mount.readOnly === true;
    const subPath = mount.subPathExpr ? expandPath(mount.subPathExpr, environment) : (mount.subPath ?? '');
    if (volume.type === 'memory' && subPath === '') {
      memory.push({ name: mount.name, containerPath, readOnly });
    } else {
      const path = volume.type === 'memory' ? await memoryVolumePath(mount.name) : volume.path;
      if (path === undefined) throw new CreateContainerConfigError(unreachable(mount.name));
      const hostPath = subPath === '' ? path : await resolveSubPath(path, subPath);
      // Docker binds what lies in its own root only where mounts propagate into the container.
      const propagation = volume.type === 'memory' ? 'rslave' : propagationOf(mount);
      mounts.push({ hostPath, containerPath, readOnly, propagation });
    }
  }
  return { mounts, memoryVolumes: memory };
}

const unreachable = (volume: string): string =>
  `failed to prepare subPath: the engine keeps the memory of volume ${JSON.stringify(volume)} where the kubelet does not see it`;

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
