import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../shared/clock/clock.js';
import type { ContainerRuntime, RuntimeItem } from '../runtime/container-runtime.js';

export interface CleanUpOptions {
  /** Its requests should be short: one that hangs takes from the time of all. */
  readonly runtime: ContainerRuntime;
  readonly rootDirectory: string;
  readonly clock: Pick<Clock, 'sleep' | 'schedule'>;
  /** Kills the processes of a container without the engine. */
  readonly killProcesses: (containerId: string) => Promise<unknown>;
}

/** How long one request to the engine may take while it cleans up. */
export const cleanUpRequestMs = 20_000;
/** All in all: whoever waits for it wants to hear something within a minute. */
const limitMs = 60_000;
const pauseMs = 250;
/** More removals at once only make the engine slower. */
const removalsAtOnce = 4;
const namedInError = 5;

/** Undoes on the host what the kubelet of this node has done: containers, sandboxes, the network, files of pods. */
export async function cleanUpNode(options: CleanUpOptions): Promise<void> {
  const { rootDirectory, clock } = options;
  const cleaning = new CleanUp(options);
  let cancel: () => void = () => undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    cancel = clock.schedule(limitMs, () => reject(cleaning.failure()));
  });
  try {
    await Promise.race([cleaning.run(), expired]);
  } finally {
    cleaning.stop();
    cancel();
  }
  await rm(join(rootDirectory, 'pods'), { recursive: true, force: true });
}

/**
 * Rounds of looking and removing until nothing is left. What an engine does not let go may be gone a moment later (file
 * systems in use), may go when its processes are dead, or stays until the engine is started again.
 */
class CleanUp {
  readonly #options: CleanUpOptions;
  #left: readonly RuntimeItem[] = [];
  /** Tried in an earlier round. */
  readonly #tried = new Set<string>();
  #lastError: unknown;
  #isStopped = false;

  constructor(options: CleanUpOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    for (let round = 0; !this.#isStopped; round++) {
      // The first look after a removal usually finds nothing.
      if (round > 1) await this.#options.clock.sleep(pauseMs);
      try {
        if (await this.#round()) return;
      } catch (error) {
        this.#lastError = error;
      }
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** What is to be said when the time is over. */
  failure(): Error {
    const names = this.#left.map(nameOf);
    const more = names.length > namedInError ? ` and ${names.length - namedInError} more` : '';
    const what = names.length === 0 ? 'what it has' : `${names.slice(0, namedInError).join(', ')}${more}`;
    const why = this.#lastError instanceof Error ? ` (${this.#lastError.message.split(';')[0]})` : '';
    return new Error(
      `the container engine does not remove ${what} within ${limitMs / 1000} s${why}: restart the engine (systemctl restart docker), then run knarr down again`,
    );
  }

  /** True when all is gone, the network too. */
  async #round(): Promise<boolean> {
    const { runtime } = this.#options;
    this.#left = await runtime.listAll();
    if (this.#left.length === 0) {
      await runtime.removeNetwork();
      return true;
    }
    const containers = this.#left.filter(({ container }) => container !== undefined);
    const stuck = new Set(await this.#removeAll(containers));
    // A sandbox is removed with its containers: one that is stuck would only be waited for once more.
    const sandboxes = this.#left.filter(({ container, pod }) => container === undefined && !stuck.has(pod.uid));
    await this.#removeAll(sandboxes);
    return false;
  }

  /** Returns the pods of which something could not be removed. */
  async #removeAll(items: readonly RuntimeItem[]): Promise<string[]> {
    const waiting = [...items];
    const failed: string[] = [];
    const work = async (): Promise<void> => {
      for (let item = waiting.shift(); item && !this.#isStopped; item = waiting.shift()) {
        if (!(await this.#remove(item))) failed.push(item.pod.uid);
      }
    };
    await Promise.all(Array.from({ length: removalsAtOnce }, work));
    return failed;
  }

  async #remove({ id, container }: RuntimeItem): Promise<boolean> {
    const { runtime, killProcesses } = this.#options;
    try {
      // Removed, said the engine, or under way; but it is still there.
      if (this.#tried.has(id)) await killProcesses(id);
      this.#tried.add(id);
      await (container === undefined ? runtime.removePodSandbox(id) : runtime.removeContainer(id));
      return true;
    } catch (error) {
      this.#lastError = error;
      return false;
    }
  }
}

function nameOf({ id, pod, container }: RuntimeItem): string {
  const what = container === undefined ? 'the sandbox' : `container ${container}`;
  return `${what} of pod ${pod.namespace}/${pod.name} (${id.slice(0, 12)})`;
}

/** What a pod gets that says nothing of its own; what it does say only the API knows, and that may be gone already. */
const graceSeconds = 30;

/** Ends all that runs for this node, as a machine does that is switched off. What is left behind tells the next start what to run again. */
export async function stopPods(runtime: ContainerRuntime): Promise<void> {
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()]);
  const running = containers.filter((container) => container.state === 'running');
  await Promise.all(running.map((container) => runtime.stopContainer(container.id, graceSeconds)));
  await Promise.all(sandboxes.map((sandbox) => runtime.stopPodSandbox(sandbox.id)));
}
