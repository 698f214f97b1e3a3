import type { Clock } from '../clock/clock.js';

/** Says how long a key has to wait before it is tried again. */
export interface RateLimiter<K extends string = string> {
  delayMs(key: K): number;
  forget(key: K): void;
  retries(key: K): number;
}

export interface RateLimits {
  /** Back-off of a key: base, doubled at every failure, up to max. Defaults 5 ms and 1000 s. */
  readonly baseDelayMs?: number;
  readonly maxDelayMs?: number;
  /** All retries together: so many a second, and so many at once. Defaults 10 and 100. */
  readonly retriesPerSecond?: number;
  readonly burst?: number;
}

/** As the original's default: the later of the key's own exponential back-off and one token bucket over all keys. */
export class DefaultRateLimiter<K extends string = string> implements RateLimiter<K> {
  readonly #clock: Clock;
  readonly #limits: Required<RateLimits>;
  readonly #failures = new Map<K, number>();
  /** Time at which the bucket is empty of debts: tokens are reserved ahead. */
  #tokens: number;
  #filledAtMs: number;

  constructor(clock: Clock, limits: RateLimits = {}) {
    this.#clock = clock;
    this.#limits = { baseDelayMs: 5, maxDelayMs: 1_000_000, retriesPerSecond: 10, burst: 100, ...limits };
    this.#tokens = this.#limits.burst;
    this.#filledAtMs = clock.monotonic();
  }

  delayMs(key: K): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const { baseDelayMs, maxDelayMs } = this.#limits;
    return Math.max(Math.min(baseDelayMs * 2 ** Math.min(failures, 60), maxDelayMs), this.#reserve());
  }

  forget(key: K): void {
    this.#failures.delete(key);
  }

  retries(key: K): number {
    return this.#failures.get(key) ?? 0;
  }

  #reserve(): number {
    const { retriesPerSecond, burst } = this.#limits;
    const nowMs = this.#clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledAtMs) / 1000) * retriesPerSecond);
    this.#filledAtMs = nowMs;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / retriesPerSecond) * 1000;
  }
}
