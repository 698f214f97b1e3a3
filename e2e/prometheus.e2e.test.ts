import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { aggregationTests } from './aggregation/aggregation.js';
import { TestCluster } from './lab/cluster.js';
import { debianProgram } from './lab/tools.js';
import { allJobs, byToken, discovering, fileOf, localJobs } from './monitoring/jobs.js';
import { MonitoredCluster } from './monitoring/monitored-cluster.js';

// VictoriaMetrics reads Prometheus' configuration; Debian builds its Prometheus without the discovery of Kubernetes.
// prometheus.long.test.ts shows the same with Prometheus itself.
const agentAt = '127.0.0.1:8428';

describe('programs that are made for Prometheus', () => {
  let monitored: MonitoredCluster | undefined;
  const running = (): MonitoredCluster => monitored ?? assert.fail('there is no cluster');
  TestCluster.explainFailures(() => monitored?.cluster);
  before(async () => {
    monitored = await MonitoredCluster.prepare(await TestCluster.start({ wait: true }));
    const { access } = monitored;
    const config = monitored.file('agent.yml', fileOf([...discovering(access, byToken(access)), ...localJobs]));
    const agent = await debianProgram('victoria-metrics', 'usr/bin/victoria-metrics');
    const data = `-storageDataPath=${monitored.path('agent')}`;
    const flags = [`-promscrape.config=${config}`, data, '-search.latencyOffset=1s', `-httpListenAddr=${agentAt}`];
    monitored.spawn([agent, ...flags], 'victoria-metrics.log');
  });
  after(() => monitored?.destroy());

  test('kubernetes_sd_configs find nodes, pods, services, endpoints, slices and ingresses', async () => {
    await running().eventuallyFound(agentAt);
  });

  test('every component is scraped: all targets are up', async () => {
    await running().eventuallyUp(agentAt, allJobs);
  });

  test('promtool finds nothing wrong with the form of any of them', async () => {
    const promtool = await debianProgram('prometheus', 'usr/bin/promtool');
    assert.deepEqual(await running().complaints(promtool, await running().texts()), {});
  });

  describe('an extension API server in a pod', () => aggregationTests(() => running().cluster));
});
