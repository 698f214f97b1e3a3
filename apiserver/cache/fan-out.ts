import type { Clock } from '../../shared/clock/clock.js';
import type { SharedChunks, Watcher } from './watcher.js';
import type { WatchCache } from './watch-cache.js';

const joinMs = 4;

/**
 * Tells watchers that their caches changed. A lone change goes out at once; under load the changes of up to 4 ms are
 * joined, so that each watcher gets one write for many events.
 */
export class FanOut {
  readonly #clock: Clock;
  readonly #watchers = new Map<WatchCache, Set<Watcher>>();
  #cancel: (() => void) | undefined;
  #lastFlushMs = -joinMs;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    let count = 0;
    for (const watchers of this.#watchers.values()) count += watchers.size;
    return count;
  }

  add(cache: WatchCache, watcher: Watcher): void {
    const watchers = this.#watchers.get(cache);
    if (watchers) watchers.add(watcher);
    else this.#watchers.set(cache, new Set([watcher]));
  }

  remove(cache: WatchCache, watcher: Watcher): void {
    this.#watchers.get(cache)?.delete(watcher);
  }

  /** Something changed. */
  notify(): void {
    if (this.#cancel || this.#watchers.size === 0) return;
    const sinceMs = this.#clock.monotonic() - this.#lastFlushMs;
    this.#cancel = this.#clock.schedule(sinceMs >= joinMs ? 0 : joinMs - sinceMs, () => this.#flush());
  }

  /** Ends the streams of one cache in order, and forgets it. */
  finish(cache: WatchCache): void {
    for (const watcher of this.#watchers.get(cache) ?? []) watcher.finish();
    this.#watchers.delete(cache);
  }

  /** Ends all streams in order. */
  finishAll(): void {
    this.#cancel?.();
    for (const watchers of this.#watchers.values()) {
      for (const watcher of watchers) watcher.finish();
    }
  }

  #flush(): void {
    this.#cancel = undefined;
    for (const watchers of this.#watchers.values()) {
      const shared: SharedChunks = new Map();
      for (const watcher of watchers) {
        if (!watcher.isCaughtUp) watcher.pump(shared);
      }
    }
    this.#lastFlushMs = this.#clock.monotonic();
  }
}
