import { mapInSlices } from '../../shared/lifecycle/slices.js';
import type { StorageEvent, StoredValue } from '../storage/storage.js';
import { CachedObject, type EncodedObjects, type SelectableFields } from './cached-object.js';
import { EventRing, type CacheEvent, type RingLimits } from './event-ring.js';

/** A value by which objects of a collection can be found without looking at all of them. */
export interface CacheIndex {
  readonly name: string;
  readonly valueOf: (object: CachedObject) => string | undefined;
}

/** The index of the objects of one kind by one of its selectable fields. */
export function fieldIndex(field: string, by: SelectableFields): CacheIndex {
  return { name: `field ${field}`, valueOf: (cached) => cached.selected(by).fields[field] };
}

interface BuiltIndex extends CacheIndex {
  readonly objects: Map<string, Set<CachedObject>>;
}

/** Clients choose by which labels they select: what they asked for last is kept. */
const maxIndexes = 16;

export interface WatchCacheOptions {
  /** `/registry/core/pods/`. */
  readonly prefix: string;
  readonly encoded: EncodedObjects;
  readonly revision: number;
  readonly limits?: RingLimits;
  /** Turns stored bytes into those that are served, where the two may differ (custom resources of an older form). */
  readonly decode?: (bytes: Buffer) => Buffer;
  /** Of a cache that follows another one: revision up to which it has done so. */
  readonly followed?: () => number;
  /** Of such a cache: what it shows for things stored at any time. */
  readonly objectsOf?: (stored: readonly StoredValue[]) => Promise<readonly CachedObject[]>;
}

/**
 * All current objects of one collection and its last changes.
 *
 *     storage events -> apply() -> objects, sorted keys, indexes that were asked for
 *                               -> ring -> watchers read at their own pace
 */
export class WatchCache {
  readonly prefix: string;
  readonly ring: EventRing;
  /** Set on a cache that follows another one: revision up to which it has done so. */
  readonly followed: (() => number) | undefined;
  readonly #objectsOf: WatchCacheOptions['objectsOf'];
  readonly #filledAt: number;
  readonly #encoded: EncodedObjects;
  readonly #decode: ((bytes: Buffer) => Buffer) | undefined;
  readonly #objects = new Map<string, CachedObject>();
  /** The same in key order: a list of thousands would otherwise look up each of its keys. */
  readonly #sorted: CachedObject[] = [];
  /** The one used last at the end. */
  readonly #indexes = new Map<string, BuiltIndex>();
  readonly #listeners = new Set<(event: CacheEvent) => void>();
  /** Revision of the last change seen in this collection. */
  lastChange: number;

  constructor(options: WatchCacheOptions) {
    this.prefix = options.prefix;
    this.#filledAt = options.revision;
    this.#encoded = options.encoded;
    this.#decode = options.decode;
    this.followed = options.followed;
    this.#objectsOf = options.objectsOf;
    this.ring = new EventRing(options.revision, options.limits);
    this.lastChange = options.revision;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Fills the cache at start; `values` in key order, after all that was filled before. */
  fill(values: readonly StoredValue[]): void {
    for (const stored of values) {
      const object = this.objectOf(stored);
      this.#objects.set(stored.key, object);
      this.#sorted.push(object);
    }
    this.#indexes.clear();
  }

  /** The same with objects that are made already. */
  fillWith(objects: readonly CachedObject[]): void {
    for (const object of objects) {
      this.#objects.set(object.key, object);
      this.#sorted.push(object);
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
    this.#replace(event.type === 'delete', current, previous);
  }

  /** Takes one change over from the cache that this one follows. Called in revision order. */
  take(isDelete: boolean, current: CachedObject): void {
    this.#replace(isDelete, current, this.#objects.get(current.key));
  }

  #replace(isDelete: boolean, current: CachedObject, previous: CachedObject | undefined): void {
    const { key, revision } = current;
    if (isDelete && !previous) return;
    if (previous) for (const index of this.#indexes.values()) removeFrom(index, previous);
    const position = this.#positionOf(key);
    if (isDelete) {
      this.#objects.delete(key);
      this.#sorted.splice(position, 1);
    } else {
      if (previous) this.#sorted[position] = current;
      else this.#sorted.splice(position, 0, current);
      this.#objects.set(key, current);
      for (const index of this.#indexes.values()) addTo(index, current);
    }
    this.lastChange = revision;
    const type = isDelete ? 'DELETED' : previous ? 'MODIFIED' : 'ADDED';
    const change: CacheEvent = { type, revision, current, previous };
    this.ring.push(change);
    for (const listener of this.#listeners) listener(change);
  }

  /** What is served for something stored, whenever it was written. */
  objectOf(stored: StoredValue): CachedObject {
    if (this.#decode) return new CachedObject({ ...stored, value: this.#decode(stored.value) });
    return new CachedObject(stored, this.#encoded.find(stored.value), this.#encoded.takeSelected(stored.value));
  }

  /** The same for many; a promise only where the cache follows another one. */
  objectsOf(stored: readonly StoredValue[]): readonly CachedObject[] | Promise<readonly CachedObject[]> {
    return this.#objectsOf ? this.#objectsOf(stored) : stored.map((one) => this.objectOf(one));
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
    const sorted = this.#sorted;
    for (let i = this.#startOf(prefix, startAfter); i < sorted.length; i++) {
      const object = sorted[i];
      if (!object?.key.startsWith(prefix)) return;
      yield object;
    }
  }

  /** The same as {@link objects}, as an array: what lists and initial events work on. */
  snapshot(prefix: string = this.prefix, startAfter?: string): CachedObject[] {
    const to = prefix === this.prefix ? this.#sorted.length : this.#endOf(prefix);
    return this.#sorted.slice(this.#startOf(prefix, startAfter), to);
  }

  /** Objects for which `index` has `value`, in key order. The index is made at the first call, and kept while it is used. */
  byIndex(index: CacheIndex, value: string): CachedObject[] {
    const found = [...(this.#indexOf(index).objects.get(value) ?? [])];
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /**
   * Looks into the objects that a selector is about to ask, where nobody has yet, and lets others have their turn meanwhile. An
   * index that is there already has seen all objects.
   */
  async lookInto(by: SelectableFields, index: CacheIndex | undefined): Promise<void> {
    if (index && this.#indexes.has(index.name)) return;
    const unseen = this.snapshot().filter((object) => !object.isLookedInto(by));
    await mapInSlices(unseen, (object) => object.selected(by));
  }

  #indexOf({ name, valueOf }: CacheIndex): BuiltIndex {
    const built = this.#indexes.get(name);
    if (built) {
      this.#indexes.delete(name);
      this.#indexes.set(name, built);
      return built;
    }
    const made: BuiltIndex = { name, valueOf, objects: new Map() };
    for (const object of this.#objects.values()) addTo(made, object);
    this.#indexes.set(name, made);
    const [oldest] = this.#indexes.keys();
    if (this.#indexes.size > maxIndexes && oldest !== undefined) this.#indexes.delete(oldest);
    return made;
  }

  /** `listener` hears each change synchronously; it must be quick and must not throw. Returns what ends it. */
  onChange(listener: (event: CacheEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #startOf(prefix: string, startAfter: string | undefined): number {
    if (startAfter === undefined || startAfter < prefix) return this.#positionOf(prefix);
    const position = this.#positionOf(startAfter);
    return this.#sorted[position]?.key === startAfter ? position + 1 : position;
  }

  #endOf(prefix: string): number {
    // '0' follows '/': all prefixes end with a slash.
    return this.#positionOf(`${prefix.slice(0, -1)}0`);
  }

  /** Where `key` is, or would be put. */
  #positionOf(key: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle]?.key ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function addTo({ objects, valueOf }: BuiltIndex, object: CachedObject): void {
  const value = valueOf(object);
  if (value === undefined) return;
  const set = objects.get(value);
  if (set) set.add(object);
  else objects.set(value, new Set([object]));
}

function removeFrom({ objects, valueOf }: BuiltIndex, object: CachedObject): void {
  const value = valueOf(object);
  if (value === undefined) return;
  const set = objects.get(value);
  set?.delete(object);
  if (set?.size === 0) objects.delete(value);
}
