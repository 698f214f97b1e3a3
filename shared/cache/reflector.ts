import type { KubernetesObject } from '../api/object.js';
import type { Resource } from '../api/resource.js';
import type { Client, WatchEvent } from '../client/client.js';
import type { Clock } from '../clock/clock.js';
import { isAbort, isExpired, isTooManyRequests, StatusError } from '../errors/status-error.js';

/** What a reflector keeps up to date. */
export interface ReflectorSink<T> {
  /** The whole collection, as of `resourceVersion`. */
  replace(objects: readonly T[], resourceVersion: string): void;
  apply(event: WatchEvent<T>): void;
}

export interface ReflectorScope {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects come with their metadata alone. */
  readonly isMetadataOnly?: boolean;
}

export interface ReflectorDependencies {
  readonly clock: Clock;
  /** Uniform in [0, 1); spreads the retries of many clients. */
  readonly random: () => number;
  /** Told of every failure that is answered with a new attempt. */
  readonly onError?: (error: unknown, step: 'list' | 'watch') => void;
}

/** How one turn of the loop ended. */
type Outcome =
  | { readonly kind: 'listed' }
  /** The server ended the watch in the usual way, or the stream fell silent: go on from the last version. */
  | { readonly kind: 'ended'; readonly lasted: boolean }
  /** The version is too old, or unknown to this server: list again. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'failed'; readonly error: unknown };

const pageSize = 500;
const minBackoffMs = 100;
/** Shorter than the original's 30 s: a server that is back is found within seconds, and asking costs it little. */
const maxBackoffMs = 5_000;
/** A back-off is forgotten after a watch that lasted so long. */
const healthyWatchMs = 5_000;

/**
 * Mirrors a collection into a sink: one loop that lists, watches, and decides by how the watch ended.
 *
 *      +--> list --> watch --ended------> watch from the last version
 *      |      ^        |----failed------> back off, watch from the last version
 *      |      |        +----expired--+
 *      |      +-- failed: back off   |
 *      +-----------------------------+
 */
export class Reflector<T extends KubernetesObject> {
  readonly #client: Client;
  readonly #resource: Resource<T>;
  readonly #scope: ReflectorScope;
  readonly #sink: ReflectorSink<T>;
  readonly #deps: ReflectorDependencies;
  /** '' = a list is needed. */
  #resourceVersion = '';
  #failures = 0;

  constructor(
    client: Client,
    source: { resource: Resource<T>; scope?: ReflectorScope },
    sink: ReflectorSink<T>,
    deps: ReflectorDependencies,
  ) {
    this.#client = client;
    this.#resource = source.resource;
    this.#scope = source.scope ?? {};
    this.#sink = sink;
    this.#deps = deps;
  }

  /** Runs until aborted; resolves on abort. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        const step = this.#resourceVersion === '' ? 'list' : 'watch';
        const outcome = step === 'list' ? await this.#list(signal) : await this.#watch(signal);
        await this.#follow(outcome, step, signal);
      }
    } catch (error) {
      if (!signal.aborted || !isAbort(error)) throw error;
    }
  }

  async #follow(outcome: Outcome, step: 'list' | 'watch', signal: AbortSignal): Promise<void> {
    switch (outcome.kind) {
      case 'listed':
        return;
      case 'expired':
        this.#resourceVersion = '';
        return;
      case 'ended':
        if (outcome.lasted) this.#failures = 0;
        else await this.#backOff(signal);
        return;
      case 'failed':
        this.#deps.onError?.(outcome.error, step);
        await this.#backOff(signal);
    }
  }

  async #list(signal: AbortSignal): Promise<Outcome> {
    try {
      const { items, resourceVersion } = await this.#pages(signal);
      this.#resourceVersion = resourceVersion;
      this.#sink.replace(items, resourceVersion);
      return { kind: 'listed' };
    } catch (error) {
      if (signal.aborted) throw error;
      return { kind: 'failed', error };
    }
  }

  async #pages(signal: AbortSignal): Promise<{ items: T[]; resourceVersion: string }> {
    const items: T[] = [];
    let next: string | undefined;
    for (;;) {
      const options = { ...this.#scope, signal, limit: pageSize, ...(next ? { continue: next } : {}) };
      try {
        const page = await this.#client.list(this.#resource, options);
        for (const item of page.items) items.push(item);
        next = page.metadata.continue;
        if (!next) return { items, resourceVersion: page.metadata.resourceVersion };
      } catch (error) {
        // The pages' snapshot was compacted away while we read them: take everything in one answer.
        if (!isExpired(error) || !next) throw error;
        const whole = await this.#client.list(this.#resource, { ...this.#scope, signal });
        return { items: whole.items, resourceVersion: whole.metadata.resourceVersion };
      }
    }
  }

  async #watch(signal: AbortSignal): Promise<Outcome> {
    const { clock, random } = this.#deps;
    const startMs = clock.monotonic();
    let events = 0;
    try {
      const stream = this.#client.watch(this.#resource, {
        ...this.#scope,
        signal,
        resourceVersion: this.#resourceVersion,
        allowWatchBookmarks: true,
        // Spread between five and ten minutes, so that the watches of many clients do not end together.
        timeoutSeconds: Math.round(300 * (1 + random())),
      });
      for await (const event of stream) {
        events++;
        this.#failures = 0;
        this.#resourceVersion = event.object.metadata.resourceVersion;
        this.#sink.apply(event);
      }
      return { kind: 'ended', lasted: events > 0 || clock.monotonic() - startMs >= healthyWatchMs };
    } catch (error) {
      if (signal.aborted) throw error;
      return isExpired(error) || isFutureVersion(error) ? { kind: 'expired' } : { kind: 'failed', error };
    }
  }

  #backOff(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    const baseMs = Math.min(minBackoffMs * 2 ** Math.min(this.#failures++, 20), maxBackoffMs);
    return clock.sleep(baseMs * (0.5 + random()), signal);
  }
}

/** The server has not reached our version: its store was set back, or it is another server. */
function isFutureVersion(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    error.code === 504 &&
    (error.details?.causes ?? []).some((cause) => cause.reason === 'ResourceVersionTooLarge')
  );
}

/** Whether an error is worth a warning: being told to wait is not. */
export function isNoteworthy(error: unknown): boolean {
  return !isTooManyRequests(error);
}
