import type { StorageEvent, StoredValue } from '../storage/storage.js';
import { CachedObject, type EncodedObjects } from './cached-object.js';
import { EventRing, type CacheEvent, type RingLimits } from './event-ring.js';

/** Values by which objects of a collection can be found without looking at all of them. */
export type CacheIndexes = Readonly<Record<string, (object: CachedObject) => string | undefined>>;

export interface WatchCacheOptions {
  /** `/registry/core/pods/`. */
  readonly prefix: string;
  readonly encoded: EncodedObjects;
  readonly revision: number;
  readonly indexes?: CacheIndexes;
  readonly limits?: RingLimits;
  /** Turns stored bytes into those that are served, where the two may differ (custom resources of an older form). */
  readonly decode?: (bytes: Buffer) => Buffer;
}

/**
 * All current objects of one collection and its last changes.
 *
 *     storage events -> apply() -> objects, sorted keys, indexes
 *                               -> ring -> watchers read at their own pace
 */
export class WatchCache {
  readonly prefix: string;
  readonly ring: EventRing;
  readonly #filledAt: number;
  readonly #encoded: EncodedObjects;
  readonly #decode: ((bytes: Buffer) => Buffer) | undefined;
  readonly #objects = new Map<string, CachedObject>();
  #sortedKeys: string[] = [];
  readonly #indexFunctions: CacheIndexes;
  readonly #indexes = new Map<string, Map<string, Set<CachedObject>>>();
  readonly #listeners = new Set<(event: CacheEvent) => void>();
  /** Revision of the last change seen in this collection. */
  lastChange: number;

  constructor(options: WatchCacheOptions) {
    this.prefix = options.prefix;
    this.#filledAt = options.revision;
    this.#encoded = options.encoded;
    this.#decode = options.decode;
    this.#indexFunctions = options.indexes ?? {};
    this.ring = new EventRing(options.revision, options.limits);
    this.lastChange = options.revision;
    for (const index of Object.keys(this.#indexFunctions)) this.#indexes.set(index, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Fills the cache at start; `values` in key order, after all that was filled before. */
  fill(values: readonly StoredValue[]): void {
    for (const stored of values) {
      const object = this.objectOf(stored);
      this.#objects.set(stored.key, object);
      this.#sortedKeys.push(stored.key);
      this.#addToIndexes(object);
    }
  }

  /** Takes one committed change over, unless the cache was filled with it. Called in revision order. */
  apply(event: StorageEvent): void {
    if (event.revision <= this.#filledAt) return;
    const previous = this.#objects.get(event.key);
    const current = this.#written({
      key: event.key,
      value: event.value,
      revision: event.revision,
      createRevision: previous?.createRevision ?? event.revision,
    });
    if (event.type === 'delete' && !previous) return;
    if (previous) this.#removeFromIndexes(previous);
    if (event.type === 'delete') {
      this.#objects.delete(event.key);
      this.#sortedKeys.splice(this.#positionOf(event.key), 1);
    } else {
      if (!previous) this.#sortedKeys.splice(this.#positionOf(event.key), 0, event.key);
      this.#objects.set(event.key, current);
      this.#addToIndexes(current);
    }
    this.lastChange = event.revision;
    const type = event.type === 'delete' ? 'DELETED' : previous ? 'MODIFIED' : 'ADDED';
    const change: CacheEvent = { type, revision: event.revision, current, previous };
    this.ring.push(change);
    for (const listener of this.#listeners) listener(change);
  }

  /** What is served for something stored, whenever it was written. */
  objectOf(stored: StoredValue): CachedObject {
    if (this.#decode) return new CachedObject({ ...stored, value: this.#decode(stored.value) });
    return new CachedObject(stored, this.#encoded.find(stored.value));
  }

  /** What this process has just written has the form of today. */
  #written(stored: StoredValue): CachedObject {
    const object = this.#encoded.find(stored.value);
    return object ? new CachedObject(stored, object) : this.objectOf(stored);
  }

  get(key: string): CachedObject | undefined {
    return this.#objects.get(key);
  }

  /** Objects below `prefix` in key order, beginning after the key `startAfter`. */
  *objects(prefix: string = this.prefix, startAfter?: string): Generator<CachedObject> {
    const keys = this.#sortedKeys;
    for (let i = this.#startOf(prefix, startAfter); i < keys.length; i++) {
      const key = keys[i];
      if (key === undefined || !key.startsWith(prefix)) return;
      const object = this.#objects.get(key);
      if (object) yield object;
    }
  }

  /** The same as {@link objects}, as an array: what lists and initial events work on. */
  snapshot(prefix: string = this.prefix, startAfter?: string): CachedObject[] {
    const keys = this.#sortedKeys;
    const from = this.#startOf(prefix, startAfter);
    const to = prefix === this.prefix ? keys.length : this.#endOf(prefix);
    const found: CachedObject[] = [];
    for (let i = from; i < to; i++) {
      const object = this.#objects.get(keys[i] ?? '');
      if (object) found.push(object);
    }
    return found;
  }

  hasIndex(index: string): boolean {
    return this.#indexes.has(index);
  }

  /** Objects whose index has `value`, in key order. */
  byIndex(index: string, value: string): CachedObject[] {
    const found = [...(this.#indexes.get(index)?.get(value) ?? [])];
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** `listener` hears each change synchronously; it must be quick and must not throw. Returns what ends it. */
  onChange(listener: (event: CacheEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #startOf(prefix: string, startAfter: string | undefined): number {
    if (startAfter === undefined || startAfter < prefix) return this.#positionOf(prefix);
    const position = this.#positionOf(startAfter);
    return this.#sortedKeys[position] === startAfter ? position + 1 : position;
  }

  #endOf(prefix: string): number {
    // '0' follows '/': all prefixes end with a slash.
    return this.#positionOf(`${prefix.slice(0, -1)}0`);
  }

  /** Where `key` is, or would be put. */
  #positionOf(key: string): number {
    let low = 0;
    let high = this.#sortedKeys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sortedKeys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #addToIndexes(object: CachedObject): void {
    for (const [index, valueOf] of Object.entries(this.#indexFunctions)) {
      const value = valueOf(object);
      if (value === undefined) continue;
      const values = this.#indexes.get(index);
      const set = values?.get(value);
      if (set) set.add(object);
      else values?.set(value, new Set([object]));
    }
  }

  #removeFromIndexes(object: CachedObject): void {
    for (const [index, valueOf] of Object.entries(this.#indexFunctions)) {
      const value = valueOf(object);
      if (value === undefined) continue;
      const values = this.#indexes.get(index);
      const set = values?.get(value);
      set?.delete(object);
      if (set?.size === 0) values?.delete(value);
    }
  }
}
