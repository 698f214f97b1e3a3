import type { MetricsRegistry } from '../shared/metrics/registry.js';

/** What the proxy counts, under the original's names where it has them. */
export interface ProxyMetrics {
  synced(durationMs: number, elements: number): void;
  failed(): void;
}

export function proxyMetrics(registry: MetricsRegistry): ProxyMetrics {
  const durations = registry.histogram({
    name: 'kubeproxy_sync_proxy_rules_duration_seconds',
    help: 'SyncProxyRules latency in seconds.',
  });
  const failures = registry.counter({
    name: 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total',
    help: 'Cumulative proxy nftables sync failures.',
  });
  const elements = registry.gauge({
    name: 'knarr_proxy_rule_elements',
    help: 'Elements in the sets and maps of the table.',
  });
  return {
    synced: (durationMs, count) => {
      durations.observe(durationMs / 1000);
      elements.set(count);
    },
    failed: () => failures.inc(),
  };
}
