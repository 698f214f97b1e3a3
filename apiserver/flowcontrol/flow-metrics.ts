import type { Counter, Gauge, Histogram, MetricsRegistry } from '../../shared/metrics/registry.js';
import type { RejectReason } from './fair-queues.js';
import type { PriorityLevel } from './priority-level.js';

/** What happened to the requests of one FlowSchema at one level: plain numbers, made metrics when somebody looks. */
export interface FlowCounts {
  readonly schema: string;
  readonly level: string;
  dispatched: number;
  running: number;
  runningSeats: number;
  waiting: number;
}

const labels = ['priority_level', 'flow_schema'];

/** Flow control under the original's names. */
export class FlowMetrics {
  readonly #dispatched: Counter;
  readonly #rejected: Counter;
  readonly #wait: Histogram;
  readonly #byFlow: readonly (readonly [Gauge, (counts: FlowCounts) => number])[];
  readonly #byLevel: readonly (readonly [Gauge, (level: PriorityLevel) => number])[];
  readonly #counts = new Map<string, FlowCounts & { told: number }>();

  constructor(registry: MetricsRegistry, levels: () => Iterable<PriorityLevel>) {
    const name = (text: string): string => `apiserver_flowcontrol_${text}`;
    this.#dispatched = registry.counter({
      name: name('dispatched_requests_total'),
      help: 'Number of requests executed by API Priority and Fairness.',
      labels,
    });
    this.#rejected = registry.counter({
      name: name('rejected_requests_total'),
      help: 'Number of requests rejected by API Priority and Fairness.',
      labels: [...labels, 'reason'],
    });
    this.#wait = registry.histogram({
      name: name('request_wait_duration_seconds'),
      help: 'Length of time a request spent waiting in its queue.',
      labels: [...labels, 'execute'],
      buckets: [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30],
    });
    const flow = (metric: string, help: string): Gauge => registry.gauge({ name: name(metric), help, labels });
    const level = (metric: string, help: string): Gauge =>
      registry.gauge({ name: name(metric), help, labels: ['priority_level'] });
    this.#byFlow = [
      [flow('current_inqueue_requests', 'Number of requests currently in queues.'), ({ waiting }) => waiting],
      [flow('current_executing_requests', 'Number of requests currently executing.'), ({ running }) => running],
      [flow('current_executing_seats', 'Seats occupied by currently executing requests.'), (c) => c.runningSeats],
    ];
    this.#byLevel = [
      [
        level('nominal_limit_seats', 'Nominal number of execution seats of each priority level.'),
        (l) => l.limits.nominal,
      ],
      [level('lower_limit_seats', 'Lower bound on number of execution seats.'), (l) => l.limits.lower],
      [level('upper_limit_seats', 'Upper bound on number of execution seats.'), (l) => l.limits.upper],
      [level('current_limit_seats', 'Current derived number of execution seats.'), (l) => l.currentLimit],
      [level('demand_seats_current', 'Seats that are used and waited for.'), (l) => l.demand],
    ];
    registry.onCollect(() => this.#collect(levels()));
  }

  countsOf(schema: string, level: string): FlowCounts {
    const key = `${schema} ${level}`;
    let counts = this.#counts.get(key);
    if (!counts) {
      counts = { schema, level, dispatched: 0, running: 0, runningSeats: 0, waiting: 0, told: 0 };
      this.#counts.set(key, counts);
    }
    return counts;
  }

  /** Forgets what is at rest and not in `known` any more. */
  keepOnly(known: ReadonlySet<FlowCounts>): void {
    for (const [key, counts] of this.#counts) {
      const isIdle = counts.running === 0 && counts.waiting === 0 && counts.told === counts.dispatched;
      if (isIdle && !known.has(counts)) this.#counts.delete(key);
    }
  }

  rejected({ level, schema }: FlowCounts, reason: RejectReason): void {
    this.#rejected.inc([level, schema, reason]);
  }

  waited({ level, schema }: FlowCounts, waitMs: number, isExecuted: boolean): void {
    this.#wait.observe(waitMs / 1000, [level, schema, String(isExecuted)]);
  }

  #collect(levels: Iterable<PriorityLevel>): void {
    for (const counts of this.#counts.values()) {
      const values = [counts.level, counts.schema];
      if (counts.dispatched > counts.told) this.#dispatched.inc(values, counts.dispatched - counts.told);
      counts.told = counts.dispatched;
      for (const [gauge, read] of this.#byFlow) gauge.set(read(counts), values);
    }
    for (const level of levels) for (const [gauge, read] of this.#byLevel) gauge.set(read(level), [level.name]);
  }
}
