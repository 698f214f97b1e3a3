import type { Clock } from '../../shared/clock/clock.js';
import type { SharedChunks, Watcher } from './watcher.js';
import type { WatchCache } from './watch-cache.js';

/** What the fan-out asks of a watch stream. */
export type Pumped = Pick<Watcher, 'isCaughtUp' | 'pump' | 'finish'>;

const minJoinMs = 4;
const maxJoinMs = 10;
/** So many streams are written to in one go, some milliseconds with TLS; then others have their turn. */
const sliceLength = 100;

/**
 * Tells watchers that their caches changed. A lone change goes out at once; under load the changes of some milliseconds are
 * joined, so that each watcher gets one write for many events. The more a round of writes costs, the longer it is waited for
 * the next one: with many watchers most of the time would otherwise go into telling them of one change each.
 *
 *     change -> wait -> slice -> slice ... -> (as long as that took) -> next round
 */
export class FanOut {
  readonly #clock: Clock;
  readonly #watchers = new Map<WatchCache, Set<Pumped>>();
  #cancel: (() => void) | undefined;
  /** Something changed after the round began that is under way. */
  #hasChanged = false;
  #lastEndMs = -maxJoinMs;
  #joinMs = minJoinMs;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    let count = 0;
    for (const watchers of this.#watchers.values()) count += watchers.size;
    return count;
  }

  add(cache: WatchCache, watcher: Pumped): void {
    const watchers = this.#watchers.get(cache);
    if (watchers) watchers.add(watcher);
    else this.#watchers.set(cache, new Set([watcher]));
  }

  remove(cache: WatchCache, watcher: Pumped): void {
    this.#watchers.get(cache)?.delete(watcher);
  }

  /** Something changed. */
  notify(): void {
    this.#hasChanged = true;
    if (this.#cancel || this.#watchers.size === 0) return;
    const waitMs = this.#lastEndMs + this.#joinMs - this.#clock.monotonic();
    this.#cancel = this.#clock.schedule(Math.max(0, waitMs), () => this.#beginRound());
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

  #beginRound(): void {
    this.#hasChanged = false;
    this.#continueRound(this.#round(), this.#clock.monotonic());
  }

  /** What was written leaves for the network when this turn of the event loop ends, so the cost shows in the next one. */
  #continueRound(round: Iterator<void>, startMs: number): void {
    const isDone = round.next().done === true;
    this.#cancel = this.#clock.schedule(0, () => {
      if (isDone) this.#endRound(startMs);
      else this.#continueRound(round, startMs);
    });
  }

  #endRound(startMs: number): void {
    this.#cancel = undefined;
    this.#lastEndMs = this.#clock.monotonic();
    this.#joinMs = Math.min(maxJoinMs, Math.max(minJoinMs, this.#lastEndMs - startMs));
    if (this.#hasChanged) this.notify();
  }

  /** Stops after each slice. */
  *#round(): Generator<void> {
    let written = 0;
    for (const watchers of this.#watchers.values()) {
      const shared: SharedChunks = new Map();
      for (const watcher of watchers) {
        if (watcher.isCaughtUp) continue;
        watcher.pump(shared);
        written += 1;
        if (written % sliceLength === 0) yield;
      }
    }
  }
}
