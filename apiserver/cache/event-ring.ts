import type { CachedObject } from './cached-object.js';

/** One change of a collection. */
export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly revision: number;
  /** The object after the change; for DELETED its last state, carrying the revision of the delete. */
  readonly current: CachedObject;
  /** The object before the change. */
  readonly previous: CachedObject | undefined;
}

export interface RingLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

const defaultRingLimits: RingLimits = { maxEvents: 10_000, maxBytes: 32 * 1024 * 1024 };

/**
 * The last changes of a collection, oldest first, bounded by count and bytes. Positions are absolute and only grow, so a
 * reader keeps one number and learns from `firstPosition` that it fell behind.
 */
export class EventRing {
  readonly #limits: RingLimits;
  #events: (CacheEvent | undefined)[] = [];
  /** Index in #events of the oldest event that still counts. */
  #start = 0;
  #bytes = 0;
  /** Position of the oldest event kept. */
  firstPosition = 0;
  /** All events above this revision are here. */
  baseRevision: number;

  constructor(baseRevision: number, limits: RingLimits = defaultRingLimits) {
    this.baseRevision = baseRevision;
    this.#limits = limits;
  }

  get endPosition(): number {
    return this.firstPosition + this.#events.length - this.#start;
  }

  at(position: number): CacheEvent | undefined {
    return this.#events[position - this.firstPosition + this.#start];
  }

  push(event: CacheEvent): void {
    this.#events.push(event);
    this.#bytes += event.current.bytes.length;
    while (this.#events.length - this.#start > this.#limits.maxEvents || this.#bytes > this.#limits.maxBytes) {
      if (this.#events.length - this.#start <= 1) break;
      this.#dropOldest();
    }
    if (this.#start > 1024 && this.#start * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Position of the first event above `revision`; undefined when events above it may have been dropped. */
  positionAfter(revision: number): number | undefined {
    if (revision < this.baseRevision) return undefined;
    let low = this.firstPosition;
    let high = this.endPosition;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.at(middle)?.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #dropOldest(): void {
    const oldest = this.#events[this.#start];
    if (!oldest) return;
    this.baseRevision = oldest.revision;
    this.#bytes -= oldest.current.bytes.length;
    // Releases the buffers now; the slot itself goes when the array is compacted.
    this.#events[this.#start] = undefined;
    this.#start += 1;
    this.firstPosition += 1;
  }
}
