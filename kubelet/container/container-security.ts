import type { Container, Pod } from '../../shared/api/generated/types.js';
import type { ContainerSecurity } from '../runtime/container-runtime.js';
import { CreateContainerConfigError } from './start-error.js';

/** The container's securityContext over the pod's. */
export function containerSecurity(pod: Pod, container: Container): ContainerSecurity {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const user = own.runAsUser ?? shared.runAsUser;
  const group = own.runAsGroup ?? shared.runAsGroup;
  const groups = [...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])];
  const privileged = own.privileged === true;
  const seccomp = own.seccompProfile ?? shared.seccompProfile;
  return {
    privileged,
    readOnlyRootFilesystem: own.readOnlyRootFilesystem === true,
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    ...userOf(user, group),
    supplementalGroups: groups,
    addCapabilities: own.capabilities?.add ?? [],
    dropCapabilities: own.capabilities?.drop ?? [],
    ...(privileged || seccomp?.type === 'Unconfined' ? { seccompUnconfined: true } : {}),
  };
}

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
