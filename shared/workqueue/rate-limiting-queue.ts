import type { Clock } from '../clock/clock.js';
import { DefaultRateLimiter, type RateLimiter } from './rate-limiter.js';
import type { Workqueue } from './workqueue.js';

/** Told what happens to keys, for metrics. Durations in milliseconds. */
export interface QueueObserver {
  onAdd?(depth: number): void;
  onGet?(depth: number, waitedMs: number): void;
  onDone?(workedMs: number): void;
  onRetry?(): void;
}

export interface QueueOptions<K extends string> {
  readonly clock: Clock;
  readonly rateLimiter?: RateLimiter<K>;
  readonly observer?: QueueObserver;
}

interface Delayed {
  readonly atMs: number;
  readonly cancel: () => void;
}

/**
 * {@link Workqueue} as in client-go.
 *
 *      add --> dirty + ready --get--> processing --done--> gone, or ready again if it became dirty meanwhile
 *
 * A key is at most once in each set, so the queue is never larger than the number of distinct keys.
 */
export class RateLimitingQueue<K extends string = string> implements Workqueue<K> {
  readonly #clock: Clock;
  readonly #limiter: RateLimiter<K>;
  readonly #observer: QueueObserver;
  /** In order of arrival; the value is the time of arrival. */
  readonly #ready = new Map<K, number>();
  readonly #dirty = new Set<K>();
  /** The value is the time of the start. */
  readonly #processing = new Map<K, number>();
  readonly #delayed = new Map<K, Delayed>();
  readonly #waiters: ((key: K | undefined) => void)[] = [];
  #isShutDown = false;

  constructor(options: QueueOptions<K>) {
    this.#clock = options.clock;
    this.#limiter = options.rateLimiter ?? new DefaultRateLimiter<K>(options.clock);
    this.#observer = options.observer ?? {};
  }

  get length(): number {
    return this.#ready.size;
  }

  add(key: K): void {
    if (this.#isShutDown || this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (!this.#processing.has(key)) this.#push(key);
  }

  addAfter(key: K, delayMs: number): void {
    if (this.#isShutDown) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const atMs = this.#clock.monotonic() + delayMs;
    const waiting = this.#delayed.get(key);
    // Of several delays of one key the shortest counts.
    if (waiting && waiting.atMs <= atMs) return;
    waiting?.cancel();
    const cancel = this.#clock.schedule(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { atMs, cancel });
  }

  addRateLimited(key: K): void {
    if (this.#isShutDown) return;
    this.#observer.onRetry?.();
    this.addAfter(key, this.#limiter.delayMs(key));
  }

  forget(key: K): void {
    this.#limiter.forget(key);
  }

  retries(key: K): number {
    return this.#limiter.retries(key);
  }

  get(): Promise<K | undefined> {
    const [first] = this.#ready;
    if (first) return Promise.resolve(this.#take(first[0], first[1]));
    if (this.#isShutDown) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  done(key: K): void {
    const startedMs = this.#processing.get(key);
    if (startedMs === undefined) return;
    this.#processing.delete(key);
    this.#observer.onDone?.(this.#clock.monotonic() - startedMs);
    if (this.#dirty.has(key)) this.#push(key);
  }

  shutDown(): void {
    this.#isShutDown = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    for (const resolve of this.#waiters.splice(0)) resolve(undefined);
  }

  #push(key: K): void {
    const waiter = this.#waiters.shift();
    const nowMs = this.#clock.monotonic();
    this.#ready.set(key, nowMs);
    this.#observer.onAdd?.(this.#ready.size);
    if (waiter) waiter(this.#take(key, nowMs));
  }

  #take(key: K, arrivedMs: number): K {
    const nowMs = this.#clock.monotonic();
    this.#ready.delete(key);
    this.#dirty.delete(key);
    this.#processing.set(key, nowMs);
    this.#observer.onGet?.(this.#ready.size, nowMs - arrivedMs);
    return key;
  }
}
