import type { Container, ContainerStatus as PodContainerStatus, Pod } from '../../shared/api/generated/types.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { ContainerRuntime, ContainerStatus } from '../runtime/container-runtime.js';

/** The pods that this kubelet runs, as the pod workers know them. */
export interface PodLookup {
  list(): readonly Pod[];
  get(namespace: string, name: string): Pod | undefined;
}

/** Finds what a request to the kubelet names; throws StatusError with the original's words. */
export class PodLocator {
  readonly #pods: PodLookup;
  readonly #runtime: ContainerRuntime;

  constructor(pods: PodLookup, runtime: ContainerRuntime) {
    this.#pods = pods;
    this.#runtime = runtime;
  }

  pod(namespace: string, name: string, uid?: string): Pod {
    const pod = this.#pods.get(namespace, name);
    if (!pod || (uid !== undefined && pod.metadata.uid !== uid)) {
      throw new StatusError(404, 'NotFound', `pod "${name}_${namespace}" does not exist`);
    }
    return pod;
  }

  /** The newest container of this name that runs, for exec and attach. */
  async running(pod: Pod, name: string): Promise<ContainerStatus> {
    requireContainer(pod, name);
    const found = (await this.#attempts(pod, name)).find(({ state }) => state === 'running');
    if (!found) throw new StatusError(404, 'NotFound', `container not found ("${name}")`);
    return found;
  }

  /** The container whose log is asked for: the newest attempt, or the one before it. */
  async logged(pod: Pod, name: string, previous: boolean): Promise<ContainerStatus> {
    requireContainer(pod, name);
    const podName = pod.metadata.name;
    const attempts = (await this.#attempts(pod, name)).filter(({ state }) => state !== 'created');
    if (previous) {
      const exited = attempts.filter(({ state }) => state === 'exited');
      const isWaiting = containerStatusOf(pod, name)?.state?.waiting !== undefined;
      // While the next attempt waits to start, the last one that ended is both the current and the previous.
      const found = isWaiting && attempts.length === 1 ? exited[0] : attempts[1];
      if (found) return found;
      throw badRequest(`previous terminated container "${name}" in pod "${podName}" not found`);
    }
    const [latest] = attempts;
    if (latest) return latest;
    const reason = containerStatusOf(pod, name)?.state?.waiting?.reason ?? 'ContainerCreating';
    const isImage = ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName'].includes(reason);
    const why = isImage ? `trying and failing to pull image` : reason;
    throw badRequest(`container "${name}" in pod "${podName}" is waiting to start: ${why}`);
  }

  async sandboxId(pod: Pod): Promise<string> {
    const sandboxes = await this.#runtime.listPodSandboxes({ podUid: pod.metadata.uid ?? '' });
    const found = sandboxes.find(({ state }) => state === 'ready');
    if (found) return found.id;
    throw new StatusError(
      404,
      'NotFound',
      `pod "${pod.metadata.name}_${pod.metadata.namespace}" has no running sandbox`,
    );
  }

  /** Newest first. */
  async #attempts(pod: Pod, name: string): Promise<ContainerStatus[]> {
    const containers = await this.#runtime.listContainers({ podUid: pod.metadata.uid ?? '' });
    return containers.filter((container) => container.name === name).sort((a, b) => b.attempt - a.attempt);
  }
}

function requireContainer(pod: Pod, name: string): void {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const all: readonly Pick<Container, 'name'>[] = [...containers, ...initContainers, ...ephemeralContainers];
  if (all.some((container) => container.name === name)) return;
  throw new StatusError(404, 'NotFound', `container "${name}" not found in pod "${pod.metadata.name}"`);
}

function containerStatusOf(pod: Pod, name: string): PodContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
  return [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find(
    (status) => status.name === name,
  );
}
