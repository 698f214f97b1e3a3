import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../shared/clock/fake-clock.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import { proxyMetrics } from './metrics.js';

test('the way of a change from its cause to the rules is timed once', async () => {
  const registry = new MetricsRegistry();
  const clock = new FakeClock();
  const metrics = proxyMetrics(registry, clock);
  metrics.changed('endpoint', clock.now());
  metrics.changed('service');
  await clock.advance(700);
  metrics.synced(3, 5);
  metrics.synced(3, 5);
  metrics.failed();
  const text = registry.render();
  for (const line of [
    'kubeproxy_network_programming_duration_seconds_bucket{ip_family="IPv4",le="0.5"} 0',
    'kubeproxy_network_programming_duration_seconds_bucket{ip_family="IPv4",le="1"} 1',
    'kubeproxy_network_programming_duration_seconds_count{ip_family="IPv4"} 1',
    'kubeproxy_sync_proxy_rules_endpoint_changes_total{ip_family="IPv4"} 1',
    'kubeproxy_sync_proxy_rules_service_changes_total{ip_family="IPv4"} 1',
    'kubeproxy_sync_proxy_rules_duration_seconds_bucket{ip_family="IPv4",le="0.002"} 0',
    'kubeproxy_sync_proxy_rules_duration_seconds_bucket{ip_family="IPv4",le="0.004"} 2',
    'kubeproxy_sync_proxy_rules_nftables_sync_failures_total{ip_family="IPv4"} 1',
    `kubeproxy_sync_proxy_rules_last_timestamp_seconds{ip_family="IPv4"} ${clock.now() / 1000}`,
  ])
    assert.ok(text.includes(`\n${line}\n`), `${line}\n${text}`);
});
