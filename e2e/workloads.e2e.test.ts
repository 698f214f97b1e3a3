import { after, before, describe } from 'node:test';
import { TestCluster } from './lab/cluster.js';
import { clientLibraryTests } from './workloads/client-libraries.js';
import { commandTests, nodeCommandTests } from './workloads/commands.js';
import { controllerTests, nodeTests } from './workloads/controllers.js';
import { guestbookTests } from './workloads/guestbook.js';
import { imageTests } from './workloads/images.js';
import { environmentTests } from './workloads/environment.js';
import { lifecycleTests } from './workloads/lifecycle.js';
import { terminalTests } from './workloads/terminals.js';

let cluster: TestCluster;
before(async () => {
  cluster = await TestCluster.start({ nodes: 2, wait: true });
});
after(() => cluster?.destroy());

// Independent of one another, and mostly waiting: they share the cluster at the same time.
describe('workloads', { concurrency: 6 }, () => {
  environmentTests(() => cluster);
  lifecycleTests(() => cluster);
  controllerTests(() => cluster);
  imageTests(() => cluster);
  clientLibraryTests(() => cluster);
  guestbookTests(() => cluster);
  commandTests(() => cluster);
  terminalTests(() => cluster);
});
describe('nodes', () => {
  nodeCommandTests(() => cluster);
  nodeTests(() => cluster);
});
