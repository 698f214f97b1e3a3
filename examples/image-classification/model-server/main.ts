import { once } from 'node:events';
import { assetPath } from '../assets.js';
import { podName } from '../identity.js';
import { jsonLog } from '../log.js';
import { runProcess } from '../../../shared/lifecycle/process.js';
import { integerSetting } from '../settings.js';
import { buildModelServer } from './build.js';
import { readModelFile } from './inference/model-file.js';
import { buildNetwork } from './inference/network.js';
import { networkServable } from './servable.js';

const PORTS = { minimum: 1, maximum: 65535 };

await runProcess(async (signal) => {
  const environment = process.env;
  const { description, weights } = readModelFile(environment['MODEL_DIR'] || assetPath(import.meta.url, 'model'));
  const servable = networkServable({
    name: environment['MODEL_NAME'] || description.name,
    version: integerSetting(environment, 'MODEL_VERSION', 1, { minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    network: buildNetwork(description, weights),
  });
  const server = await buildModelServer({
    servable,
    podName: podName(environment),
    host: '0.0.0.0',
    grpcPort: integerSetting(environment, 'GRPC_PORT', 8500, PORTS),
    restPort: integerSetting(environment, 'REST_PORT', 8501, PORTS),
    maxBatch: integerSetting(environment, 'MAX_BATCH', 32, { minimum: 1, maximum: 256 }),
    drainMs: integerSetting(environment, 'DRAIN_MS', 3000, { minimum: 0, maximum: 60_000 }),
    log: jsonLog('model-server'),
  });
  await once(signal, 'abort');
  await server.stop();
});
