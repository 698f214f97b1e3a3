import { pods } from '../../shared/api/generated/resources.js';
import type { Pod } from '../../shared/api/generated/types.js';
import type { Client } from '../../shared/client/client.js';
import { isConflict, isNotFound } from '../../shared/errors/status-error.js';
import type { ContainerHealth } from '../probe/container-health.js';
import type { ContainerRuntime } from '../runtime/container-runtime.js';
import type { StatusManager } from '../status/status-manager.js';
import type { StatusPublisher } from '../status/status-publisher.js';
import type { PodDirectories } from '../volume/pod-directories.js';
import type { PodKiller } from './pod-killer.js';
import { anyRunning, type PodObservation } from './pod-observation.js';
import type { PodObserver } from './pod-observer.js';
import type { PodRecord } from './pod-record.js';

export interface PodTerminatorOptions {
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly observer: PodObserver;
  readonly killer: PodKiller;
  readonly publisher: StatusPublisher;
  readonly statuses: StatusManager;
  readonly health: ContainerHealth;
  readonly directories: PodDirectories;
}

/** A container whose pod is gone from the API gets this long. */
const orphanGraceSeconds = 1;

/** Brings pods to their end. Every step may be repeated, so that a killed kubelet goes on where it was. */
export class PodTerminator {
  readonly #options: PodTerminatorOptions;

  constructor(options: PodTerminatorOptions) {
    this.#options = options;
  }

  /**
   * Kills what runs, writes the final status and, when the pod is to be deleted, removes every trace of it and then the
   * pod itself.
   */
  async terminate(record: PodRecord, pod: Pod, signal: AbortSignal): Promise<void> {
    const { observer, killer, publisher, statuses, health, runtime } = this.#options;
    const isDeleted = pod.metadata.deletionTimestamp !== undefined;
    let observed = await observer.observe(record.uid, pod);
    publisher.publish(record, pod, observed, true);
    if (anyRunning(observed)) {
      await killer.kill(record.uid, pod, observed, graceSecondsOf(record, pod));
      observed = await observer.observe(record.uid, pod);
    }
    health.stop(record.uid);
    for (const sandbox of observed.sandboxes) if (sandbox.state === 'ready') await runtime.stopPodSandbox(sandbox.id);
    publisher.publish(record, pod, observed, true);
    await statuses.flush(record.uid);
    signal.throwIfAborted();
    if (isDeleted) {
      await this.#removeAll(record.uid, observed);
      await this.#deleteFromApi(pod);
    } else {
      await this.#options.directories.removeVolumes(record.uid);
    }
    record.isSettled = true;
  }

  /** The API does not know the pod (any more): nothing of it may stay. True when nothing is left. */
  async removeOrphan(record: PodRecord): Promise<void> {
    const { observer, killer, health, statuses } = this.#options;
    health.stop(record.uid);
    statuses.forget(record.uid);
    const observed = await observer.observe(record.uid, undefined);
    if (anyRunning(observed)) await killer.kill(record.uid, undefined, observed, orphanGraceSeconds);
    await this.#removeAll(record.uid, observed);
  }

  async #removeAll(uid: string, observed: PodObservation): Promise<void> {
    const { runtime, directories } = this.#options;
    await Promise.all(observed.containers.map((container) => runtime.removeContainer(container.id)));
    for (const sandbox of observed.sandboxes) await runtime.removePodSandbox(sandbox.id);
    await directories.remove(uid);
  }

  async #deleteFromApi(pod: Pod): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    try {
      await this.#options.client.delete(pods, name, namespace, {
        gracePeriodSeconds: 0,
        ...(uid ? { preconditions: { uid } } : {}),
      });
    } catch (error) {
      // Gone, or another pod has the name by now.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

function graceSecondsOf({ failure }: PodRecord, pod: Pod): number {
  const asked = pod.metadata.deletionTimestamp === undefined ? undefined : pod.metadata.deletionGracePeriodSeconds;
  return asked ?? failure?.graceSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
}
