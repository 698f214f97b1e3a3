import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer } from '../../apiserver/testing/test-server.js';
import { namespaces } from '../api/generated/resources.js';
import { clientFromKubeconfig } from '../client/connect.js';
import { systemClock } from '../clock/clock.js';
import { MetricsRegistry } from '../metrics/registry.js';
import { clientMetrics } from './client-metrics.js';

test('requests are counted by what came of them, also those that nobody answered', async () => {
  const server = await startTestServer();
  const registry = new MetricsRegistry();
  const options = { clock: systemClock, onAnswer: clientMetrics(registry) };
  const client = await clientFromKubeconfig(server.kubeconfigPath, options);
  const host = new URL(client.server).host;
  await client.list(namespaces);
  await assert.rejects(client.get(namespaces, 'nowhere'), { code: 404 });
  await server.close();
  await assert.rejects(client.list(namespaces));
  client.close();
  const text = registry.render();
  for (const code of ['200', '404', '<error>'])
    assert.ok(text.includes(`rest_client_requests_total{code="${code}",host="${host}",method="GET"} 1\n`), text);
  assert.ok(text.includes(`rest_client_request_duration_seconds_count{host="${host}",verb="GET"} 3\n`));
});
