import { resourcequotas } from '../../../shared/api/generated/resources.js';
import type { ResourceQuota } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import type { CacheEvent } from '../../cache/event-ring.js';
import type { WatchCache } from '../../cache/watch-cache.js';
import type { ObjectReader } from '../../registry/object-reader.js';
import { collectionsOf, QuotaLedger, type Counted } from './quota-ledger.js';

type Quota = ResourceQuota & KubernetesObject;

/** The ledgers of all quotas that something was written under, kept up to date by the caches. */
export class QuotaLedgers {
  readonly #objects: ObjectReader;
  readonly #now: () => number;
  /** By namespace, then by the name of the quota. */
  readonly #ledgers = new Map<string, Map<string, QuotaLedger>>();
  readonly #followed = new Set<WatchCache>();

  constructor(objects: ObjectReader, now: () => number) {
    this.#objects = objects;
    this.#now = now;
    // A quota that is gone has no ledger.
    objects.cacheOf(resourcequotas)?.onChange(({ type, current }) => {
      if (type === 'DELETED') this.#forget(current.namespace ?? '', current.name);
    });
  }

  /** The ledgers of the quotas of a namespace, by name. */
  of(namespace: string): readonly QuotaLedger[] {
    const quotas = this.#objects.list(resourcequotas, namespace);
    return quotas.length === 0 ? [] : quotas.map((quota) => this.#ledger(namespace, quota));
  }

  #ledger(namespace: string, quota: Quota): QuotaLedger {
    const known = this.#ledgers.get(namespace)?.get(quota.metadata.name);
    const isCurrent = known && (known.quota === quota || isSameQuota(known.quota, quota)) && this.#isComplete(known);
    if (isCurrent) return known;
    const made = new QuotaLedger(quota, this.#counted(quota), this.#now);
    // What is on its way under the old form of the quota is counted under the new one too.
    if (known) made.adopt(known);
    const ledgers = this.#ledgers.get(namespace) ?? new Map<string, QuotaLedger>();
    this.#ledgers.set(namespace, ledgers.set(quota.metadata.name, made));
    return made;
  }

  /** Custom resources come and go, and with them their caches. */
  #isComplete({ counted, collections }: QuotaLedger): boolean {
    return collections.every(
      (collection) =>
        this.#objects.cacheOf(collection) ===
        counted.find((one) => isSameCollection(one.collection, collection))?.cache,
    );
  }

  #counted(quota: Quota): Counted[] {
    return collectionsOf(quota).flatMap((collection) => {
      const cache = this.#objects.cacheOf(collection);
      if (!cache) return [];
      if (!this.#followed.has(cache)) {
        this.#followed.add(cache);
        cache.onChange((event) => this.#follow(cache, event));
      }
      return [{ collection, cache }];
    });
  }

  #follow(cache: WatchCache, event: CacheEvent): void {
    const { key } = event.current;
    const ledgers = this.#ledgers.get(key.slice(cache.prefix.length, key.indexOf('/', cache.prefix.length)));
    if (!ledgers) return;
    for (const ledger of ledgers.values()) {
      const counted = ledger.counted.find((one) => one.cache === cache);
      if (counted) ledger.follow(counted.collection, event);
    }
  }

  #forget(namespace: string, name: string): void {
    const ledgers = this.#ledgers.get(namespace);
    ledgers?.delete(name);
    if (ledgers?.size === 0) this.#ledgers.delete(namespace);
  }
}

const isSameCollection = (a: Counted['collection'], b: Counted['collection']): boolean =>
  a.group === b.group && a.resource === b.resource;

const isSameQuota = (a: Quota, b: Quota): boolean =>
  a.metadata.uid === b.metadata.uid && JSON.stringify(a.spec) === JSON.stringify(b.spec);
