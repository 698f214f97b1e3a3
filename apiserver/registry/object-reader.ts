import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import type { CacheHub } from '../cache/cache-hub.js';
import { fieldIndex, type WatchCache } from '../cache/watch-cache.js';
import type { ResourceDefinition } from './definition.js';
import { storageKey } from './storage-keys.js';

/** Read side of what is stored, for the server's own rules. The objects are shared and never to be changed. */
export class ObjectReader {
  readonly #caches = new Map<string, WatchCache>();
  readonly #definitions = new Map<string, ResourceDefinition>();
  /** The same caches by the descriptor that was asked with: each plugin asks with the same one for each write. */
  readonly #known = new WeakMap<object, WatchCache>();

  constructor(definitions: readonly ResourceDefinition[], hub: CacheHub) {
    for (const definition of definitions) {
      if (definition.storedAs) continue;
      this.#caches.set(keyOf(definition.resource), hub.cacheOf(definition));
      this.#definitions.set(keyOf(definition.resource), definition);
    }
  }

  find<T>(resource: Resource<T>, namespace: string | undefined, name: string): (T & KubernetesObject) | undefined {
    const cached = this.cacheOf(resource)?.get(storageKey(resource, namespace, name));
    return cached?.object as (T & KubernetesObject) | undefined;
  }

  list<T>(resource: Resource<T>, namespace?: string): (T & KubernetesObject)[] {
    const cache = this.cacheOf(resource);
    if (!cache || cache.size === 0) return [];
    const prefix = namespace === undefined ? cache.prefix : `${cache.prefix}${namespace}/`;
    return cache.snapshot(prefix).map(({ object }) => object as T & KubernetesObject);
  }

  /** Where the objects of a resource are kept; undefined for what is not stored. */
  cacheOf(resource: Pick<Resource, 'group' | 'resource'>): WatchCache | undefined {
    const known = this.#known.get(resource) ?? this.#caches.get(keyOf(resource));
    if (known) this.#known.set(resource, known);
    return known;
  }

  /** Revision of the last change among the objects of a resource; grows with each of them. -1 for what is not stored. */
  lastChange(resource: Pick<Resource, 'group' | 'resource'>): number {
    return this.cacheOf(resource)?.lastChange ?? -1;
  }

  /** Hands every stored object to `take`, then each change as it happens. `take` must be quick and must not throw. */
  follow<T>(resource: Resource<T>, take: (object: T & KubernetesObject, isPresent: boolean) => void): void {
    const cache = this.cacheOf(resource);
    if (!cache) return;
    for (const { object } of cache.snapshot()) take(object as T & KubernetesObject, true);
    cache.onChange(({ type, current }) => take(current.object as T & KubernetesObject, type !== 'DELETED'));
  }

  /** Objects whose selectable field `field` has `value`, e.g. the pods of a node. */
  listBy<T>(resource: Resource<T>, field: string, value: string): (T & KubernetesObject)[] {
    const fields = this.#definitions.get(keyOf(resource))?.selectableFields;
    if (!fields?.[field]) return [];
    const found = this.cacheOf(resource)?.byIndex(fieldIndex(field, fields), value) ?? [];
    return found.map(({ object }) => object as T & KubernetesObject);
  }
}

const keyOf = ({ group, resource }: Pick<Resource, 'group' | 'resource'>): string => `${group}/${resource}`;
