import type { Counter, Gauge, Histogram, MetricsRegistry } from '../../shared/metrics/registry.js';
import type { RequestInfo } from './request-info.js';

/** What the server counts, under the original's names. */
export interface RequestMetrics {
  readonly total: Counter;
  readonly duration: Histogram;
  /** Requests that are being answered at the moment. */
  readonly inFlight: { readOnly: number; mutating: number };
  readonly longRunning: Gauge;
  readonly responseSizes: Histogram;
  /** What is asked for in a version that is on its way out. */
  readonly deprecated: Gauge;
}

const where = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'];
const durationBuckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];

export function createRequestMetrics(registry: MetricsRegistry): RequestMetrics {
  const inFlight = { readOnly: 0, mutating: 0 };
  const inFlightGauge = registry.gauge({
    name: 'apiserver_current_inflight_requests',
    help: 'Number of requests being answered, by kind of request.',
    labels: ['request_kind'],
  });
  registry.onCollect(() => {
    inFlightGauge.set(inFlight.readOnly, ['readOnly']);
    inFlightGauge.set(inFlight.mutating, ['mutating']);
  });
  return {
    inFlight,
    total: registry.counter({
      name: 'apiserver_request_total',
      help: 'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
      labels: [...where, 'dry_run', 'code'],
    }),
    duration: registry.histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
      labels: [...where, 'dry_run'],
      buckets: durationBuckets,
    }),
    longRunning: registry.gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.',
      labels: where,
    }),
    responseSizes: registry.histogram({
      name: 'apiserver_response_sizes',
      help: 'Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.',
      labels: where,
      buckets: [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9],
    }),
    deprecated: registry.gauge({
      name: 'apiserver_requested_deprecated_apis',
      help: 'Gauge of deprecated APIs that have been requested, broken out by API group, version, resource, subresource, and removed_release.',
      labels: ['group', 'version', 'resource', 'subresource', 'removed_release'],
    }),
  };
}

export function metricLabels(info: RequestInfo): string[] {
  const scope =
    info.name !== ''
      ? 'resource'
      : info.namespace !== undefined
        ? 'namespace'
        : info.isResourceRequest
          ? 'cluster'
          : '';
  const names: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' };
  const verb = names[info.verb] ?? info.verb.toUpperCase();
  return [verb, info.group, info.version, info.resource, info.subresource, scope, 'apiserver'];
}

/** `All`, or nothing where what is written is kept. */
export const dryRunLabel = (query: URLSearchParams): string => (query.get('dryRun') === 'All' ? 'All' : '');

/** The release in which the original stopped serving what a warning is about; '' where it names none. */
export const removedRelease = (warning: string): string => /unavailable in v(\d+\.\d+)\+/.exec(warning)?.[1] ?? '';
