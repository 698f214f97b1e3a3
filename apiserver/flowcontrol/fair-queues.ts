import type { Dealer } from './shuffle-sharding.js';

/** Why a request did not get its turn, in the words of the original's metrics. */
export type RejectReason = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled';

/** A place at the table: given back once, when the request has been answered. */
export interface Seat {
  /** Number of the queue that it was taken from; -1 where there are none. */
  readonly queue: number;
  release(nowMs: number): void;
}

/** A request in a queue. */
export interface Waiting {
  readonly isWaiting: true;
  /** Number of the queue. */
  readonly queue: number;
  /** Told when the turn has come; undefined when the request was taken out. */
  readonly turn: Promise<Seat | undefined>;
  /** Takes the request out of its queue; false when its turn has come before. */
  cancel(nowMs: number): boolean;
}

export interface Queuing {
  readonly dealer: Dealer;
  readonly queueLengthLimit: number;
}

/** A queue at a moment. */
export interface QueueDigest {
  readonly number: number;
  readonly waiting: number;
  readonly running: number;
  readonly usedSeats: number;
  readonly waitingSeats: number;
  /** What is thought to be needed for those that wait, in milliseconds of seats. */
  readonly workMs: number;
  /** Where the meter of fair progress stands when the next of it begins. */
  readonly nextStartMs: number;
}

interface Entry {
  readonly queue: Queue;
  readonly seats: number;
  readonly arrivedAt: number;
  readonly resolve: (seat: Seat | undefined) => void;
}

/** A queue exists while somebody waits in it or is answered from it. */
interface Queue {
  readonly number: number;
  readonly waiting: Entry[];
  waitingSeats: number;
  usedSeats: number;
  running: number;
  /** Virtual time at which its next request would begin if each queue had its fair share. */
  nextStart: number;
}

/** How long an answer is thought to take until it has been seen. */
const expectedMs = 3;

/**
 * The queues of one priority level, served fairly: each queue that has work gets the same number of seats over time.
 *
 *     request -> its hand of queues -> the emptiest -> waits while no seat is free -> the queue whose head would end first
 *                                                                                    in virtual time gives the next
 *
 * Virtual time (in milliseconds of seats a queue) runs as fast as each active queue gets seats. A queue pays `expectedMs` for a
 * request when that starts, and the difference when it has ended. Nothing here waits or looks at a clock.
 */
export class FairQueues {
  limit: number;
  #queuing: Queuing | undefined;
  readonly #queues = new Map<number, Queue>();
  readonly #busy = new Set<Queue>();
  #usedSeats = 0;
  #running = 0;
  #waiting = 0;
  #waitingSeats = 0;
  #virtual = 0;
  #realMs = 0;

  /** @param queuing undefined: who finds no seat is refused */
  constructor(limit: number, queuing: Queuing | undefined) {
    this.limit = limit;
    this.#queuing = queuing;
  }

  get usedSeats(): number {
    return this.#usedSeats;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get activeQueues(): number {
    return this.#queues.size;
  }

  /** Seats that are used and wanted. */
  get demand(): number {
    return this.#usedSeats + this.#waitingSeats;
  }

  /** The meter of fair progress, in milliseconds of seats. */
  get virtualMs(): number {
    return this.#virtual;
  }

  /** The queues that have work, by number. */
  digest(): QueueDigest[] {
    const found = [...this.#queues.values()].map(({ number, waiting, running, usedSeats, waitingSeats, nextStart }) => {
      const counts = { number, waiting: waiting.length, running, usedSeats, waitingSeats };
      return { ...counts, workMs: waitingSeats * expectedMs, nextStartMs: nextStart };
    });
    return found.sort((a, b) => a.number - b.number);
  }

  /** Requests that wait stay in the queues that they are in. */
  configure(limit: number, queuing: Queuing | undefined, nowMs: number): void {
    this.limit = limit;
    this.#queuing = queuing;
    this.#advance(nowMs);
    this.#dispatch(nowMs);
  }

  enter(flow: string, seats: number, nowMs: number): Seat | Waiting | RejectReason {
    this.#advance(nowMs);
    const queuing = this.#queuing;
    const isFree = this.#waiting === 0 && this.#fits(seats);
    if (!queuing) return isFree ? this.#start(this.#queue(0), seats, nowMs) : 'concurrency-limit';
    const queue = this.#choose(queuing.dealer.deal(flow));
    if (isFree) return this.#start(queue, seats, nowMs);
    if (queue.waiting.length >= queuing.queueLengthLimit) {
      this.#forgetIdle(queue);
      return 'queue-full';
    }
    return this.#enqueue(queue, seats, nowMs);
  }

  #enqueue(queue: Queue, seats: number, nowMs: number): Waiting {
    let resolve: Entry['resolve'] = () => {};
    const turn = new Promise<Seat | undefined>((done) => (resolve = done));
    const entry: Entry = { queue, seats, arrivedAt: this.#virtual, resolve };
    queue.waiting.push(entry);
    this.#busy.add(queue);
    this.#countWaiting(queue, 1, seats);
    // The limit may have grown since somebody looked.
    this.#dispatch(nowMs);
    return { isWaiting: true, queue: queue.number, turn, cancel: (atMs) => this.#cancel(entry, atMs) };
  }

  #cancel(entry: Entry, nowMs: number): boolean {
    const { queue, seats } = entry;
    const at = queue.waiting.indexOf(entry);
    if (at < 0) return false;
    this.#advance(nowMs);
    queue.waiting.splice(at, 1);
    if (queue.waiting.length === 0) this.#busy.delete(queue);
    this.#countWaiting(queue, -1, -seats);
    this.#forgetIdle(queue);
    entry.resolve(undefined);
    // Behind a wide request that has given up there may be narrow ones that fit.
    this.#dispatch(nowMs);
    return true;
  }

  #countWaiting(queue: Queue, requests: number, seats: number): void {
    queue.waitingSeats += seats;
    this.#waiting += requests;
    this.#waitingSeats += seats;
  }

  /** A request wider than the whole level runs alone. */
  #fits(seats: number): boolean {
    return this.#usedSeats + seats <= this.limit || this.#usedSeats === 0;
  }

  #queue(number: number): Queue {
    const known = this.#queues.get(number);
    if (known) return known;
    const made = { number, waiting: [], waitingSeats: 0, usedSeats: 0, running: 0, nextStart: this.#virtual };
    this.#queues.set(number, made);
    return made;
  }

  #choose(hand: readonly number[]): Queue {
    let best = hand[0] ?? 0;
    let least = Infinity;
    for (const number of hand) {
      const queue = this.#queues.get(number);
      const work = queue ? queue.waitingSeats + queue.usedSeats : 0;
      if (work >= least) continue;
      best = number;
      least = work;
      if (work === 0) break;
    }
    return this.#queue(best);
  }

  #forgetIdle(queue: Queue): void {
    if (queue.running === 0 && queue.waiting.length === 0) this.#queues.delete(queue.number);
  }

  #start(queue: Queue, seats: number, startMs: number): Seat {
    queue.nextStart += expectedMs * seats;
    queue.usedSeats += seats;
    queue.running += 1;
    this.#usedSeats += seats;
    this.#running += 1;
    let isReleased = false;
    return {
      queue: this.#queuing ? queue.number : -1,
      release: (nowMs) => {
        if (isReleased) return;
        isReleased = true;
        this.#advance(nowMs);
        queue.nextStart += (nowMs - startMs - expectedMs) * seats;
        queue.usedSeats -= seats;
        queue.running -= 1;
        this.#usedSeats -= seats;
        this.#running -= 1;
        this.#forgetIdle(queue);
        if (this.#waiting > 0) this.#dispatch(nowMs);
      },
    };
  }

  #dispatch(nowMs: number): void {
    while (this.#busy.size > 0) {
      const queue = this.#next();
      const entry = queue?.waiting[0];
      // Who is first waits for room: passing him by would keep wide requests out for ever.
      if (!queue || !entry || !this.#fits(entry.seats)) return;
      queue.waiting.shift();
      // Of queues that are equal the one that has waited longest for its turn is next.
      this.#busy.delete(queue);
      if (queue.waiting.length > 0) this.#busy.add(queue);
      this.#countWaiting(queue, -1, -entry.seats);
      entry.resolve(this.#start(queue, entry.seats, nowMs));
    }
  }

  /** The queue whose first request would end first. */
  #next(): Queue | undefined {
    let best: Queue | undefined;
    let earliest = Infinity;
    for (const queue of this.#busy) {
      const head = queue.waiting[0];
      if (!head) continue;
      // What a queue did not use while nobody was in it is not saved up.
      if (queue.nextStart < head.arrivedAt) queue.nextStart = head.arrivedAt;
      const end = queue.nextStart + expectedMs * head.seats;
      if (end >= earliest) continue;
      best = queue;
      earliest = end;
    }
    return best;
  }

  #advance(nowMs: number): void {
    const elapsed = nowMs - this.#realMs;
    this.#realMs = nowMs;
    if (this.#queues.size === 0 || elapsed <= 0) return;
    this.#virtual += (elapsed * Math.min(this.limit, this.demand)) / this.#queues.size;
  }
}
