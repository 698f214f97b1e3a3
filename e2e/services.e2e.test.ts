import { after, before, describe } from 'node:test';
import { TestCluster } from './lab/cluster.js';
import { addressTests } from './services/addresses.js';
import { create, isReady, podWhere } from './workloads/pod.js';
import { refusalTests } from './services/refusals.js';
import { serverPods } from './services/server.js';
import { trafficTests, flushTests } from './services/traffic.js';

let cluster: TestCluster;
before(async () => {
  cluster = await TestCluster.start({ nodes: 2, wait: true });
  await create(cluster, ...serverPods());
  await Promise.all(['one', 'two'].map((name) => podWhere(cluster, name, isReady)));
});
after(() => cluster?.destroy());

describe('services', { concurrency: 5 }, () => {
  addressTests(() => cluster);
  trafficTests(() => cluster);
  refusalTests(() => cluster);
});
describe('rules that somebody flushed', () => flushTests(() => cluster));
