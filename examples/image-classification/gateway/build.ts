import { lookup } from 'node:dns/promises';
import sharp from 'sharp';
import { systemClock } from '../../../shared/clock/clock.js';
import type { Clock } from '../../../shared/clock/clock.js';
import type { Log } from '../log.js';
import { loadServingProtocol } from '../protocol/protocol.js';
import type { AddressPolicy } from './address-policy.js';
import { ByteBudget } from './byte-budget.js';
import { classifier } from './classifier.js';
import { ContractWatch } from './contract-watch.js';
import { modelClient } from './model-client.js';
import { ModelConnections } from './model-connections.js';
import { readPageFiles } from './page-files.js';
import { pictureFetch } from './picture-fetch.js';
import { gatewayServer } from './server.js';

export interface GatewayOptions {
  host: string;
  port: number;
  podName: string;
  target: { host: string; port: number };
  modelName: string;
  classes: readonly string[];
  isAllowedAddress: AddressPolicy;
  pageFolder: string;
  samplesFolder: string;
  maxPictureBytes: number;
  maxPixels: number;
  /** The pod's memory; what requests may hold is measured by it. */
  memoryBytes: number;
  fetchTimeoutMs: number;
  drainMs: number;
  log: Log;
  clock?: Clock;
  resolve?: (hostname: string) => Promise<{ address: string; family: number }[]>;
}

export interface Gateway {
  port: number;
  /** Whether the model's contract has been learnt, that is, whether pictures can be classified. */
  isReady(): boolean;
  /** Reports itself not ready, serves on for `drainMs`, then lets the requests under way finish. */
  stop(): Promise<void>;
}

const SPARE_CONNECTIONS = 2;
const MAX_IN_FLIGHT = 64;
const MAX_REDIRECTS = 4;
const BYTES_PER_BUFFERED_PIXEL = 4;

/** Starts the gateway; it answers at once and becomes ready when a model server has told it what it serves. */
export async function buildGateway(options: GatewayOptions): Promise<Gateway> {
  const { log, podName } = options;
  const clock = options.clock ?? systemClock;
  const resolve = options.resolve ?? ((hostname: string) => lookup(hostname, { all: true, verbatim: true }));
  // One thread a picture and no cache: many small pictures, little memory.
  sharp.concurrency(1);
  sharp.cache(false);
  const protocol = loadServingProtocol();
  const connections = new ModelConnections({ target: options.target, resolve, clock, spares: SPARE_CONNECTIONS });
  const client = modelClient({ connections, protocol, modelName: options.modelName, clock });
  const watch = new ContractWatch();
  const share = Math.floor(options.memoryBytes / 4);
  const limits = { maxPixels: options.maxPixels, maxBufferedPixels: Math.floor(share / BYTES_PER_BUFFERED_PIXEL) };
  const stopping = new AbortController();
  const server = await gatewayServer({
    classify: classifier({ client, watch, limits, classes: options.classes, podName, clock }),
    fetchPicture: pictureFetch({
      resolve, isAllowed: options.isAllowedAddress, maxBytes: options.maxPictureBytes,
      timeoutMs: options.fetchTimeoutMs, maxRedirects: MAX_REDIRECTS,
    }),
    page: readPageFiles(options.pageFolder),
    samples: readPageFiles(options.samplesFolder),
    budget: new ByteBudget(share),
    podName,
    maxPictureBytes: options.maxPictureBytes,
    maxInFlight: MAX_IN_FLIGHT,
    isReady: () => watch.contract !== undefined,
    isDraining: () => stopping.signal.aborted,
    log,
  }); // prettier-ignore
  await server.listen({ host: options.host, port: options.port });
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  log('serving', { port, pod: podName, modelServer: `${options.target.host}:${options.target.port}` });
  const watching = watch.run({ client, clock, log, signal: stopping.signal });
  return {
    port,
    isReady: () => watch.contract !== undefined,
    async stop() {
      stopping.abort();
      log('draining', { drainMs: options.drainMs });
      await clock.sleep(options.drainMs);
      await server.close();
      await watching;
      connections.close();
      log('stopped');
    },
  };
}
