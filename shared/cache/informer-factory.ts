import type { KubernetesObject } from '../api/object.js';
import type { Resource } from '../api/resource.js';
import type { Client } from '../client/client.js';
import type { IndexFunction } from './informer.js';
import type { ReflectorScope } from './reflector.js';
import { SharedInformer, type InformerDependencies } from './shared-informer.js';

export interface FactoryOptions extends InformerDependencies {
  /** For every informer of the factory; e.g. {@link dropManagedFields}. */
  readonly transform?: <T extends KubernetesObject>(object: T) => T;
  /** Objects come with their metadata alone; for every informer of the factory. */
  readonly isMetadataOnly?: boolean;
}

/** Removes what only the server reads. An update without managedFields leaves the stored ones as they are. */
export function dropManagedFields<T extends KubernetesObject>(object: T): T {
  delete object.metadata.managedFields;
  return object;
}

/** The informers of one process: one per resource and scope, whoever asks. */
export class InformerFactory {
  readonly #client: Client;
  readonly #options: FactoryOptions;
  readonly #informers = new Map<string, SharedInformer<KubernetesObject>>();
  readonly #running = new Set<Promise<void>>();
  /** Ends one informer that runs. */
  readonly #ends = new Map<string, AbortController>();
  #signal: AbortSignal | undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(client: Client, options: FactoryOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** The informer of that resource and scope; made at the first call, and started at once when the factory runs. */
  informer<T extends KubernetesObject>(
    resource: Resource<T>,
    scope: ReflectorScope & { indexes?: Readonly<Record<string, IndexFunction<T>>> } = {},
  ): SharedInformer<T> {
    const { indexes = {}, ...selection } = scope;
    const key = scopeKey(resource, selection);
    // The key tells the resource, and with it T.
    let informer = this.#informers.get(key) as SharedInformer<T> | undefined;
    if (!informer) {
      const { transform, isMetadataOnly = false, ...deps } = this.#options;
      informer = new SharedInformer<T>(
        this.#client,
        resource,
        { ...selection, isMetadataOnly, ...(transform ? { transform } : {}) },
        deps,
      );
      this.#informers.set(key, informer as unknown as SharedInformer<KubernetesObject>);
      if (this.#signal) this.#start(key, informer, this.#signal);
    }
    for (const [name, compute] of Object.entries(indexes)) informer.addIndex(name, compute);
    return informer;
  }

  /** The informer of the whole resource, if anyone asked for it so far. */
  find<T extends KubernetesObject>(resource: Resource<T>): SharedInformer<T> | undefined {
    return this.#informers.get(scopeKey(resource, {})) as SharedInformer<T> | undefined;
  }

  /** Ends and forgets the informer of the whole resource, which is served no more. Its handlers hear nothing of that. */
  drop(resource: Resource): void {
    const key = scopeKey(resource, {});
    this.#informers.delete(key);
    this.#ends.get(key)?.abort();
    this.#ends.delete(key);
  }

  /** Runs all informers, also those asked for later, until aborted. Rejects when one breaks, which only a bug can do. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
      for (const [key, informer] of this.#informers) this.#start(key, informer, signal);
    });
    await Promise.all(this.#running);
  }

  /** Resolves when every informer asked for so far has delivered its first list. */
  async waitForSync(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.waitForSync(signal)));
  }

  /** What is not synced yet; for readiness checks. */
  unsynced(): string[] {
    return [...this.#informers.values()].filter((i) => !i.hasSynced).map((i) => i.resource.resource);
  }

  #start(key: string, informer: { run(signal: AbortSignal): Promise<void> }, signal: AbortSignal): void {
    const end = new AbortController();
    this.#ends.set(key, end);
    const running = informer.run(AbortSignal.any([signal, end.signal])).catch((error: unknown) => this.#fail(error));
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }
}

function scopeKey(resource: Resource, scope: ReflectorScope): string {
  const { namespace = '', labelSelector = '', fieldSelector = '' } = scope;
  return JSON.stringify([resource.basePath, resource.resource, namespace, labelSelector, fieldSelector]);
}
