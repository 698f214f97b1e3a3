import type { KubernetesObject } from '../api/object.js';
import type { Informer } from '../cache/informer.js';
import type { Clock } from '../clock/clock.js';
import { isAbort, isConflict, TerminalError } from '../errors/status-error.js';
import type { Log } from '../log/log.js';
import type { Counter, Histogram, MetricsRegistry } from '../metrics/registry.js';
import { RateLimitingQueue } from '../workqueue/rate-limiting-queue.js';
import { DefaultRateLimiter, type RateLimits } from '../workqueue/rate-limiter.js';
import type { Workqueue } from '../workqueue/workqueue.js';
import { queueMetrics } from './queue-metrics.js';
import type { Reconcile } from './reconciler.js';

export interface ControllerDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricsRegistry;
}

export interface ControllerOptions {
  /** As in logs and metrics, e.g. `deployment`. */
  readonly name: string;
  readonly reconcile: Reconcile;
  /** How many keys are worked on at once. Default 5. */
  readonly workers?: number;
  /** Their first lists are awaited before any key is worked on. */
  readonly informers?: readonly Pick<Informer<KubernetesObject>, 'waitForSync'>[];
  readonly rateLimits?: RateLimits;
}

/**
 * Takes keys from a queue and reconciles them with a number of workers. Throwing retries the key with back-off; a
 * TerminalError is reported and not retried; a result may ask for another look later.
 */
export class Controller {
  readonly name: string;
  readonly queue: Workqueue;
  readonly #options: ControllerOptions;
  readonly #deps: ControllerDependencies;
  readonly #log: Log;
  readonly #results: Counter;
  readonly #durations: Histogram;

  constructor(options: ControllerOptions, deps: ControllerDependencies) {
    const { clock, metrics } = deps;
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
    this.#log = deps.log.child({ controller: options.name });
    this.queue = new RateLimitingQueue({
      clock,
      rateLimiter: new DefaultRateLimiter(clock, options.rateLimits),
      observer: queueMetrics(metrics, options.name),
    });
    this.#results = metrics.counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Total number of reconciliations per controller.',
      labels: ['controller', 'result'],
    });
    this.#durations = metrics.histogram({
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Length of time per reconciliation per controller.',
      labels: ['controller'],
    });
  }

  /** Waits for the informers, then works until aborted. Resolves when the last reconcile has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.queue.shutDown();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      await Promise.all((this.#options.informers ?? []).map((informer) => informer.waitForSync(signal)));
      this.#log.debug('started', { workers: this.#options.workers ?? 5 });
      await Promise.all(Array.from({ length: this.#options.workers ?? 5 }, () => this.#work(signal)));
    } catch (error) {
      if (!signal.aborted || !isAbort(error)) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      this.queue.shutDown();
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      const key = await this.queue.get();
      if (key === undefined) return;
      try {
        if (!signal.aborted) await this.#process(key, signal);
      } finally {
        this.queue.done(key);
      }
    }
  }

  async #process(key: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const startMs = clock.monotonic();
    try {
      const result = await this.#options.reconcile(key, signal);
      this.queue.forget(key);
      if (result?.requeueAfterMs !== undefined) this.queue.addAfter(key, result.requeueAfterMs);
      this.#results.inc([this.name, result?.requeueAfterMs === undefined ? 'success' : 'requeue_after']);
    } catch (error) {
      this.#failed(key, error, signal);
    } finally {
      this.#durations.observe((clock.monotonic() - startMs) / 1000, [this.name]);
    }
  }

  #failed(key: string, error: unknown, signal: AbortSignal): void {
    if (signal.aborted && isAbort(error)) return;
    if (error instanceof TerminalError) {
      this.queue.forget(key);
      this.#results.inc([this.name, 'error']);
      this.#log.error('reconcile failed for good', { key, error });
      return;
    }
    this.#results.inc([this.name, 'requeue']);
    // A conflict only says that our cache was behind: an ordinary part of optimistic concurrency.
    if (isConflict(error)) this.#log.debug('reconcile met a conflict, trying again', { key });
    else this.#log.warn('reconcile failed, trying again', { key, retries: this.queue.retries(key), error });
    this.queue.addRateLimited(key);
  }
}
