import { open } from 'node:fs/promises';
import type { Pod } from '../../shared/api/generated/types.js';
import { CapturedOutput } from '../container/captured-output.js';
import type { ContainerRuntime, ContainerStatus } from '../runtime/container-runtime.js';
import type { PodDirectories } from '../volume/pod-directories.js';
import { exitCodeOf, hasEnded, observePod, type ObservedContainer, type PodObservation } from './pod-observation.js';
import { findContainer } from './pod-spec.js';

const maxMessageBytes = 4096;
const maxLogBytes = 2048;
const maxLogLines = 80;

/** Looks at what the runtime has of a pod, and at what its dead containers left as their last words. */
export class PodObserver {
  readonly #runtime: ContainerRuntime;
  readonly #directories: PodDirectories;
  /** By container id; a dead container does not change its mind. */
  readonly #messages = new Map<string, string>();

  constructor(runtime: ContainerRuntime, directories: PodDirectories) {
    this.#runtime = runtime;
    this.#directories = directories;
  }

  async observe(uid: string, pod: Pod | undefined): Promise<PodObservation> {
    const filter = { podUid: uid };
    const [sandboxes, containers] = await Promise.all([
      this.#runtime.listPodSandboxes(filter),
      this.#runtime.listContainers(filter),
    ]);
    return observePod(sandboxes, await Promise.all(containers.map((container) => this.#withMessage(container, pod))));
  }

  /** Drops what is known of containers that are gone. */
  retain(ids: ReadonlySet<string>): void {
    for (const id of this.#messages.keys()) if (!ids.has(id)) this.#messages.delete(id);
  }

  async #withMessage(container: ContainerStatus, pod: Pod | undefined): Promise<ObservedContainer> {
    if (!pod || !hasEnded(container) || container.error !== undefined) return container;
    const known = this.#messages.get(container.id);
    const terminationMessage = known ?? (await this.#lastWords(container, pod));
    this.#messages.set(container.id, terminationMessage);
    return terminationMessage === '' ? container : { ...container, terminationMessage };
  }

  async #lastWords(container: ContainerStatus, pod: Pod): Promise<string> {
    const path = this.#directories.terminationMessage(container.pod.uid, container.name, container.attempt);
    const message = await readBeginning(path, maxMessageBytes);
    const policy = findContainer(pod, container.name)?.terminationMessagePolicy;
    if (message !== '' || policy !== 'FallbackToLogsOnError' || exitCodeOf(container) === 0) return message;
    const output = new CapturedOutput(maxMessageBytes * 16);
    await this.#runtime.logs(container.id, { follow: false, timestamps: false, tailLines: maxLogLines }, output);
    return Buffer.from(output.text).subarray(-maxLogBytes).toString('utf8');
  }
}

async function readBeginning(path: string, limitBytes: number): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(limitBytes), 0, limitBytes, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
