import type { Clock } from '../../shared/clock/clock.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import { Roster } from '../../shared/lifecycle/roster.js';
import { parseDuration } from '../cel/time-values.js';

/** In how much time a request that is no stream must have been answered, and the most that it may ask for. */
const maxRequestMs = 60_000;

/** The query parameter `timeout`, as Go writes durations (`30s`, `1m30s`); undefined for the default. Throws 400. */
export function timeoutOf(query: URLSearchParams, maxMs = maxRequestMs): number | undefined {
  const text = query.size === 0 ? null : query.get('timeout');
  if (text === null || text === '') return undefined;
  const duration = parseDuration(text.slice(0, 64));
  if (!duration || duration.nanos < 0n) {
    const shown = JSON.stringify(text.slice(0, 64));
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${shown}`);
  }
  return duration.nanos === 0n ? undefined : Math.min(Number(duration.nanos) / 1e6, maxMs);
}

interface Deadline {
  readonly endMs: number;
  readonly onLate: () => void;
}

/**
 * Ends requests that take too long. Nearly all have the same time, so they end in the order in which they began: one timer for
 * all of them, and none to make for a request.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #pending = new Roster<Deadline>();
  #cancelTimer: (() => void) | undefined;

  readonly #maxMs: number;

  /** @param maxMs in how much time a request must have been answered, unless it asks for less */
  constructor(clock: Clock, maxMs = maxRequestMs) {
    this.#clock = clock;
    this.#maxMs = maxMs;
  }

  /** Calls `onLate` once unless the returned function is called before. */
  add(timeoutMs: number | undefined, onLate: () => void): () => void {
    if (timeoutMs !== undefined) return this.#clock.schedule(timeoutMs, onLate);
    const place = this.#pending.enter({ endMs: this.#clock.monotonic() + this.#maxMs, onLate });
    if (!this.#cancelTimer) this.#arm(this.#maxMs);
    return () => this.#pending.leave(place);
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#pending.clear();
  }

  #arm(delayMs: number): void {
    this.#cancelTimer = this.#clock.schedule(delayMs, () => this.#endLate());
  }

  #endLate(): void {
    this.#cancelTimer = undefined;
    const nowMs = this.#clock.monotonic();
    for (let place = this.#pending.first; place; place = this.#pending.first) {
      const { endMs, onLate } = place.item;
      if (endMs > nowMs) {
        this.#arm(endMs - nowMs);
        return;
      }
      this.#pending.leave(place);
      onLate();
    }
  }
}
