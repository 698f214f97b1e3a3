import type { Counter, Gauge, Histogram, MetricsRegistry } from '../../shared/metrics/registry.js';
import type { RequestInfo } from './request-info.js';

/** What the server counts, under the original's names. */
export interface RequestMetrics {
  readonly total: Counter;
  readonly duration: Histogram;
  /** Requests that are being answered at the moment. */
  readonly inFlight: { readOnly: number; mutating: number };
  readonly longRunning: Gauge;
}

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
      help: 'Counter of apiserver requests broken out for each verb, group, version, resource, scope and HTTP response code.',
      labels: ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'code'],
    }),
    duration: registry.histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Response latency distribution in seconds for each verb, group, version, resource, subresource and scope.',
      labels: ['verb', 'group', 'version', 'resource', 'subresource', 'scope'],
    }),
    longRunning: registry.gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Number of open watches and streams.',
      labels: ['verb', 'group', 'version', 'resource', 'subresource', 'scope'],
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
  return [verb, info.group, info.version, info.resource, info.subresource, scope];
}
