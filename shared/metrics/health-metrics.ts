import type { Counter, Gauge, MetricsRegistry } from './registry.js';

/** What came of health checks, under the names that all components of the original have. */
export class HealthMetrics {
  readonly #last: Gauge;
  readonly #total: Counter;

  constructor(registry: MetricsRegistry) {
    this.#last = registry.gauge({
      name: 'kubernetes_healthcheck',
      help: 'This metric records the result of a single healthcheck.',
      labels: ['name', 'type'],
    });
    this.#total = registry.counter({
      name: 'kubernetes_healthchecks_total',
      help: 'This metric records the results of all healthcheck.',
      labels: ['name', 'status', 'type'],
    });
  }

  /** `type` is the path that was asked: healthz, livez, readyz. */
  checked(type: string, name: string, isWell: boolean): void {
    this.#last.set(isWell ? 1 : 0, [name, type]);
    this.#total.inc([name, isWell ? 'success' : 'error', type]);
  }
}
