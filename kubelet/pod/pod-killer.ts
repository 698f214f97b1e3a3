import type { Pod } from '../../shared/api/generated/types.js';
import { isSidecar } from '../../shared/api/pod.js';
import type { ContainerKiller } from '../container/container-killer.js';
import type { ContainerRuntime } from '../runtime/container-runtime.js';
import { isRunning, type ObservedContainer, type PodObservation } from './pod-observation.js';
import { findContainer, initContainersOf } from './pod-spec.js';

interface Killing {
  graceSeconds: number;
  readonly ids: Set<string>;
}

/** Ends all containers of pods: first the ordinary ones side by side, then the sidecars in reverse order. */
export class PodKiller {
  readonly #runtime: ContainerRuntime;
  readonly #killer: ContainerKiller;
  readonly #killing = new Map<string, Killing>();

  constructor(runtime: ContainerRuntime, killer: ContainerKiller) {
    this.#runtime = runtime;
    this.#killer = killer;
  }

  /** Resolves when nothing of it runs. The grace period is one for all of them together. */
  async kill(uid: string, pod: Pod | undefined, observed: PodObservation, graceSeconds: number): Promise<void> {
    const running = observed.containers.filter(isRunning);
    const killing: Killing = { graceSeconds, ids: new Set(running.map((container) => container.id)) };
    this.#killing.set(uid, killing);
    try {
      const order = pod
        ? initContainersOf(pod)
            .filter(isSidecar)
            .map((container) => container.name)
        : [];
      const ordinary = running.filter((container) => !order.includes(container.name));
      const podIP = observed.sandboxes[0]?.ips[0] ?? '';
      await Promise.all(ordinary.map((container) => this.#killOne(pod, container, killing, podIP)));
      for (const name of order.reverse()) {
        const sidecars = running.filter((container) => container.name === name);
        await Promise.all(sidecars.map((container) => this.#killOne(pod, container, killing, podIP)));
      }
    } finally {
      this.#killing.delete(uid);
    }
  }

  /** A shorter grace period was asked for while the pod is being killed; it counts from now. */
  async shorten(uid: string, graceSeconds: number): Promise<void> {
    const killing = this.#killing.get(uid);
    if (!killing || killing.graceSeconds <= graceSeconds) return;
    killing.graceSeconds = graceSeconds;
    await Promise.all([...killing.ids].map((id) => this.#runtime.stopContainer(id, graceSeconds)));
  }

  async #killOne(pod: Pod | undefined, running: ObservedContainer, killing: Killing, podIP: string): Promise<void> {
    const container = pod && findContainer(pod, running.name);
    const { graceSeconds } = killing;
    await this.#killer.kill({
      ...(pod ? { pod } : {}),
      ...(container ? { container } : {}),
      running,
      graceSeconds,
      podIP,
    });
    killing.ids.delete(running.id);
  }
}
