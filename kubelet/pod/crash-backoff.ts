/** How long a container waits between its end and its next start: 10 s, doubling to 300 s, forgotten after 10 minutes. */
export interface BackoffLimits {
  readonly initialMs: number;
  readonly maximumMs: number;
}
const crashLimits: BackoffLimits = { initialMs: 10_000, maximumMs: 300_000 };

interface Entry {
  readonly delayMs: number;
  readonly updatedAtMs: number;
}

/** Back-off by key. The first repetition is immediate; `next` is called when one happens. */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #entries = new Map<string, Entry>();

  constructor(limits: BackoffLimits = crashLimits) {
    this.#limits = limits;
  }

  /** The wait that is in force since `sinceMs`, or undefined. */
  waiting(key: string, sinceMs: number, nowMs: number): { delayMs: number; untilMs: number } | undefined {
    const entry = this.#live(key, nowMs);
    if (!entry || nowMs - sinceMs >= entry.delayMs) return undefined;
    return { delayMs: entry.delayMs, untilMs: sinceMs + entry.delayMs };
  }

  next(key: string, nowMs: number): void {
    const entry = this.#live(key, nowMs);
    const delayMs = entry ? Math.min(entry.delayMs * 2, this.#limits.maximumMs) : this.#limits.initialMs;
    this.#entries.set(key, { delayMs, updatedAtMs: nowMs });
  }

  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }

  #live(key: string, nowMs: number): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry && nowMs - entry.updatedAtMs <= 2 * this.#limits.maximumMs ? entry : undefined;
  }
}
