import type { PriorityLevelConfigurationSpec } from '../../shared/api/generated/types.js';
import type { LevelLimits } from './concurrency-limits.js';
import {
  FairQueues,
  type QueueDigest,
  type Queuing,
  type RejectReason,
  type Seat,
  type Waiting,
} from './fair-queues.js';
import { SeatDemand } from './seat-demand.js';
import { Dealer } from './shuffle-sharding.js';

/** How fast an old peak of demand is forgotten: half of it within five minutes of periods of ten seconds. */
const smoothing = 0.977;

/** One priority level at work. */
export class PriorityLevel {
  readonly name: string;
  uid = '';
  isExempt = false;
  limits: LevelLimits = { nominal: 0, lower: 0, upper: 0 };
  readonly #queues: FairQueues;
  readonly #demand: SeatDemand;
  readonly #seed: number;
  #queuingText = '';
  #queuing: Queuing | undefined;
  #smoothed = 0;
  #exemptRunning = 0;
  #queueCount = 0;
  /** Since the start. */
  dispatched = 0;
  readonly rejected: Record<RejectReason, number> = {
    'queue-full': 0,
    'concurrency-limit': 0,
    'time-out': 0,
    cancelled: 0,
  };

  constructor(name: string, seed: number, nowMs: number) {
    this.name = name;
    this.#seed = seed;
    this.#queues = new FairQueues(0, undefined);
    this.#demand = new SeatDemand(nowMs);
  }

  get currentLimit(): number {
    return this.#queues.limit;
  }

  get demand(): number {
    return this.#demand.current;
  }

  get waiting(): number {
    return this.#queues.waiting;
  }

  get running(): number {
    return this.isExempt ? this.#exemptRunning : this.#queues.running;
  }

  get usedSeats(): number {
    return this.isExempt ? this.#exemptRunning : this.#queues.usedSeats;
  }

  get activeQueues(): number {
    return this.#queues.activeQueues;
  }

  /** How many queues requests are dealt to; 0 where none wait. */
  get queueCount(): number {
    return this.#queueCount;
  }

  get virtualMs(): number {
    return this.#queues.virtualMs;
  }

  digest(): QueueDigest[] {
    return this.#queueCount === 0 ? [] : this.#queues.digest();
  }

  /** What is written now; seats that were borrowed are kept until the next division. */
  configure(uid: string, spec: PriorityLevelConfigurationSpec, limits: LevelLimits, nowMs: number): void {
    const isSame = this.limits.nominal === limits.nominal && this.limits.lower === limits.lower;
    this.uid = uid;
    this.isExempt = spec.type === 'Exempt';
    this.limits = limits;
    const response = spec.limited?.limitResponse;
    const queuing = response?.type === 'Queue' ? (response.queuing ?? {}) : undefined;
    const text = JSON.stringify(queuing ?? null);
    if (text !== this.#queuingText) {
      this.#queuingText = text;
      const { queues = 64, handSize = 8, queueLengthLimit = 50 } = queuing ?? {};
      this.#queueCount = queuing ? queues : 0;
      this.#queuing = queuing && { dealer: new Dealer(queues, handSize, this.#seed), queueLengthLimit };
    }
    this.setLimit(isSame ? this.currentLimit : limits.nominal, nowMs);
  }

  setLimit(limit: number, nowMs: number): void {
    this.#queues.configure(limit, this.#queuing, nowMs);
  }

  enter(flow: string, seats: number, nowMs: number): Seat | Waiting | RejectReason {
    if (this.isExempt) return this.#pass();
    const entered = this.#queues.enter(flow, seats, nowMs);
    if (typeof entered === 'string') return entered;
    this.#demand.set(this.#queues.demand, nowMs);
    return entered;
  }

  /** To be told whenever a seat was given back or somebody has stopped waiting. */
  noteDemand(nowMs: number): void {
    if (!this.isExempt) this.#demand.set(this.#queues.demand, nowMs);
  }

  /** What the level should have in the next period. */
  claim(nowMs: number): { lower: number; upper: number; target: number } {
    const { average, standardDeviation, highest } = this.#demand.summarize(nowMs);
    const envelope = average + standardDeviation;
    this.#smoothed = Math.max(envelope, smoothing * this.#smoothed + (1 - smoothing) * envelope);
    const { lower, nominal, upper } = this.limits;
    // Who has lent seats gets them back as far as he wanted them.
    const least = Math.max(lower, Math.min(nominal, highest));
    return { lower: least, upper, target: Math.max(least, this.#smoothed) };
  }

  #pass(): Seat {
    this.#exemptRunning += 1;
    let isReleased = false;
    return {
      queue: -1,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#exemptRunning -= 1;
      },
    };
  }
}
