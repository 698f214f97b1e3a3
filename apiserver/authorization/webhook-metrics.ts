import type { Clock } from '../../shared/clock/clock.js';
import type { MetricsRegistry } from '../../shared/metrics/registry.js';
import type { AskReview } from '../../shared/review/ask-review.js';
import type { Matched } from './review-conditions.js';

type Result = 'success' | 'timeout' | 'error';

const resultOf = (error: unknown): Result =>
  error instanceof Error && error.name === 'CallTimeoutError' ? 'timeout' : 'error';

const conditionBuckets = [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25];

/** What happens to the calls of one authorization webhook, under the names of the original. */
export class WebhookMetrics {
  readonly #clock: Clock;
  readonly #name: string;
  #metrics: MetricsRegistry | undefined;

  constructor(clock: Clock, name: string) {
    this.#clock = clock;
    this.#name = name;
  }

  /** Counts from now on. */
  addTo(metrics: MetricsRegistry): void {
    this.#metrics = metrics;
  }

  /** Times each question. */
  timed(ask: AskReview): AskReview {
    return async (review) => {
      const from = this.#clock.monotonic();
      try {
        const answer = await ask(review);
        this.#asked('success', from);
        return answer;
      } catch (error) {
        this.#asked(resultOf(error), from);
        throw error;
      }
    };
  }

  #asked(result: Result, fromMs: number): void {
    const labels = ['name', 'result'];
    this.#metrics
      ?.counter({
        name: 'apiserver_authorization_webhook_evaluations_total',
        help: 'Round-trips to authorization webhooks.',
        labels,
      })
      .inc([this.#name, result]);
    this.#metrics
      ?.histogram({
        name: 'apiserver_authorization_webhook_duration_seconds',
        help: 'Request latency in seconds.',
        labels,
      })
      .observe((this.#clock.monotonic() - fromMs) / 1000, [this.#name, result]);
  }

  failedOpen(error: unknown): void {
    this.#metrics
      ?.counter({
        name: 'apiserver_authorization_webhook_evaluations_fail_open_total',
        help: 'NoOpinion results due to webhook timeout or error.',
        labels: ['name', 'result'],
      })
      .inc([this.#name, resultOf(error)]);
  }

  /** Times the conditions and counts what they keep out. */
  evaluated(evaluate: () => Matched): Matched {
    const from = this.#clock.monotonic();
    const matched = evaluate();
    const labels = ['type', 'name'];
    const values = ['Webhook', this.#name];
    const prefix = 'apiserver_authorization_match_condition';
    this.#metrics
      ?.histogram({
        name: `${prefix}_evaluation_seconds`,
        help: 'Authorization match condition evaluation time in seconds, split by authorizer type and name.',
        labels,
        buckets: conditionBuckets,
      })
      .observe((this.#clock.monotonic() - from) / 1000, values);
    if (matched === 'noMatch') {
      const help =
        'Total number of exclusions when an authorization webhook is skipped because match conditions exclude it.';
      this.#metrics?.counter({ name: `${prefix}_exclusions_total`, help, labels }).inc(values);
    } else if (matched !== 'match') {
      const help =
        'Total number of errors when an authorization webhook encounters a match condition error split by authorizer type and name.';
      this.#metrics?.counter({ name: `${prefix}_evaluation_errors_total`, help, labels }).inc(values);
    }
    return matched;
  }
}
