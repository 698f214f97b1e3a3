import type { Pod } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { badRequest } from '../../shared/errors/bad-request.js';

/** The container that a request means: the one it names, or the only one there is. */
export function chooseContainer(pod: Pod & KubernetesObject, wanted: string): string {
  const { name } = pod.metadata;
  const containers = pod.spec.containers.map((container) => container.name);
  const initContainers = (pod.spec.initContainers ?? []).map((container) => container.name);
  const ephemeral = (pod.spec.ephemeralContainers ?? []).map((container) => container.name);
  if (wanted !== '') {
    if ([...containers, ...initContainers, ...ephemeral].includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${name}`);
  }
  const [only] = containers;
  if (containers.length === 1 && only !== undefined) return only;
  if (containers.length === 0) throw badRequest(`a container name must be specified for pod ${name}`);
  const others = [
    initContainers.length > 0 ? ` or one of the init containers: [${initContainers.join(' ')}]` : '',
    ephemeral.length > 0 ? ` or one of the ephemeral containers: [${ephemeral.join(' ')}]` : '',
  ].join('');
  throw badRequest(
    `a container name must be specified for pod ${name}, choose one of: [${containers.join(' ')}]${others}`,
  );
}
