import { after, before } from 'node:test';
import { ComposeCluster } from './compose/compose-cluster.js';
import { composeTests } from './compose/whole-compose.js';
import { laterEngine, laterProgram } from './lab/later-debian.js';

let cluster: ComposeCluster;
before(async () => {
  const plugin = laterProgram('usr/libexec/docker/cli-plugins/docker-compose');
  cluster = await ComposeCluster.start({ plugin, engine: { programs: laterEngine() } });
});
after(() => cluster?.destroy());

composeTests(() => cluster);
