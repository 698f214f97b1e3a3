import type { Clock } from '../../shared/clock/clock.js';
import type { MetricsRegistry } from '../../shared/metrics/registry.js';

/** Why a conversion failed, in the words of the original's metrics. */
export type ConversionFailure =
  | 'conversion_webhook_call_failure'
  | 'conversion_webhook_malformed_response_failure'
  | 'conversion_webhook_partial_response_failure'
  | 'conversion_webhook_invalid_converted_object_failure';

/** One conversion by a webhook. */
export interface ConversionCall {
  /** Name of the definition. */
  readonly crdName: string;
  readonly fromVersion: string;
  readonly toVersion: string;
}

/** Starts the clock of a call; the returned function is told once how it ended: without a word if well. */
export type MeasureConversion = (call: ConversionCall) => (failure?: ConversionFailure) => void;

/** Conversions of custom resources under the original's names. */
export function conversionMetrics(metrics: MetricsRegistry, clock: Clock): MeasureConversion {
  const labels = ['result', 'failure_type'];
  const requests = metrics.counter({
    name: 'apiserver_conversion_webhook_request_total',
    help: 'Counter for conversion webhook requests with success/failure and failure error type',
    labels,
  });
  const latency = metrics.histogram({
    name: 'apiserver_conversion_webhook_duration_seconds',
    help: 'Conversion webhook request latency',
    labels,
    buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 45, 60],
  });
  const ofDefinition = metrics.histogram({
    name: 'apiserver_crd_conversion_webhook_duration_seconds',
    help: 'CRD webhook conversion duration in seconds',
    labels: ['crd_name', 'from_version', 'to_version', 'succeeded'],
    buckets: Array.from({ length: 15 }, (_, power) => 0.001 * 2 ** power),
  });
  return ({ crdName, fromVersion, toVersion }) => {
    const startMs = clock.monotonic();
    return (failure) => {
      const seconds = (clock.monotonic() - startMs) / 1000;
      const outcome = failure ? ['failure', failure] : ['success', ''];
      requests.inc(outcome);
      latency.observe(seconds, outcome);
      ofDefinition.observe(seconds, [crdName, fromVersion, toVersion, String(!failure)]);
    };
  };
}
