import type { Counter, Histogram, MetricsRegistry } from '../../../shared/metrics/registry.js';

/** Why a check had no result, as the original's metric says it. */
export type CheckError = 'compile_error' | 'invalid_error' | 'out_of_budget' | 'no_error';

/** What one expression of a policy came to. */
export interface Check {
  readonly errorType: CheckError;
  readonly elapsedMs: number;
}

/** What came of ValidatingAdmissionPolicies, under the original's names. */
export class PolicyMetrics {
  readonly #checks: Counter;
  readonly #durations: Histogram;

  constructor(registry: MetricsRegistry) {
    const name = (text: string): string => `apiserver_validating_admission_policy_${text}`;
    const labels = ['policy', 'policy_binding', 'error_type', 'enforcement_action'];
    this.#checks = registry.counter({
      name: name('check_total'),
      help: 'Validation admission policy check total, labeled by policy and further identified by binding and enforcement action taken.',
      labels,
    });
    this.#durations = registry.histogram({
      name: name('check_duration_seconds'),
      help: 'Validation admission latency for individual validation expressions in seconds, labeled by policy and further including binding and enforcement action taken.',
      labels,
      buckets: [0.0000005, 0.001, 0.01, 0.1, 1],
    });
  }

  /** @param action what followed: one of the binding's actions, or `allow` where an error was ignored */
  checked(policy: string, binding: string, { errorType, elapsedMs }: Check, action: string): void {
    const labels = [policy, binding, errorType, action.toLowerCase()];
    this.#checks.inc(labels);
    this.#durations.observe(elapsedMs / 1000, labels);
  }
}
