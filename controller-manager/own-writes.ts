import { objectKey, type KubernetesObject } from '../shared/api/object.js';
import type { Informer } from '../shared/cache/informer.js';
import type { Clock } from '../shared/clock/clock.js';

interface Write {
  readonly kind: 'created' | 'deleted';
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly atMs: number;
}

/** After so long a write that the cache never showed is not waited for any more. */
const patienceMs = 300_000;

/**
 * What a controller wrote and its cache may not show yet, by the key of the reconciled object. While something is
 * pending, counting children from the cache would be wrong: the controller would create or delete twice.
 */
export class OwnWrites<T extends KubernetesObject> {
  readonly #informer: Pick<Informer<T>, 'lister' | 'resourceVersion'>;
  readonly #clock: Clock;
  readonly #writes = new Map<string, Write[]>();

  constructor(informer: Pick<Informer<T>, 'lister' | 'resourceVersion'>, clock: Clock) {
    this.#informer = informer;
    this.#clock = clock;
  }

  created(owner: string, child: T): void {
    this.#note(owner, 'created', child);
  }

  /** `child` as the cache shows it before the deletion. */
  deleted(owner: string, child: T): void {
    this.#note(owner, 'deleted', child);
  }

  /** Whether the cache is behind the writes for this owner. */
  isPending(owner: string): boolean {
    const pending = (this.#writes.get(owner) ?? []).filter((write) => !this.#isSeen(write));
    if (pending.length > 0) this.#writes.set(owner, pending);
    else this.#writes.delete(owner);
    return pending.length > 0;
  }

  /** The owner is gone. */
  forget(owner: string): void {
    this.#writes.delete(owner);
  }

  #note(owner: string, kind: Write['kind'], child: T): void {
    const { uid, resourceVersion } = child.metadata;
    const write = { kind, key: objectKey(child), uid, resourceVersion, atMs: this.#clock.monotonic() };
    const writes = this.#writes.get(owner);
    if (writes) writes.push(write);
    else this.#writes.set(owner, [write]);
  }

  #isSeen(write: Write): boolean {
    if (this.#clock.monotonic() - write.atMs >= patienceMs) return true;
    const cached = this.#informer.lister.get(write.key);
    if (write.kind === 'deleted') return cached?.metadata.uid !== write.uid || !!cached.metadata.deletionTimestamp;
    // Created and gone again already: the version tells that the cache has passed it.
    return cached?.metadata.uid === write.uid || isAtLeast(this.#informer.resourceVersion, write.resourceVersion);
  }
}

/** resourceVersions are decimal numbers that may exceed 2^53 (KEP-5504: clients may compare them). */
function isAtLeast(a: string, b: string): boolean {
  return a.length === b.length ? a >= b : a.length > b.length;
}
