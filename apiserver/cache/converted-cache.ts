import type { FormConversion } from '../registry/definition.js';
import { serviceUnavailable } from '../registry/status-errors.js';
import type { CacheHub } from './cache-hub.js';
import type { CachedObject } from './cached-object.js';
import type { CacheEvent } from './event-ring.js';
import { WatchCache } from './watch-cache.js';

export interface ConvertedCacheOptions {
  /** Objects as they are stored, in several versions. */
  readonly source: WatchCache;
  readonly forms: FormConversion;
  readonly hub: CacheHub;
}

const maxEventsAtOnce = 500;

/**
 * A collection in one version, where somebody outside converts the objects: a cache of its own that follows the one of
 * what is stored, at the pace of the conversion and in its order. Lists, watches and tables are served from it as from
 * any other; a slow conversion holds back nobody but those who use this version.
 *
 *     source ring --cursor--> converted, many at once --> cache, its own ring --> watchers
 *
 * It begins with the first reader. When a conversion fails its watches end, and the next reader tries again from there.
 */
export class ConvertedCache {
  readonly #options: ConvertedCacheOptions;
  #cache: WatchCache | undefined;
  /** Position in the ring of the source of the first event that was not taken over. */
  #position = 0;
  /** Revision up to which everything was taken over. */
  #revision = 0;
  #running: Promise<WatchCache> | undefined;
  #isFollowing = false;
  #isClosed = false;
  readonly #forget: () => void;

  constructor(options: ConvertedCacheOptions) {
    this.#options = options;
    this.#forget = options.source.onChange(() => this.#follow());
  }

  /** The objects as of now. Rejects with what the conversion says where it fails. */
  current(): WatchCache | Promise<WatchCache> {
    if (this.#cache && !this.#running && this.#drain()) return this.#cache;
    return this.#level();
  }

  /** Ends its watches. */
  close(): void {
    this.#isClosed = true;
    this.#isFollowing = false;
    this.#forget();
    if (this.#cache) this.#options.hub.end(this.#cache);
  }

  /** Waits until all is taken over that is there now, not for what comes after. */
  async #level(): Promise<WatchCache> {
    const target = this.#options.source.ring.endPosition;
    for (;;) {
      const cache = await (this.#running ?? this.#start());
      if (this.#isClosed) throw serviceUnavailable('the definition of the resource has changed');
      if (this.#position >= target && cache === this.#cache) return cache;
    }
  }

  #start(): Promise<WatchCache> {
    const running = this.#run();
    this.#running = running;
    running.then(
      () => {
        this.#running = undefined;
        this.#isFollowing = !this.#isClosed;
        this.#follow();
      },
      () => {
        // Whoever waits learns why; watches end, and their clients learn it when they come back.
        this.#running = undefined;
        this.#isFollowing = false;
        if (this.#cache) this.#options.hub.end(this.#cache);
      },
    );
    return running;
  }

  #follow(): void {
    if (this.#isFollowing && !this.#running && !this.#drain()) void this.#start().catch(() => undefined);
  }

  async #run(): Promise<WatchCache> {
    const { source, forms, hub } = this.#options;
    const { ring } = source;
    const target = ring.endPosition;
    let cache = this.#cache ?? (await this.#open());
    while (this.#position < target) {
      if (this.#position < ring.firstPosition) {
        cache = await this.#open();
        continue;
      }
      const events = this.#nextEvents(target);
      const objects = await forms.fromStored(events.map(({ current }) => current));
      events.forEach((event, index) => this.#take(cache, event, objects[index] ?? event.current));
      hub.notify();
    }
    return cache;
  }

  /** Takes over what needs no conversion. True when nothing is left. */
  #drain(): boolean {
    const { source, forms } = this.#options;
    const { ring } = source;
    const cache = this.#cache;
    if (!cache || this.#position < ring.firstPosition) return false;
    while (this.#position < ring.endPosition) {
      const event = ring.at(this.#position);
      const object = event && forms.find(event.current);
      if (!object) return false;
      this.#take(cache, event, object);
    }
    return true;
  }

  #nextEvents(target: number): CacheEvent[] {
    const events: CacheEvent[] = [];
    for (let at = this.#position; at < target && events.length < maxEventsAtOnce; at++) {
      const event = this.#options.source.ring.at(at);
      if (event) events.push(event);
    }
    return events;
  }

  #take(cache: WatchCache, { type, revision }: CacheEvent, object: CachedObject): void {
    cache.take(type === 'DELETED', object);
    this.#revision = revision;
    this.#position += 1;
  }

  /** Up to the next change that is still to be converted. */
  #followed(): number {
    const { source, hub } = this.#options;
    if (this.#position >= source.ring.endPosition) return hub.revision;
    const next = this.#position < source.ring.firstPosition ? undefined : source.ring.at(this.#position);
    return next ? next.revision - 1 : this.#revision;
  }

  /** Begins anew with all that there is. Who watched the old one begins anew, too. */
  async #open(): Promise<WatchCache> {
    const { source, forms, hub } = this.#options;
    const position = source.ring.endPosition;
    const { revision } = hub;
    const objects = await forms.fromStored(source.snapshot());
    const cache = new WatchCache({
      prefix: source.prefix,
      encoded: hub.encoded,
      revision,
      followed: () => this.#followed(),
      objectsOf: (stored) => forms.fromStored(stored.map((one) => source.objectOf(one))),
    });
    cache.fillWith(objects);
    const old = this.#cache;
    this.#cache = cache;
    this.#position = position;
    this.#revision = revision;
    if (old) hub.end(old);
    return cache;
  }
}
