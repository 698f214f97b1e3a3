import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container, Pod, SeccompProfile } from '../../shared/api/generated/types.js';
import type { ContainerSecurity } from '../runtime/container-runtime.js';
import { CreateContainerConfigError, StartError } from './start-error.js';

/** What was found for the profiles that a container asks for. */
export interface SecurityProfiles {
  /** Content of its localhost profile. */
  readonly seccomp?: string | undefined;
  readonly appArmor?: string | undefined;
}

/** The container's securityContext over the pod's. */
export function containerSecurity(
  pod: Pod,
  container: Container,
  { seccomp, appArmor }: SecurityProfiles = {},
): ContainerSecurity {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const user = own.runAsUser ?? shared.runAsUser;
  const group = own.runAsGroup ?? shared.runAsGroup;
  const groups = [...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])];
  const privileged = own.privileged === true;
  const isUnconfined = privileged || seccompOf(pod, container)?.type === 'Unconfined';
  return {
    privileged,
    readOnlyRootFilesystem: own.readOnlyRootFilesystem === true,
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    ...userOf(user, group),
    supplementalGroups: groups,
    addCapabilities: own.capabilities?.add ?? [],
    dropCapabilities: own.capabilities?.drop ?? [],
    ...(isUnconfined ? { seccompUnconfined: true } : {}),
    ...(isUnconfined || seccomp === undefined ? {} : { seccompProfile: seccomp }),
    ...(appArmor === undefined ? {} : { appArmorProfile: appArmor }),
  };
}

const seccompOf = (pod: Pod, container: Container): SeccompProfile | undefined =>
  container.securityContext?.seccompProfile ?? pod.spec.securityContext?.seccompProfile;

/** Reads the profile that a container names by type Localhost: it must not start without it. */
export async function localhostSeccomp(pod: Pod, container: Container, directory: string): Promise<string | undefined> {
  const seccomp = seccompOf(pod, container);
  if (seccomp?.type !== 'Localhost' || container.securityContext?.privileged === true) return undefined;
  const path = join(directory, seccomp.localhostProfile ?? '');
  try {
    // Compact, and certain to be JSON: the engine's own words for what is not would repeat the file.
    return JSON.stringify(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const why = isFileAbsent(error) ? `open ${path}: no such file or directory` : 'it cannot be read as JSON';
    throw new StartError('CreateContainerError', `cannot load seccomp profile ${JSON.stringify(path)}: ${why}`);
  }
}

const isFileAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

/** A group without a user is applied to root, which is who the image runs as unless it says otherwise. */
function userOf(user: number | undefined, group: number | undefined): { user?: string } {
  if (user === undefined && group === undefined) return {};
  return { user: group === undefined ? String(user) : `${user ?? 0}:${group}` };
}

/** Refuses to start a container as root that must not be; `imageUser` is the image's own USER. */
export function verifyNonRoot(pod: Pod, container: Container, imageUser: string | undefined): void {
  const nonRoot = container.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot;
  if (nonRoot !== true) return;
  const where = `pod: "${pod.metadata.name ?? ''}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid ?? ''})", container: ${container.name}`;
  const user = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  if (user !== undefined) {
    if (user === 0) {
      throw new CreateContainerConfigError(`container's runAsUser breaks non-root policy (${where})`);
    }
    return;
  }
  const name = (imageUser ?? '').split(':')[0] ?? '';
  if (name === '' || name === '0' || name === 'root') {
    throw new CreateContainerConfigError(`container has runAsNonRoot and image will run as root (${where})`);
  }
  if (!/^\d+$/.test(name)) {
    throw new CreateContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${name}), cannot verify user is non-root (${where})`,
    );
  }
}
