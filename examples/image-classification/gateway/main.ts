import { once } from 'node:events';
import { totalmem } from 'node:os';
import { assetPath } from '../assets.js';
import { podName } from '../identity.js';
import { jsonLog } from '../log.js';
import { runProcess } from '../../../shared/lifecycle/process.js';
import { integerSetting, listSetting } from '../settings.js';
import { addressPolicy } from './address-policy.js';
import { buildGateway } from './build.js';
import { CLOTHING_CLASSES } from './classes.js';
import { parseTarget } from './model-connections.js';

const MEBIBYTE = 1024 * 1024;
const MAX_MEMORY_BYTES = 1024 * MEBIBYTE;

await runProcess(async (signal) => {
  const environment = process.env;
  const megabytes = integerSetting(environment, 'MAX_PICTURE_MB', 10, { minimum: 1, maximum: 100 });
  const megapixels = integerSetting(environment, 'MAX_MEGAPIXELS', 50, { minimum: 1, maximum: 1000 });
  const server = await buildGateway({
    host: '0.0.0.0',
    port: integerSetting(environment, 'PORT', 9696, { minimum: 1, maximum: 65535 }),
    podName: podName(environment),
    target: parseTarget(environment['TF_SERVING_HOST'] || 'localhost:8500'),
    modelName: environment['MODEL_NAME'] || 'clothing-model',
    classes: listSetting(environment, 'CLASSES', CLOTHING_CLASSES),
    isAllowedAddress: addressPolicy({
      clusterRanges: listSetting(environment, 'CLUSTER_CIDRS', ['10.244.0.0/16', '10.96.0.0/12']),
      allowedRanges: listSetting(environment, 'FETCH_ALLOWED_CIDRS', []),
    }),
    pageFolder: assetPath(import.meta.url, 'page'),
    samplesFolder: assetPath(import.meta.url, 'samples'),
    maxPictureBytes: megabytes * MEBIBYTE,
    maxPixels: megapixels * 1e6,
    // The cgroup's limit; an absurdly large number where there is none.
    memoryBytes: Math.min(process.constrainedMemory() || totalmem(), totalmem(), MAX_MEMORY_BYTES),
    fetchTimeoutMs: integerSetting(environment, 'FETCH_TIMEOUT_MS', 10_000, { minimum: 100, maximum: 60_000 }),
    drainMs: integerSetting(environment, 'DRAIN_MS', 3000, { minimum: 0, maximum: 60_000 }),
    log: jsonLog('gateway'),
  });
  await once(signal, 'abort');
  await server.stop();
});
