import type { OnAnswer } from '../client/https-client.js';
import type { MetricsRegistry } from '../metrics/registry.js';

/** Counts what a component asks the API server, under client-go's names. */
export function clientMetrics(registry: MetricsRegistry): OnAnswer {
  const requests = registry.counter({
    name: 'rest_client_requests_total',
    help: 'Number of HTTP requests, partitioned by status code, method, and host.',
    labels: ['code', 'host', 'method'],
  });
  const durations = registry.histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Request latency in seconds. Broken down by verb, and host.',
    labels: ['host', 'verb'],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
  });
  return ({ method, host, code, durationMs }) => {
    requests.inc([code === undefined ? '<error>' : String(code), host, method]);
    durations.observe(durationMs / 1000, [host, method]);
  };
}
