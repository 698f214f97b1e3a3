import type { Container, Pod } from '../../shared/api/generated/types.js';
import { containerHash, containerHashAnnotation } from '../pod/pod-spec.js';
import type { ContainerConfig, Mount } from '../runtime/container-runtime.js';
import type { ContainerMounts } from './container-mounts.js';
import { containerResources } from './container-resources.js';
import { containerSecurity, type SecurityProfiles } from './container-security.js';
import { expand } from './expansion.js';

export interface ContainerConfigInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  /** As resolved by the image manager. */
  readonly image: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly volumes: ContainerMounts;
  /** hosts, resolv.conf, hostname. */
  readonly systemMounts: readonly Mount[];
  readonly terminationMessageHostPath: string;
  readonly machineMemoryBytes: number;
  readonly profiles?: SecurityProfiles;
  /** Container whose processes it sees. */
  readonly targetId?: string | undefined;
}

/** The definition of a container in the runtime's terms. Pure. */
export function containerConfig(input: ContainerConfigInput): ContainerConfig {
  const { pod, container, environment } = input;
  const expandAll = (words: readonly string[]): string[] => words.map((word) => expand(word, environment));
  const mounted = new Set(input.volumes.mounts.map((mount) => mount.containerPath));
  return {
    name: container.name,
    attempt: input.attempt,
    image: input.image,
    ...(container.command?.length ? { command: expandAll(container.command) } : {}),
    ...(container.args?.length ? { args: expandAll(container.args) } : {}),
    ...(container.workingDir ? { workingDir: container.workingDir } : {}),
    env: [...environment].map(([name, value]) => ({ name, value })),
    // A volume that the pod itself mounts over such a file wins.
    mounts: [...input.volumes.mounts, ...input.systemMounts.filter((mount) => !mounted.has(mount.containerPath))],
    memoryVolumes: input.volumes.memoryVolumes,
    resources: containerResources(pod, container, input.machineMemoryBytes),
    security: containerSecurity(pod, container, input.profiles),
    tty: container.tty === true,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    ...(input.targetId === undefined ? {} : { targetId: input.targetId }),
    terminationMessagePath: container.terminationMessagePath ?? '/dev/termination-log',
    terminationMessageHostPath: input.terminationMessageHostPath,
    ...(container.lifecycle?.stopSignal ? { stopSignal: container.lifecycle.stopSignal } : {}),
    annotations: { [containerHashAnnotation]: containerHash(container) },
  };
}
