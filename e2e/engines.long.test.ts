import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Node } from '../shared/api/generated/types.js';
import { rotationTests } from './engine/logs.js';
import { restartTests } from './engine/restarts.js';
import { TestCluster } from './lab/cluster.js';
import { laterEngine } from './lab/later-debian.js';
import { addressTests } from './services/addresses.js';
import { serverPods } from './services/server.js';
import { flushTests, trafficTests } from './services/traffic.js';
import { commandTests } from './workloads/commands.js';
import { environmentTests } from './workloads/environment.js';
import { imageTests } from './workloads/images.js';
import { lifecycleTests } from './workloads/lifecycle.js';
import { create, isReady, podWhere } from './workloads/pod.js';
import { terminalTests } from './workloads/terminals.js';

// From 28 on, engines drop what enters a bridge from outside, and forward between bridges by rules of another make.
let cluster: TestCluster;
before(async () => {
  cluster = await TestCluster.start({ nodes: 2, wait: true, engine: { programs: laterEngine() } });
  await create(cluster, ...serverPods());
  await Promise.all(['one', 'two'].map((name) => podWhere(cluster, name, isReady)));
});
after(() => cluster?.destroy());
TestCluster.explainFailures(() => cluster);

test('the nodes name the engine', async () => {
  const { items } = await cluster.get<{ items: Node[] }>('nodes');
  for (const { status } of items)
    assert.match(status?.nodeInfo?.containerRuntimeVersion ?? '', /^docker:\/\/(2[89]|[3-9]\d)\./);
});
describe('workloads on a new engine', { concurrency: 6 }, () => {
  environmentTests(() => cluster);
  lifecycleTests(() => cluster);
  imageTests(() => cluster);
  commandTests(() => cluster, ['kubectl']);
  terminalTests(() => cluster);
  rotationTests(() => cluster);
  addressTests(() => cluster);
  trafficTests(() => cluster);
});
describe('rules that somebody flushed on a new engine', () => flushTests(() => cluster));
describe('a new engine that is restarted', () => restartTests(() => cluster));
