import type { ResourceQuota } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import { formatQuantity, parseQuantity, type Quantity } from '../../../shared/api/quantity.js';
import { collectionOf, quotaIncludes, usageOf, type Usage } from '../../../shared/api/quota-usage.js';
import type { Resource } from '../../../shared/api/resource.js';
import type { CachedObject } from '../../cache/cached-object.js';
import type { CacheEvent } from '../../cache/event-ring.js';
import type { WatchCache } from '../../cache/watch-cache.js';

type Collection = Pick<Resource, 'group' | 'resource'>;

/** A collection that a quota counts, and where its objects are. */
export interface Counted {
  readonly collection: Collection;
  readonly cache: WatchCache;
}

/** What an object that is being written will count for. */
interface Pending {
  readonly key: string;
  /** Of an object that is being created: the cache will know it by this. */
  readonly uid: string | undefined;
  readonly usage: Usage;
}

/**
 * How much of one quota is used: what is stored, and what is on its way. Nothing is read from the quota's status: that
 * follows later. A write is counted from the moment it is let through until the cache has it or it has failed, so that
 * two writes never share what is left.
 */
export class QuotaLedger {
  readonly quota: ResourceQuota & KubernetesObject;
  readonly hard: ReadonlyMap<string, Quantity>;
  readonly counted: readonly Counted[];
  /** What it should count, whether that is served or not. */
  readonly collections: readonly Collection[];
  readonly #now: () => number;
  readonly #stored = new Map<string, Usage>();
  readonly #pending = new Set<Pending>();
  readonly #used = new Map<string, bigint>();
  #successor: QuotaLedger | undefined;

  constructor(quota: ResourceQuota & KubernetesObject, counted: readonly Counted[], now: () => number) {
    this.quota = quota;
    const hard = Object.entries(quota.spec?.hard ?? {});
    this.hard = new Map(hard.map(([name, text]) => [name, parseQuantity(text)]));
    this.counted = counted;
    this.collections = collectionsOf(quota);
    this.#now = now;
    this.recount();
  }

  /** Counts everything anew: pods that should have ended by now stop counting. */
  recount(): void {
    this.#stored.clear();
    this.#used.clear();
    for (const { usage } of this.#pending) this.#add(usage, 1n);
    for (const { collection, cache } of this.counted) {
      for (const cached of cache.snapshot(`${cache.prefix}${this.quota.metadata.namespace ?? ''}/`)) {
        this.#store(collection, cached);
      }
    }
  }

  /** Takes over what has happened to an object of one of the collections. */
  follow(collection: Collection, { current, type }: CacheEvent): void {
    const before = this.#stored.get(current.key);
    if (before) this.#add(before, -1n);
    this.#stored.delete(current.key);
    if (type !== 'DELETED') this.#store(collection, current);
    for (const pending of this.#pending) {
      if (pending.key === current.key && pending.uid === current.object.metadata.uid) this.#release(pending);
    }
  }

  /** What `usage` would exceed. */
  exceeded(usage: Usage): string[] {
    return [...usage.keys()].filter((name) => {
      const limit = this.hard.get(name);
      return limit !== undefined && this.used(name) + (usage.get(name)?.nanos ?? 0n) > limit.nanos;
    });
  }

  /** Counts `usage` until the returned function is called, or an object with that key and uid is stored. */
  reserve(key: string, uid: string | undefined, usage: Usage): () => void {
    const pending: Pending = { key, uid, usage };
    this.#pending.add(pending);
    this.#add(usage, 1n);
    return () => this.#release(pending);
  }

  /** Takes over what is on its way from the ledger whose place this one takes; both forget it together. */
  adopt(old: QuotaLedger): void {
    for (const pending of old.#pending) {
      this.#pending.add(pending);
      this.#add(pending.usage, 1n);
    }
    old.#successor = this;
  }

  used(name: string): bigint {
    return this.#used.get(name) ?? 0n;
  }

  usedText(name: string): string {
    const format = this.hard.get(name)?.format ?? 'DecimalSI';
    return formatQuantity({ nanos: this.used(name), format });
  }

  /** The part of what an object counts for that this quota is about; empty where its scopes leave the object out. */
  share(collection: Collection, object: KubernetesObject): Usage {
    if (!quotaIncludes(this.quota, collection, object)) return new Map();
    const all = usageOf(collection, object, this.#now());
    return new Map([...all].filter(([name]) => this.hard.has(name)));
  }

  #store(collection: Collection, cached: CachedObject): void {
    const usage = this.share(collection, cached.object);
    if (usage.size === 0) return;
    this.#stored.set(cached.key, usage);
    this.#add(usage, 1n);
  }

  #release(pending: Pending): void {
    if (this.#pending.delete(pending)) this.#add(pending.usage, -1n);
    if (this.#successor) this.#successor.#release(pending);
  }

  #add(usage: Usage, sign: bigint): void {
    for (const [name, { nanos }] of usage) this.#used.set(name, (this.#used.get(name) ?? 0n) + sign * nanos);
  }
}

/** The collections that the names of a quota count. */
export function collectionsOf(quota: ResourceQuota): Collection[] {
  const found = new Map<string, Collection>();
  for (const name of Object.keys(quota.spec?.hard ?? {})) {
    const collection = collectionOf(name);
    if (collection) found.set(`${collection.group}/${collection.resource}`, collection);
  }
  return [...found.values()];
}
