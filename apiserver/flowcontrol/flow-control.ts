import { flowschemas, prioritylevelconfigurations } from '../../shared/api/generated/resources.js';
import type { Clock } from '../../shared/clock/clock.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { Roster, type Place } from '../../shared/lifecycle/roster.js';
import type { MetricsRegistry } from '../../shared/metrics/registry.js';
import type { User } from '../authentication/user.js';
import type { RequestInfo } from '../http/request-info.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { allocate, levelLimits } from './concurrency-limits.js';
import type { RejectReason, Seat, Waiting } from './fair-queues.js';
import { readCatalogue, type Schema } from './flow-catalogue.js';
import type { LevelDump, TrackedRequest } from './flow-dump.js';
import { FlowMetrics, type FlowCounts } from './flow-metrics.js';
import { PriorityLevel } from './priority-level.js';
import { seatsOf } from './work-estimate.js';

export interface FlowControlOptions {
  readonly registry: ResourceRegistry;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
  /** 0 <= x < 1. */
  readonly random: () => number;
  /** Requests that are answered at once, divided among the priority levels. */
  readonly serverSeats: number;
}

/** How a request was classified, for the headers of its answer. */
export interface Flow {
  readonly schema: Schema;
  readonly level: PriorityLevel;
  readonly counts: FlowCounts;
}

/** A request whose turn has come: `finish` gives its seats back, once. */
export interface Turn {
  finish(): void;
}

/** A request in a queue. */
export interface Queued {
  /** Rejects with 429 when the turn does not come in time, or the request was given up. */
  readonly turn: Promise<Turn>;
  /** The client has gone. */
  giveUp(): void;
}

export interface FlowRequest {
  readonly user: User;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
}

/** A request waits for a quarter of the time in which it must be answered. */
const maxWaitMs = 15_000;
const divideEveryMs = 10_000;

const tooManyRequests = (): StatusError =>
  new StatusError(429, 'TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds: 1 });

/**
 * API priority and fairness: which requests are answered now, which wait and which are refused.
 *
 *     FlowSchema (first that matches) -> priority level -> queues of the flow -> a seat
 *
 * A level that wants more than its share borrows what the others do not use: the seats are divided anew every ten seconds.
 */
export class FlowControl {
  readonly #options: FlowControlOptions;
  readonly #metrics: FlowMetrics;
  readonly #levels = new Map<string, PriorityLevel>();
  readonly #seed: number;
  readonly #tracked = new Roster<TrackedRequest>();
  #flows: readonly Flow[] = [];
  #isStale = true;
  #cancelDivision: () => void = () => {};
  #end: (() => void)[] = [];

  constructor(options: FlowControlOptions) {
    this.#options = options;
    this.#seed = Math.floor(options.random() * 0x1_0000_0000);
    this.#metrics = new FlowMetrics(options.metrics, () => this.levels());
  }

  /** Follows the stored objects. */
  start(): void {
    const { registry } = this.#options;
    for (const { group, version, resource } of [flowschemas, prioritylevelconfigurations]) {
      const served = registry.find(group, version, resource);
      if (served) this.#end.push(served.store.cache.onChange(() => (this.#isStale = true)));
    }
    this.#isStale = true;
    this.#schedule();
  }

  stop(): void {
    this.#cancelDivision();
    for (const end of this.#end) end();
  }

  levels(): Iterable<PriorityLevel> {
    this.#refresh();
    return this.#levels.values();
  }

  /** Always finds one: the schema catch-all is about everybody and everything. */
  classify(user: User, info: RequestInfo): Flow {
    this.#refresh();
    for (const flow of this.#flows) if (flow.schema.matches(user, info)) return flow;
    const last = this.#flows.at(-1);
    if (!last) throw new Error('no flow schema is left');
    return last;
  }

  /** Throws 429 when the request may neither run nor wait. */
  enter(flow: Flow, request: FlowRequest): Turn | Queued {
    const { level, schema, counts } = flow;
    const nowMs = this.#options.clock.monotonic();
    const { info, query, user } = request;
    const seats = level.isExempt ? 1 : seatsOf(info, query, this.#count, level.limits.nominal);
    const entered = level.enter(`${schema.name} ${schema.distinguish(user, info)}`, seats, nowMs);
    if (typeof entered === 'string') {
      level.rejected[entered] += 1;
      this.#metrics.rejected(counts, entered);
      throw tooManyRequests();
    }
    const arrivedMs = this.#options.clock.now();
    const tracked: TrackedRequest = { schema, request, seats, queue: entered.queue, arrivedMs, startedMs: undefined };
    const place = this.#tracked.enter(tracked);
    if ('isWaiting' in entered) return this.#wait(flow, entered, place, nowMs);
    if (!level.isExempt) this.#metrics.waited(counts, 0, true);
    return this.#run(flow, entered, place);
  }

  /** All levels at this moment, by name. */
  dump(): LevelDump[] {
    const requests = new Map<string, TrackedRequest[]>();
    for (const one of this.#tracked.items()) {
      const known = requests.get(one.schema.level);
      if (known) known.push(one);
      else requests.set(one.schema.level, [one]);
    }
    const found = [...this.levels()].map((level): LevelDump => {
      const { name, queueCount, virtualMs, waiting, running, dispatched, rejected } = level;
      const counts = { waiting, running, dispatched, rejected: { ...rejected } };
      return { name, queueCount, virtualMs, ...counts, queues: level.digest(), requests: requests.get(name) ?? [] };
    });
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  readonly #count = ({ group, version, resource }: RequestInfo): number =>
    this.#options.registry.find(group, version, resource)?.store.cache.size ?? 0;

  #run({ level, counts }: Flow, seat: Seat, place: Place<TrackedRequest>): Turn {
    const { seats } = place.item;
    place.item.startedMs = this.#options.clock.now();
    level.dispatched += 1;
    counts.dispatched += 1;
    counts.running += 1;
    counts.runningSeats += seats;
    let isDone = false;
    return {
      finish: () => {
        if (isDone) return;
        isDone = true;
        this.#tracked.leave(place);
        counts.running -= 1;
        counts.runningSeats -= seats;
        const nowMs = this.#options.clock.monotonic();
        seat.release(nowMs);
        level.noteDemand(nowMs);
      },
    };
  }

  #wait(flow: Flow, waiting: Waiting, place: Place<TrackedRequest>, sinceMs: number): Queued {
    const { clock } = this.#options;
    const { counts, level } = flow;
    counts.waiting += 1;
    const leave = (reason: RejectReason): void => {
      const nowMs = clock.monotonic();
      if (!waiting.cancel(nowMs)) return;
      level.noteDemand(nowMs);
      level.rejected[reason] += 1;
      this.#metrics.rejected(counts, reason);
    };
    const cancelTimer = clock.schedule(maxWaitMs, () => leave('time-out'));
    const turn = waiting.turn.then((seat) => {
      cancelTimer();
      counts.waiting -= 1;
      this.#metrics.waited(counts, clock.monotonic() - sinceMs, seat !== undefined);
      if (!seat) {
        this.#tracked.leave(place);
        throw tooManyRequests();
      }
      return this.#run(flow, seat, place);
    });
    return { turn, giveUp: () => leave('cancelled') };
  }

  /** Reads what is stored, if that has changed. Requests that wait or run stay where they are. */
  #refresh(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    const { registry, clock, serverSeats } = this.#options;
    const { schemas, levels } = readCatalogue(registry);
    const nowMs = clock.monotonic();
    const specs = new Map([...levels].map(([name, { spec }]) => [name, spec]));
    const limits = levelLimits(specs, serverSeats);
    for (const name of this.#levels.keys()) if (!levels.has(name)) this.#levels.delete(name);
    for (const [name, { uid, spec }] of levels) {
      const level = this.#levels.get(name) ?? new PriorityLevel(name, this.#seed, nowMs);
      this.#levels.set(name, level);
      level.configure(uid, spec, limits.get(name) ?? level.limits, nowMs);
    }
    this.#flows = schemas.flatMap((schema) => {
      const level = this.#levels.get(schema.level);
      return level ? [{ schema, level, counts: this.#metrics.countsOf(schema.name, schema.level) }] : [];
    });
    this.#metrics.keepOnly(new Set(this.#flows.map(({ counts }) => counts)));
  }

  #schedule(): void {
    this.#cancelDivision = this.#options.clock.schedule(divideEveryMs, () => {
      this.#divide();
      this.#schedule();
    });
  }

  /** Lends the seats that are not wanted where they are. */
  #divide(): void {
    const nowMs = this.#options.clock.monotonic();
    const limited = [...this.levels()].filter(({ isExempt }) => !isExempt);
    const shares = allocate(
      this.#options.serverSeats,
      limited.map((level) => level.claim(nowMs)),
    );
    for (const [at, level] of limited.entries()) level.setLimit(Math.round(shares[at] ?? level.limits.nominal), nowMs);
  }
}
