import type { Clock } from '../shared/clock/clock.js';
import type { PodInfo } from './pod-info.js';

/** Something that can make room or open a door for a waiting pod. */
export type ClusterChange =
  | 'NodeAdded'
  | 'NodeLabelsOrTaintsChanged'
  | 'NodeResourcesGrew'
  | 'PodGone'
  | 'PodPlaced'
  /** A placed pod asks for less, or has other labels. */
  | 'PodChanged'
  | 'ClaimChanged'
  | 'VolumeChanged'
  | 'StorageClassChanged'
  | 'Any';

/** What brings a pod into one of the queues, as the original's metrics call it; changes have our own names. */
export type IncomingEvent =
  'PodAdd' | 'ScheduleAttemptFailure' | 'BackoffComplete' | 'UnschedulableTimeout' | 'ForceActivate' | ClusterChange;
export type QueueName = 'active' | 'backoff' | 'unschedulable';

interface Waiting extends Attempt {
  /** Changes that could help; a pod sleeps through the others. */
  readonly wakeOn: ReadonlySet<ClusterChange>;
  readonly sinceMs: number;
}

/** A pod taken for one attempt. */
export interface Attempt {
  readonly info: PodInfo;
  /** How many there were before. */
  readonly attempts: number;
  /** When the pod came into the queue, by the clock's monotonic time. */
  readonly queuedAtMs: number;
}

const firstBackoffMs = 1_000;
const longestBackoffMs = 10_000;
/** A pod is tried again after so long even if nothing seemed to help. */
const longestWaitMs = 300_000;

/**
 *      add --> active --take--> (attempt) --refused--> waiting --change that helps--> backing off --time--> active
 *                                         --bound----> gone
 *
 * Active pods come out by priority, then by time. A change that happens while a pod is being tried is not lost: the pod then
 * backs off instead of waiting.
 */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #onReady: () => void;
  readonly #onIncoming: (event: IncomingEvent, queue: QueueName) => void;
  /** Per priority, in order of arrival. */
  readonly #active = new Map<number, Map<string, Attempt>>();
  #priorities: number[] = [];
  readonly #backingOff = new Map<string, { attempt: Attempt; cancel: () => void }>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #inFlight = new Set<string>();
  /** Taken pods that were removed before their attempt ended. */
  readonly #abandoned = new Set<string>();
  /** Changes since the oldest attempt in flight began. */
  readonly #missed = new Set<ClusterChange>();

  constructor(options: {
    clock: Clock;
    onReady: () => void;
    /** Told whenever a pod comes into a queue. */
    onIncoming?: (event: IncomingEvent, queue: QueueName) => void;
  }) {
    this.#clock = options.clock;
    this.#onReady = options.onReady;
    this.#onIncoming = options.onIncoming ?? (() => undefined);
  }

  counts(): { active: number; backoff: number; unschedulable: number } {
    let active = 0;
    for (const pods of this.#active.values()) active += pods.size;
    return { active, backoff: this.#backingOff.size, unschedulable: this.#waiting.size };
  }

  /** A pod that waits for its first attempt, or whose spec changed so that it deserves another. */
  add(info: PodInfo): void {
    const before = this.#waiting.get(info.key) ?? this.#backingOff.get(info.key)?.attempt;
    const { attempts, queuedAtMs } = before ?? { attempts: 0, queuedAtMs: this.#clock.monotonic() };
    this.remove(info.key);
    this.#activate({ info, attempts, queuedAtMs }, 'PodAdd');
  }

  /** Renews what is known of a pod without giving it another attempt. */
  update(info: PodInfo): void {
    const waiting = this.#waiting.get(info.key);
    if (waiting) this.#waiting.set(info.key, { ...waiting, info });
    const backing = this.#backingOff.get(info.key);
    if (backing) backing.attempt = { ...backing.attempt, info };
    for (const pods of this.#active.values()) {
      const active = pods.get(info.key);
      if (active) pods.set(info.key, { ...active, info });
    }
  }

  has(key: string): boolean {
    return (
      this.#inFlight.has(key) ||
      this.#waiting.has(key) ||
      this.#backingOff.has(key) ||
      [...this.#active.values()].some((pods) => pods.has(key))
    );
  }

  remove(key: string): void {
    if (this.#inFlight.has(key)) this.#abandoned.add(key);
    this.#waiting.delete(key);
    this.#backingOff.get(key)?.cancel();
    this.#backingOff.delete(key);
    for (const pods of this.#active.values()) pods.delete(key);
  }

  take(): Attempt | undefined {
    for (const priority of this.#priorities) {
      const pods = this.#active.get(priority);
      const first = pods?.values().next();
      if (!pods || !first || first.done) continue;
      pods.delete(first.value.info.key);
      if (this.#inFlight.size === 0) this.#missed.clear();
      this.#inFlight.add(first.value.info.key);
      return first.value;
    }
    return undefined;
  }

  /** The attempt ended well, or the pod is gone. */
  finish(key: string): void {
    this.#end(key);
  }

  /** Whether the pod is still wanted. */
  #end(key: string): boolean {
    this.#inFlight.delete(key);
    return !this.#abandoned.delete(key);
  }

  /** No node would do: wait for a change of these kinds. */
  refuse(attempt: Attempt, wakeOn: ReadonlySet<ClusterChange>): void {
    if (!this.#end(attempt.info.key)) return;
    const next = { ...attempt, attempts: attempt.attempts + 1 };
    if ([...this.#missed].some((change) => helps(change, wakeOn))) {
      this.#backOff(next, 'ScheduleAttemptFailure');
      return;
    }
    this.#waiting.set(attempt.info.key, { ...next, wakeOn, sinceMs: this.#clock.monotonic() });
    this.#onIncoming('ScheduleAttemptFailure', 'unschedulable');
  }

  /** The attempt failed for a reason that is not the pod's (a lost connection, a conflict): try again after the back-off. */
  retry(attempt: Attempt): void {
    if (!this.#end(attempt.info.key)) return;
    this.#backOff({ ...attempt, attempts: attempt.attempts + 1 }, 'ScheduleAttemptFailure');
  }

  /** Wakes the pods that a change can help; `concerns` leaves out those that it is not about. */
  notice(change: ClusterChange, concerns: (info: PodInfo) => boolean = () => true): void {
    if (this.#inFlight.size > 0) this.#missed.add(change);
    for (const [key, waiting] of this.#waiting) {
      if (!helps(change, waiting.wakeOn) || !concerns(waiting.info)) continue;
      this.#waiting.delete(key);
      this.#backOff(waiting, change);
    }
  }

  /** Gives one that waits another attempt at once. */
  wake(key: string): void {
    const waiting = this.#waiting.get(key);
    if (!waiting) return;
    this.#waiting.delete(key);
    this.#activate(waiting, 'ForceActivate');
  }

  /** Wakes what has waited for very long. */
  flushStale(): void {
    for (const [key, waiting] of this.#waiting) {
      if (this.#clock.monotonic() - waiting.sinceMs < longestWaitMs) continue;
      this.#waiting.delete(key);
      this.#activate(waiting, 'UnschedulableTimeout');
    }
  }

  #backOff({ info, attempts, queuedAtMs }: Attempt, event: IncomingEvent): void {
    const key = info.key;
    this.#backingOff.get(key)?.cancel();
    const delayMs = Math.min(firstBackoffMs * 2 ** Math.max(0, attempts - 1), longestBackoffMs);
    const cancel = this.#clock.schedule(delayMs, () => {
      const entry = this.#backingOff.get(key);
      this.#backingOff.delete(key);
      if (entry) this.#activate(entry.attempt, 'BackoffComplete');
    });
    this.#backingOff.set(key, { attempt: { info, attempts, queuedAtMs }, cancel });
    this.#onIncoming(event, 'backoff');
  }

  #activate({ info, attempts, queuedAtMs }: Attempt, event: IncomingEvent): void {
    let pods = this.#active.get(info.priority);
    if (!pods) {
      pods = new Map();
      this.#active.set(info.priority, pods);
      this.#priorities = [...this.#active.keys()].sort((a, b) => b - a);
    }
    pods.set(info.key, { info, attempts, queuedAtMs });
    this.#onIncoming(event, 'active');
    this.#onReady();
  }
}

const helps = (change: ClusterChange, wakeOn: ReadonlySet<ClusterChange>): boolean =>
  change === 'Any' || wakeOn.has(change) || wakeOn.has('Any');
