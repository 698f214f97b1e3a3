import { createHash } from 'node:crypto';
import type { Container, EphemeralContainer, Pod } from '../../shared/api/generated/types.js';

/** Annotation on a container that tells which definition it was made from. */
export const containerHashAnnotation = 'knarr.dev/container-hash';

/** What of a definition may change in place and then needs a new container; the original hashes the same two fields. */
export function containerHash(container: Container): string {
  return createHash('sha256')
    .update(JSON.stringify([container.name, container.image ?? '']))
    .digest('hex')
    .slice(0, 16);
}

export function initContainersOf(pod: Pod): readonly Container[] {
  return pod.spec.initContainers ?? [];
}

/** Containers that were added to look into a pod that runs. They are started once, and nothing of the pod depends on them. */
export function ephemeralContainersOf(pod: Pod): readonly EphemeralContainer[] {
  return pod.spec.ephemeralContainers ?? [];
}

/** Init containers first, then the others, as they start; without ephemeral ones. */
export function allContainers(pod: Pod): readonly Container[] {
  return [...initContainersOf(pod), ...pod.spec.containers];
}

/** Of any sort. */
export function findContainer(pod: Pod, name: string): Container | undefined {
  return [...allContainers(pod), ...ephemeralContainersOf(pod)].find((container) => container.name === name);
}

export function restartPolicyOf(pod: Pod): 'Always' | 'OnFailure' | 'Never' {
  const policy = pod.spec.restartPolicy;
  return policy === 'Never' || policy === 'OnFailure' ? policy : 'Always';
}

/** `name_namespace(uid)`: how the original writes a pod in its messages. */
export function podLabel(pod: Pod): string {
  return `${pod.metadata.name ?? ''}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid ?? ''})`;
}
