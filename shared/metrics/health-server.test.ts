import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthServer } from './health-server.js';
import { addProcessMetrics } from './process-metrics.js';
import { MetricsRegistry } from './registry.js';

test('serves health in the format of the original, and metrics', async () => {
  const metrics = new MetricsRegistry();
  metrics.counter({ name: 'c_total', help: 'h', labels: ['a'] }).inc(['x"y']);
  let reason: string | undefined = 'not yet';
  const server = new HealthServer({ port: 0, metrics, readyz: { sync: () => reason } });
  await server.start();
  const get = async (path: string): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return [response.status, await response.text()];
  };
  assert.deepEqual(await get('/livez'), [200, 'ok']);
  assert.deepEqual(await get('/readyz'), [503, '[+]ping ok\n[-]sync failed: not yet\nreadyz check failed\n']);
  reason = undefined;
  assert.deepEqual(await get('/readyz'), [200, 'ok']);
  assert.deepEqual(await get('/healthz?verbose'), [200, '[+]ping ok\nhealthz check passed\n']);
  assert.match((await get('/metrics'))[1], /# TYPE c_total counter\nc_total\{a="x\\"y"\} 1\n/);
  assert.equal((await get('/nope'))[0], 404);
  await server.stop();
});

test('histograms are cumulative', () => {
  const metrics = new MetricsRegistry();
  const histogram = metrics.histogram({ name: 'h', help: 'h', labels: ['l'], buckets: [1, 2] });
  for (const value of [0.5, 1.5, 1.5, 9]) histogram.observe(value, ['x']);
  const lines = metrics
    .render()
    .split('\n')
    .filter((line) => line.startsWith('h'));
  assert.deepEqual(lines, [
    'h_bucket{l="x",le="1"} 1',
    'h_bucket{l="x",le="2"} 3',
    'h_bucket{l="x",le="+Inf"} 4',
    'h_sum{l="x"} 12.5',
    'h_count{l="x"} 4',
  ]);
});

test('label combinations beyond the bound are counted, not kept', () => {
  const metrics = new MetricsRegistry({ maxSeries: 2 });
  const counter = metrics.counter({ name: 'c', help: 'h', labels: ['l'] });
  for (const label of ['a', 'b', 'c', 'd', 'a']) counter.inc([label]);
  const text = metrics.render();
  assert.match(text, /c\{l="a"\} 2\nc\{l="b"\} 1\n$/);
  assert.match(text, /knarr_metrics_dropped_series_total\{metric="c"\} 2/);
});

test('a process tells what it is, and what it holds of the machine', () => {
  const metrics = new MetricsRegistry();
  const build = { major: '1', minor: '36', gitVersion: 'v1.36.0', gitCommit: '', gitTreeState: 'clean' };
  addProcessMetrics(metrics, { ...build, buildDate: 'd', goVersion: 'g', compiler: 'c', platform: 'linux/amd64' });
  const text = metrics.render();
  assert.match(
    text,
    /^kubernetes_build_info\{build_date="d",.*git_version="v1\.36\.0",.*platform="linux\/amd64"\} 1$/m,
  );
  for (const name of ['process_open_fds', 'process_max_fds', 'process_resident_memory_bytes'])
    assert.match(text, new RegExp(`^${name} [1-9]`, 'm'));
});

test('texts at further paths are made when they are asked for', async () => {
  let asked = 0;
  const furtherMetrics = { '/metrics/resources': () => `a ${++asked}\n` };
  const server = new HealthServer({ port: 0, metrics: new MetricsRegistry(), furtherMetrics });
  await server.start();
  const response = await fetch(`http://127.0.0.1:${server.port}/metrics/resources`);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(await response.text(), 'a 1\n');
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/metrics/constructor`)).status, 404);
  await server.stop();
});
