import { objectKey, type KubernetesObject } from '../api/object.js';
import type { Resource } from '../api/resource.js';
import type { Client, WatchEvent } from '../client/client.js';
import type { Clock } from '../clock/clock.js';
import type { Log } from '../log/log.js';
import { deepFreeze } from './freeze.js';
import type { EventHandler, IndexFunction, Informer, Lister } from './informer.js';
import { isNoteworthy, Reflector, type ReflectorScope } from './reflector.js';
import { Store } from './store.js';

export interface InformerOptions<T> extends ReflectorScope {
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** Runs on every object before it is frozen and stored; drops what nobody reads. May change its argument. */
  readonly transform?: (object: T) => T;
}

export interface InformerDependencies {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log?: Log;
}

/** An informer of one collection. Its handlers run synchronously, in the order of the events and of their registration. */
export function createInformer<T extends KubernetesObject>(
  client: Client,
  resource: Resource<T>,
  options: InformerOptions<T>,
  deps: InformerDependencies,
): SharedInformer<T> {
  return new SharedInformer(client, resource, options, deps);
}

/** {@link Informer} shared by any number of handlers. */
export class SharedInformer<T extends KubernetesObject> implements Informer<T> {
  readonly resource: Resource<T>;
  readonly #store: Store<T>;
  readonly #handlers: EventHandler<T>[] = [];
  readonly #transform: (object: T) => T;
  readonly #reflector: Reflector<T>;
  readonly #syncWaiters: (() => void)[] = [];
  #hasSynced = false;
  #resourceVersion = '';

  constructor(client: Client, resource: Resource<T>, options: InformerOptions<T>, deps: InformerDependencies) {
    const { indexes, transform, ...scope } = options;
    const { clock, random, log } = deps;
    this.resource = resource;
    this.#store = new Store(indexes);
    this.#transform = transform ?? ((object) => object);
    this.#reflector = new Reflector(
      client,
      { resource, scope },
      {
        replace: (objects, resourceVersion) => this.#replace(objects, resourceVersion),
        apply: (event) => this.#apply(event),
      },
      {
        clock,
        random,
        onError: (error, step) => {
          const fields = { step, resource: resource.resource, reason: (error as Error).message };
          if (isNoteworthy(error)) log?.warn('list or watch failed, trying again', fields);
        },
      },
    );
  }

  get lister(): Lister<T> {
    return this.#store;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get resourceVersion(): string {
    return this.#resourceVersion;
  }

  /** Adds an index at any time; a name that exists already keeps its first function. */
  addIndex(name: string, compute: IndexFunction<T>): void {
    this.#store.addIndex(name, compute);
  }

  addHandler(handler: EventHandler<T>): void {
    this.#handlers.push(handler);
    if (this.#hasSynced) for (const object of this.#store.list()) handler.onAdd?.(object, true);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#reflector.run(signal);
  }

  waitForSync(signal: AbortSignal): Promise<void> {
    if (this.#hasSynced) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#syncWaiters.push(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }

  /** Makes the store equal to the list, telling the differences: what went meanwhile is deleted with its last known state. */
  #replace(objects: readonly T[], resourceVersion: string): void {
    this.#resourceVersion = resourceVersion;
    const initial = !this.#hasSynced;
    const gone = new Set(this.#store.keys());
    for (const object of objects) gone.delete(objectKey(object));
    for (const key of gone) this.#delete(key);
    for (const object of objects) this.#upsert(object, initial);
    this.#hasSynced = true;
    for (const resolve of this.#syncWaiters.splice(0)) resolve();
  }

  #apply(event: WatchEvent<T>): void {
    this.#resourceVersion = event.object.metadata.resourceVersion;
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        return this.#upsert(event.object, false);
      case 'DELETED':
        return this.#delete(objectKey(event.object), event.object);
      case 'BOOKMARK':
    }
  }

  #upsert(received: T, initial: boolean): void {
    const key = objectKey(received);
    const known = this.#store.get(key);
    if (known?.metadata.uid === received.metadata.uid) {
      if (known.metadata.resourceVersion === received.metadata.resourceVersion) return;
    } else if (known) {
      // Another object under the same name: handlers must see the first one go.
      this.#delete(key);
    }
    const object = deepFreeze(this.#transform(received));
    const previous = this.#store.set(object);
    for (const handler of this.#handlers) {
      if (previous) handler.onUpdate?.(previous, object);
      else handler.onAdd?.(object, initial);
    }
  }

  #delete(key: string, final?: T): void {
    const known = this.#store.delete(key);
    if (!known) return;
    const last = final?.metadata.uid === known.metadata.uid ? deepFreeze(this.#transform(final)) : known;
    for (const handler of this.#handlers) handler.onDelete?.(last);
  }
}
