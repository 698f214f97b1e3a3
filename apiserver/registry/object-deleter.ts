import type { KubernetesObject } from '../../shared/api/object.js';
import type { CachedObject } from '../cache/cached-object.js';
import { StorageConflictError } from '../storage/storage.js';
import { isDeletionComplete, planDeletion } from './deletion.js';
import { checkPreconditions } from './preconditions.js';
import { decodeObject } from './encoding.js';
import type { ResourceStore } from './resource-store.js';
import { modified, notFound } from './status-errors.js';
import type { DeleteOptions, WriteOptions } from './write-options.js';

/** What a delete answers. */
export interface DeleteResult {
  /** The last state, or the marked one, in the stored form. */
  readonly object: KubernetesObject;
  readonly isRemoved: boolean;
}

const attempts = 16;
/** Deletes of a collection under way at once: enough to share the store's synced batches, few enough for others between two. */
const collectionConcurrency = 64;

/** Deletes objects of one store: at once, or by marking them for those who hold finalizers or a grace period. */
export class ObjectDeleter {
  readonly #store: ResourceStore;

  constructor(store: ResourceStore) {
    this.#store = store;
  }

  /** `isAdmitted`: what led to the delete was admitted, as an Eviction was. */
  async delete(
    namespace: string | undefined,
    name: string,
    deletion: DeleteOptions,
    options: WriteOptions,
    isAdmitted = false,
  ): Promise<DeleteResult> {
    const store = this.#store;
    const warning = store.definition.orphansByDefault?.warning;
    if (warning !== undefined && deletion.propagationPolicy === undefined) options.warn(warning);
    return store.lock.run(store.key(namespace, name), async () => {
      for (let attempt = 1; ; attempt++) {
        const found = store.outgoing(namespace, name);
        const shared = found instanceof Promise ? await found : found;
        try {
          return await this.#deleteOnce(shared, deletion, options, isAdmitted);
        } catch (error) {
          if (!(error instanceof StorageConflictError)) throw error;
          if (!error.current) throw notFound(store.definition.resource, name);
          if (attempt === attempts) throw modified(store.definition.resource, name);
          await store.dependencies.clock.sleep(attempt);
        }
      }
    });
  }

  /** Deletes each of `objects`; one that is gone already is no failure. Rejects with the first real failure, after trying all. */
  async deleteAll(
    objects: readonly CachedObject[],
    deletion: DeleteOptions,
    options: WriteOptions,
  ): Promise<KubernetesObject[]> {
    const deleted: KubernetesObject[] = [];
    const failures: unknown[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let object = objects[next++]; object; object = objects[next++]) {
        try {
          const result = await this.delete(object.namespace, object.name, deletion, options);
          deleted.push(result.object);
        } catch (error) {
          if (!(error as { reason?: string }).reason?.startsWith('NotFound')) failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(collectionConcurrency, objects.length) }, work));
    if (failures.length > 0) throw failures[0];
    return deleted;
  }

  async #deleteOnce(
    shared: CachedObject,
    deletion: DeleteOptions,
    options: WriteOptions,
    isAdmitted: boolean,
  ): Promise<DeleteResult> {
    const { definition, dependencies } = this.#store;
    const old = shared.object;
    checkPreconditions(definition, old, deletion.preconditions);
    if (!isAdmitted) {
      const request = this.#store.admissionRequest('DELETE', undefined, old, '', options, { deletion });
      const mutation = dependencies.admission.mutate(request);
      if (mutation) await mutation;
      const validation = dependencies.admission.validate(request);
      if (validation) await validation;
    }
    const copy = decodeObject(shared.bytes);
    const plan = planDeletion(definition, copy, deletion, dependencies.clock.now());
    if (plan.type === 'alreadyDeleting') return { object: old, isRemoved: false };
    if (plan.type === 'mark') return this.#mark(shared, plan.object, options);
    return this.#remove(shared, copy, options);
  }

  async #mark(shared: CachedObject, object: KubernetesObject, options: WriteOptions): Promise<DeleteResult> {
    if (isDeletionComplete(this.#store.definition, object)) return this.#remove(shared, object, options);
    const { storage } = this.#store.dependencies;
    if (!options.isDryRun) {
      const stored = await this.#store.forms.forStorage(object);
      const encode = (revision: number): Buffer => this.#store.encode(stored, revision);
      const { revision } = await storage.put(shared.key, encode, shared.revision);
      object.metadata.resourceVersion = String(revision);
    }
    return { object, isRemoved: false };
  }

  async #remove(shared: CachedObject, last: KubernetesObject, options: WriteOptions): Promise<DeleteResult> {
    const { storage } = this.#store.dependencies;
    if (!options.isDryRun) {
      const stored = await this.#store.forms.forStorage(last);
      await storage.delete(shared.key, shared.revision, (revision) => this.#store.encode(stored, revision));
    }
    return { object: last, isRemoved: true };
  }
}
