import type { Pod } from '../../shared/api/generated/types.js';
import { isPodActive } from '../../shared/api/pod.js';
import { pause, type Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import type { ContainerRuntime } from '../runtime/container-runtime.js';
import type { PodDirectories } from '../volume/pod-directories.js';
import { diskUse } from './disk-use.js';
import { measuredContainers, measuredVolumes, storageExcess } from './storage-limits.js';

export interface StorageEvictorOptions {
  readonly clock: Clock;
  readonly log: Pick<Log, 'debug'>;
  readonly runtime: Pick<ContainerRuntime, 'listContainers' | 'containerDiskBytes'>;
  readonly directories: PodDirectories;
  readonly pods: () => readonly Pod[];
  /** Ends a pod; `message` says what it exceeded. */
  readonly evict: (pod: Pod, message: string) => void;
  readonly periodMs?: number;
}

/** Ends pods that use more of the node's disk than they said: sizeLimit of emptyDir volumes, ephemeral-storage of containers. */
export class StorageEvictor {
  readonly #options: StorageEvictorOptions;

  constructor(options: StorageEvictorOptions) {
    this.#options = options;
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, pods, periodMs = 10_000 } = this.#options;
    while (!signal.aborted) {
      await pause(clock, periodMs, signal);
      for (const pod of pods()) {
        if (signal.aborted) return;
        if (isPodActive(pod) && pod.metadata.deletionTimestamp === undefined) await this.#look(pod);
      }
    }
  }

  async #look(pod: Pod): Promise<void> {
    try {
      const message = storageExcess(pod, {
        volumes: await this.#volumes(pod),
        containers: await this.#containers(pod),
      });
      if (message) this.#options.evict(pod, message);
    } catch (error) {
      // What could not be measured is measured at the next turn.
      this.#options.log.debug('the disk use of a pod was not measured', { pod: pod.metadata.name, error });
    }
  }

  async #volumes(pod: Pod): Promise<Map<string, number>> {
    const uid = pod.metadata.uid ?? '';
    const bytes = new Map<string, number>();
    for (const name of measuredVolumes(pod)) {
      bytes.set(name, await diskUse(this.#options.directories.volume(uid, 'empty-dir', name)));
    }
    return bytes;
  }

  async #containers(pod: Pod): Promise<Map<string, number>> {
    const { runtime } = this.#options;
    const bytes = new Map<string, number>();
    const names = new Set(measuredContainers(pod));
    if (names.size === 0) return bytes;
    for (const { id, name, state } of await runtime.listContainers({ podUid: pod.metadata.uid ?? '' })) {
      if (state === 'running' && names.has(name)) bytes.set(name, await runtime.containerDiskBytes(id));
    }
    return bytes;
  }
}
