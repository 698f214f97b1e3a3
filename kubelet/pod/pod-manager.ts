import type { Pod } from '../../shared/api/generated/types.js';
import type { EventHandler } from '../../shared/cache/informer.js';
import type { ContainerStatus, SandboxStatus } from '../runtime/container-runtime.js';
import { newRecord, type PodRecord } from './pod-record.js';

export interface PodManagerOptions {
  /** Has the pod's worker look at it. */
  readonly enqueue: (uid: string) => void;
  /** The watch saw a version of a pod. */
  readonly onPod: (pod: Pod) => void;
  /** This version is but the echo of our own status write. */
  readonly isEcho: (pod: Pod) => boolean;
  /** A pod that is being killed is to end sooner than was said before. */
  readonly shorten: (uid: string, graceSeconds: number) => void;
}

/** Knows every pod of this node, by uid: those that the API has, and those of which only remains are here. */
export class PodManager {
  readonly #options: PodManagerOptions;
  readonly #records = new Map<string, PodRecord>();
  /** Before the first look at the runtime every pod may have something there. */
  #hasLooked = false;

  constructor(options: PodManagerOptions) {
    this.#options = options;
  }

  get(uid: string): PodRecord | undefined {
    return this.#records.get(uid);
  }

  forget(uid: string): void {
    this.#records.delete(uid);
  }

  /** Pods that the API has on this node. */
  pods(): readonly Pod[] {
    return [...this.#records.values()].flatMap((record) => record.pod ?? []);
  }

  find(namespace: string, name: string): Pod | undefined {
    return this.pods().find((pod) => pod.metadata.namespace === namespace && pod.metadata.name === name);
  }

  /** For the informer of this node's pods. */
  handler(): EventHandler<Pod> {
    return {
      onAdd: (pod) => this.#update(pod),
      onUpdate: (previous, pod) => {
        // Deleted and made anew between two looks: two pods.
        if (previous.metadata.uid !== pod.metadata.uid) this.#remove(previous);
        this.#update(pod);
      },
      onDelete: (pod) => this.#remove(pod),
    };
  }

  /** Everything that the runtime holds; pods that the API does not know are orphans. Returns the uids. */
  seen(sandboxes: readonly SandboxStatus[], containers: readonly ContainerStatus[]): ReadonlySet<string> {
    const uids = new Set([...sandboxes, ...containers].map((item) => item.pod.uid));
    for (const uid of uids) {
      const record = this.#records.get(uid);
      if (!record) this.#records.set(uid, newRecord(uid, undefined, false));
      if (!record?.pod) this.#options.enqueue(uid);
    }
    this.#hasLooked = true;
    return uids;
  }

  /** All pods again: after a start of the engine, say. */
  enqueueAll(): void {
    for (const uid of this.#records.keys()) this.#options.enqueue(uid);
  }

  #update(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const record = this.#records.get(uid) ?? newRecord(uid, pod, this.#hasLooked);
    const before = record.pod;
    const wasEnding = before?.metadata.deletionTimestamp !== undefined;
    record.pod = pod;
    this.#records.set(uid, record);
    const isEcho = before !== undefined && asksForTheSame(before, pod) && this.#options.isEcho(pod);
    this.#options.onPod(pod);
    if (isEcho) return;
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (!wasEnding) record.interrupt.abort();
      this.#options.shorten(uid, pod.metadata.deletionGracePeriodSeconds ?? 0);
    }
    this.#options.enqueue(uid);
  }

  #remove(pod: Pod): void {
    const record = this.#records.get(pod.metadata.uid ?? '');
    if (!record) return;
    record.pod = undefined;
    record.interrupt.abort();
    this.#options.shorten(record.uid, 1);
    this.#options.enqueue(record.uid);
  }
}

/** The watch may have skipped versions in between, so an echo of ours can still bring news of others. */
function asksForTheSame(before: Pod, after: Pod): boolean {
  const { generation, deletionTimestamp } = after.metadata;
  return before.metadata.generation === generation && before.metadata.deletionTimestamp === deletionTimestamp;
}
