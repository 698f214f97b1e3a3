import { after, before } from 'node:test';
import { ComposeCluster } from './compose/compose-cluster.js';
import { composeTests } from './compose/whole-compose.js';

let cluster: ComposeCluster;
before(async () => {
  cluster = await ComposeCluster.start();
});
after(() => cluster?.destroy());

composeTests(() => cluster);
