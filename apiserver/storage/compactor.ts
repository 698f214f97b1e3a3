import type { Clock } from '../../shared/clock/clock.js';
import type { ChangeRecord } from './change-record.js';
import { isAboveLimits, isCompactionDue, readSlice, revisionBefore, type HistoryLimits } from './compaction.js';
import type { Database } from './database.js';
import type { Head } from './head-record.js';

const ageCheckMs = 60_000;

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface CompactorHost {
  /** Starts a round of commits, which asks for the next slice. */
  kick(): void;
  view(): { database: Database | undefined; head: Head };
  failed(error: unknown): void;
}

/** Decides when history is forgotten: on request, above its size, beyond its age. The commits do it, slice by slice. */
export class Compactor {
  readonly #clock: Clock;
  readonly #limits: HistoryLimits;
  readonly #host: CompactorHost;
  #target = 0;
  /** A run for size has begun and ends when history is within its limits. */
  #isRunning = false;
  #waiters: Waiter[] = [];
  #cancelTimer: () => void;

  constructor(clock: Clock, limits: HistoryLimits, host: CompactorHost) {
    this.#clock = clock;
    this.#limits = limits;
    this.#host = host;
    this.#cancelTimer = clock.schedule(ageCheckMs, () => this.#checkAge());
  }

  compactTo(revision: number): Promise<void> {
    if (revision <= this.#host.view().head.compactedRevision) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ revision, resolve, reject });
      this.#target = Math.max(this.#target, revision);
      this.#host.kick();
    });
  }

  /** Records to forget with the next batch; none when nothing is due. */
  async nextSlice(): Promise<ChangeRecord[]> {
    const { database, head } = this.#host.view();
    this.#isRunning = this.#isRunning ? isAboveLimits(head, this.#limits) : isCompactionDue(head, this.#limits);
    if (!database || (!this.#isRunning && head.compactedRevision >= this.#target)) return [];
    const limits = this.#isRunning ? this.#limits : undefined;
    return readSlice(database, head, head.revision, { target: this.#target, limits });
  }

  committed(head: Head): void {
    const reached = this.#waiters.filter((waiter) => waiter.revision <= head.compactedRevision);
    if (reached.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > head.compactedRevision);
    for (const waiter of reached) waiter.resolve();
  }

  fail(error: Error): void {
    this.#target = 0;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  stop(error: Error): void {
    this.#cancelTimer();
    this.fail(error);
  }

  #checkAge(): void {
    this.#cancelTimer = this.#clock.schedule(ageCheckMs, () => this.#checkAge());
    const { database, head } = this.#host.view();
    if (!database) return;
    try {
      const target = revisionBefore(database, head, this.#clock.now() - this.#limits.maxAgeMs);
      if (target <= head.compactedRevision) return;
      this.#target = Math.max(this.#target, target);
      this.#host.kick();
    } catch (error) {
      this.#host.failed(error);
    }
  }
}
