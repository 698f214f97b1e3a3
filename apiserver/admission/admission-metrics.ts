import type { Clock } from '../../shared/clock/clock.js';
import type { Counter, Histogram, MetricsRegistry } from '../../shared/metrics/registry.js';

export type StepType = 'admit' | 'validate';
/** As the original calls the two kinds of webhooks. */
export type WebhookType = 'admit' | 'validating';

/** How a call of a webhook ended; `code` is that of its refusal, 200 else. */
export interface WebhookOutcome {
  readonly isRejected: boolean;
  readonly code: number;
  /** What kept a webhook from saying no by itself. */
  readonly errorType: 'calling_webhook_error' | 'apiserver_internal_error' | 'no_error';
  readonly isFailedOpen?: boolean;
}

const stepBuckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const webhookBuckets = [...stepBuckets, 10, 25];

/**
 * What admission counts, under the original's names: steps, plugins and webhooks. The clock is looked at once between two
 * plugins, and their series are found once: most plugins have nothing to do with most writes.
 */
export class AdmissionMetrics {
  readonly #clock: Clock;
  readonly #step: Histogram;
  readonly #controller: Histogram;
  readonly #webhook: Histogram;
  readonly #rejections: Counter;
  readonly #requests: Counter;
  readonly #failedOpen: Counter;

  constructor(registry: MetricsRegistry, clock: Clock) {
    this.#clock = clock;
    this.#step = registry.histogram({
      name: 'apiserver_admission_step_admission_duration_seconds',
      help: 'Admission sub-step latency histogram in seconds, broken out for each operation and API resource and step type (validate or admit).',
      labels: ['operation', 'rejected', 'type'],
      buckets: stepBuckets,
    });
    this.#controller = registry.histogram({
      name: 'apiserver_admission_controller_admission_duration_seconds',
      help: 'Admission controller latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
      labels: ['name', 'operation', 'rejected', 'type'],
      buckets: stepBuckets,
    });
    this.#webhook = registry.histogram({
      name: 'apiserver_admission_webhook_admission_duration_seconds',
      help: 'Admission webhook latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
      labels: ['name', 'operation', 'rejected', 'type'],
      buckets: webhookBuckets,
    });
    this.#rejections = registry.counter({
      name: 'apiserver_admission_webhook_rejection_count',
      help: 'Admission webhook rejection count, identified by name and broken out for each admission type (validating or admit) and operation.',
      labels: ['error_type', 'name', 'operation', 'rejection_code', 'type'],
    });
    this.#requests = registry.counter({
      name: 'apiserver_admission_webhook_request_total',
      help: 'Admission webhook request total, identified by name and broken out for each admission type (validating or mutating) and operation.',
      labels: ['code', 'name', 'operation', 'rejected', 'type'],
    });
    this.#failedOpen = registry.counter({
      name: 'apiserver_admission_webhook_fail_open_count',
      help: 'Admission webhook fail open count, identified by name and broken out for each admission type (validating or mutating).',
      labels: ['name', 'type'],
    });
  }

  now(): number {
    return this.#clock.monotonic();
  }

  /** For one plugin in one type of step: observes how long it took. */
  plugin(name: string, type: StepType): (operation: string, isRejected: boolean, elapsedMs: number) => void {
    const known = new Map<string, (value: number) => void>();
    return (operation, isRejected, elapsedMs) => {
      const key = isRejected ? `${operation} rejected` : operation;
      let observe = known.get(key);
      if (!observe) {
        observe = this.#controller.bind([name, operation, String(isRejected), type]);
        known.set(key, observe);
      }
      observe(elapsedMs / 1000);
    };
  }

  /** Runs one step of a write and takes its time; at once where the step is. */
  step(type: StepType, operation: string, run: () => Promise<void> | undefined): Promise<void> | undefined {
    const startMs = this.#clock.monotonic();
    const end = (isRejected: boolean): void =>
      this.#step.observe(this.#since(startMs), [operation, String(isRejected), type]);
    const refuse = (error: unknown): never => {
      end(true);
      throw error;
    };
    let pending: Promise<void> | undefined;
    try {
      pending = run();
    } catch (error) {
      return refuse(error);
    }
    if (pending) return pending.then(() => end(false), refuse);
    end(false);
    return undefined;
  }

  /** Call it when a webhook is asked, and what it returns with the outcome. */
  webhook(name: string, type: WebhookType, operation: string): (outcome: WebhookOutcome) => void {
    const startMs = this.#clock.monotonic();
    return ({ isRejected, code, errorType, isFailedOpen }) => {
      const rejected = String(isRejected);
      this.#webhook.observe(this.#since(startMs), [name, operation, rejected, type]);
      // Codes that a webhook makes up must not fill the table.
      const shown = String(code >= 100 && code < 600 ? code : 600);
      this.#requests.inc([shown, name, operation, rejected, type]);
      if (isFailedOpen) this.#failedOpen.inc([name, type]);
      if (isRejected) this.#rejections.inc([errorType, name, operation, errorType === 'no_error' ? shown : '0', type]);
    };
  }

  #since(startMs: number): number {
    return (this.#clock.monotonic() - startMs) / 1000;
  }
}
