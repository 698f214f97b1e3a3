import { assetPath } from '../assets.js';
import { eventually } from '../../../shared/clock/eventually.js';
import { addressPolicy } from './address-policy.js';
import { buildGateway } from './build.js';
import type { Gateway, GatewayOptions } from './build.js';
import { CLOTHING_CLASSES } from './classes.js';

const MEBIBYTE = 1024 * 1024;

/** A real gateway on a free loopback port, ready when this resolves unless `waitReady` is false. */
export async function startTestGateway(
  grpcPort: number,
  options: Partial<GatewayOptions> & { waitReady?: boolean } = {},
): Promise<Gateway & { url: string }> {
  const gateway = await buildGateway({
    host: '127.0.0.1',
    port: 0,
    podName: 'gateway-0',
    target: { host: '127.0.0.1', port: grpcPort },
    modelName: 'clothing-model',
    classes: CLOTHING_CLASSES,
    isAllowedAddress: addressPolicy({ clusterRanges: ['10.244.0.0/16', '10.96.0.0/12'], allowedRanges: [] }),
    pageFolder: assetPath(import.meta.url, 'page'),
    samplesFolder: assetPath(import.meta.url, 'samples'),
    maxPictureBytes: 10 * MEBIBYTE,
    maxPixels: 50e6,
    memoryBytes: 512 * MEBIBYTE,
    fetchTimeoutMs: 2000,
    drainMs: 0,
    log: () => undefined,
    ...options,
  });
  if (options.waitReady !== false) {
    await eventually(() => {
      if (!gateway.isReady()) throw new Error('the gateway has not learnt the model');
    });
  }
  return { ...gateway, url: `http://127.0.0.1:${gateway.port}` };
}
