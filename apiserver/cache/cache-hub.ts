import type { ResourceDefinition } from '../registry/definition.js';
import { collectionPrefix, prefixOfKey, registryPrefix } from '../registry/storage-keys.js';
import type { Storage, StorageEvent, StoredValue } from '../storage/storage.js';
import { EncodedObjects } from './cached-object.js';
import { WatchCache } from './watch-cache.js';

const pageSize = 5_000;

/**
 * Keeps a {@link WatchCache} for each stored collection by one watch over the whole store, so that one revision tells
 * how current all of them are. A storage whose put() resolves after its watch was told makes every read here consistent.
 */
export class CacheHub {
  readonly encoded = new EncodedObjects();
  readonly #storage: Storage;
  readonly #caches = new Map<string, WatchCache>();
  readonly #listeners = new Set<() => void>();
  readonly #endings = new Set<(cache: WatchCache) => void>();
  #stop: (() => void) | undefined;
  #revision = 0;
  /** Collections that are being read: their events wait. */
  readonly #opening = new Map<string, StorageEvent[]>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Revision up to which all caches have seen everything. */
  get revision(): number {
    return Math.max(this.#revision, this.#storage.revision);
  }

  /** Reads all that is stored, then follows. */
  async start(definitions: readonly ResourceDefinition[]): Promise<void> {
    const first = await this.#storage.list(registryPrefix, { limit: pageSize });
    const revision = first.revision;
    for (const definition of definitions) {
      if (!definition.storedAs) this.#add(definition, revision);
    }
    let page = first;
    for (;;) {
      this.#fill(page.items);
      if (page.nextKey === undefined) break;
      page = await this.#storage.list(registryPrefix, { limit: pageSize, startAfter: page.nextKey, revision });
    }
    this.#revision = revision;
    const listener = (events: readonly StorageEvent[]): void => this.#apply(events);
    this.#stop = await this.#storage.watch(registryPrefix, revision, listener, { knowsPrevious: true });
  }

  /** Opens a cache for a collection that nobody served until now, or replaces the one that there is by another form. */
  async open(definition: ResourceDefinition): Promise<void> {
    const prefix = collectionPrefix(definition.resource);
    const missed: StorageEvent[] = [];
    this.#opening.set(prefix, missed);
    try {
      let page = await this.#storage.list(prefix, { limit: pageSize });
      const { revision } = page;
      const cache = this.#make(definition, revision);
      for (;;) {
        cache.fill(page.items);
        if (page.nextKey === undefined) break;
        page = await this.#storage.list(prefix, { limit: pageSize, startAfter: page.nextKey, revision });
      }
      for (const event of missed) if (event.revision > revision) cache.apply(event);
      this.#caches.set(prefix, cache);
    } finally {
      this.#opening.delete(prefix);
    }
  }

  /** Forgets a collection. Who watches it must be told by the caller. */
  close(definition: Pick<ResourceDefinition, 'resource'>): void {
    this.#caches.delete(collectionPrefix(definition.resource));
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** The cache of what `definition` shows: that of its stored form for a mere view. */
  cacheOf(definition: ResourceDefinition): WatchCache {
    const resource = (definition.storedAs?.definition ?? definition).resource;
    const cache = this.#caches.get(collectionPrefix(resource));
    if (!cache) throw new Error(`no cache for ${collectionPrefix(resource)}`);
    return cache;
  }

  caches(): Iterable<WatchCache> {
    return this.#caches.values();
  }

  /** `listener` runs after each batch of changes. */
  onBatch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A cache that follows another one has changed. */
  notify(): void {
    for (const listener of this.#listeners) listener();
  }

  /** `listener` is told of each cache that nobody may watch any longer. */
  onEnd(listener: (cache: WatchCache) => void): () => void {
    this.#endings.add(listener);
    return () => void this.#endings.delete(listener);
  }

  /** The watches of a cache are to end: what they show is gone, or cannot be shown. */
  end(cache: WatchCache): void {
    for (const listener of this.#endings) listener(cache);
  }

  /** Revision up to which one cache has seen everything. */
  revisionOf({ followed }: WatchCache): number {
    return followed ? followed() : this.revision;
  }

  #add(definition: ResourceDefinition, revision: number): void {
    this.#caches.set(collectionPrefix(definition.resource), this.#make(definition, revision));
  }

  #make(definition: ResourceDefinition, revision: number): WatchCache {
    const decode = definition.custom?.decodeStored;
    const prefix = collectionPrefix(definition.resource);
    return new WatchCache({ prefix, encoded: this.encoded, revision, ...(decode ? { decode } : {}) });
  }

  #fill(items: readonly StoredValue[]): void {
    let from = 0;
    while (from < items.length) {
      const prefix = prefixOfKey(items[from]?.key ?? '');
      let to = from + 1;
      while (to < items.length && items[to]?.key.startsWith(prefix)) to += 1;
      this.#caches.get(prefix)?.fill(items.slice(from, to));
      from = to;
    }
  }

  #apply(events: readonly StorageEvent[]): void {
    for (const event of events) {
      const prefix = prefixOfKey(event.key);
      this.#opening.get(prefix)?.push(event);
      this.#caches.get(prefix)?.apply(event);
      this.#revision = event.revision;
    }
    this.notify();
  }
}
