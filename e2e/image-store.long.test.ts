import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { runsWholeDemo } from './demo/whole-demo.js';
import { runtimeSuites } from './engine/suites.js';
import { TestCluster } from './lab/cluster.js';
import { laterEngine } from './lab/later-debian.js';
import { Lab } from './lab/lab.js';
import { environmentTests } from './workloads/environment.js';
import { imageTests } from './workloads/images.js';
import { lifecycleTests } from './workloads/lifecycle.js';

// Images lie with containerd, as from Docker 29 on by themselves: their ids, sizes and names are told differently.
const engine = { programs: laterEngine(), config: { features: { 'containerd-snapshotter': true } } };

describe("an engine with containerd's image store", () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await TestCluster.start({ nodes: 2, wait: true, engine });
    const { stdout } = await cluster.host.run(['docker', 'info', '--format', '{{.DriverStatus}}']);
    assert.match(stdout, /io\.containerd\.snapshotter/);
  });
  after(() => cluster?.destroy());
  TestCluster.explainFailures(() => cluster);

  describe('workloads', { concurrency: 6 }, () => {
    environmentTests(() => cluster);
    lifecycleTests(() => cluster);
    imageTests(() => cluster);
  });
  runtimeSuites(() => cluster.host);
});

describe("the demo's images in containerd's image store", () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.create(1, { engine });
  });
  after(() => lab?.destroy());
  test('are built, run and removed', () => runsWholeDemo(lab.host(0)));
});
