import type { KubernetesObject } from '../../shared/api/object.js';
import type { Client, WatchEvent } from '../../shared/client/client.js';

type Snapshot = Awaited<ReturnType<Client['list']>>;

/** What caches of one resource know: what was there once, and then nothing but what the test tells them. */
export class HeldBack {
  readonly snapshot: Snapshot;
  readonly #told: WatchEvent<KubernetesObject>[] = [];
  #wake: () => void = () => undefined;

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
  }

  /** For the one watch that is open. */
  tell(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubernetesObject): void {
    this.#told.push({ type, object });
    this.#wake();
  }

  async *events(signal: AbortSignal | undefined): AsyncGenerator<WatchEvent<KubernetesObject>> {
    while (!signal?.aborted) {
      const event = this.#told.shift();
      if (event) yield event;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          signal?.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    }
  }
}

/** A client for informers that lag behind: lists and watches of these resources say what is held back of them. */
export function laggingClient(client: Client, held: ReadonlyMap<object, HeldBack>): Client {
  return new Proxy(client, {
    get(target, name) {
      if (name === 'list') {
        return (resource: never, options: never) => {
          const lag = held.get(resource);
          return lag ? Promise.resolve(structuredClone(lag.snapshot)) : target.list(resource, options);
        };
      }
      if (name === 'watch') {
        return (resource: never, options?: { signal?: AbortSignal }) =>
          held.get(resource)?.events(options?.signal) ?? target.watch(resource, options);
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
