import type { Clock } from '../shared/clock/clock.js';
import type { MetricsRegistry } from '../shared/metrics/registry.js';

/** What the proxy counts, under the original's names where it has them. */
export interface ProxyMetrics {
  /** A Service, or a slice of endpoints, is another than before; `triggeredMs` is when what it tells of happened, where it says so. */
  changed(what: 'service' | 'endpoint', triggeredMs?: number): void;
  synced(durationMs: number, elements: number): void;
  failed(): void;
}

/** In seconds. */
const syncBuckets = Array.from({ length: 15 }, (_, i) => 2 ** i / 1000);
/** As the original's: a quarter of a second, then by seconds, by fives, by thirties. */
const programmingBuckets = [
  0.25,
  0.5,
  ...Array.from({ length: 60 }, (_, i) => 1 + i),
  ...Array.from({ length: 12 }, (_, i) => 65 + 5 * i),
  ...Array.from({ length: 6 }, (_, i) => 150 + 30 * i),
];
/** Times that wait for the next sync; more are not observed. */
const maxTriggers = 1_000;

export function proxyMetrics(registry: MetricsRegistry, clock: Clock): ProxyMetrics {
  const labels = ['ip_family'];
  const family = ['IPv4'];
  const counter = (name: string, help: string) => registry.counter({ name: `kubeproxy_${name}`, help, labels });
  const gauge = (name: string, help: string) => registry.gauge({ name: `kubeproxy_${name}`, help, labels });
  const histogram = (name: string, help: string, buckets: readonly number[]) =>
    registry.histogram({ name: `kubeproxy_${name}`, help, labels, buckets });
  const durations = histogram('sync_proxy_rules_duration_seconds', 'SyncProxyRules latency in seconds', syncBuckets);
  const programming = histogram(
    'network_programming_duration_seconds',
    'In Cluster Network Programming Latency in seconds',
    programmingBuckets,
  );
  const synced = gauge('sync_proxy_rules_last_timestamp_seconds', 'The last time proxy rules were successfully synced');
  const queued = gauge(
    'sync_proxy_rules_last_queued_timestamp_seconds',
    'The last time a sync of proxy rules was queued',
  );
  const changes = {
    service: counter('sync_proxy_rules_service_changes_total', 'Cumulative proxy rules Service changes'),
    endpoint: counter('sync_proxy_rules_endpoint_changes_total', 'Cumulative proxy rules Endpoint changes'),
  };
  const failures = counter('sync_proxy_rules_nftables_sync_failures_total', 'Cumulative proxy nftables sync failures');
  const elements = registry.gauge({
    name: 'knarr_proxy_rule_elements',
    help: 'Elements in the sets and maps of the table.',
  });
  let triggers: number[] = [];
  return {
    changed: (what, triggeredMs) => {
      changes[what].inc(family);
      queued.set(clock.now() / 1000, family);
      if (triggeredMs !== undefined && triggers.length < maxTriggers) triggers.push(triggeredMs);
    },
    synced: (durationMs, count) => {
      durations.observe(durationMs / 1000, family);
      elements.set(count);
      const nowMs = clock.now();
      synced.set(nowMs / 1000, family);
      for (const triggeredMs of triggers) programming.observe(Math.max(0, nowMs - triggeredMs) / 1000, family);
      triggers = [];
    },
    failed: () => failures.inc(family),
  };
}
