import { systemClock } from '../../../shared/clock/clock.js';
import type { Clock } from '../../../shared/clock/clock.js';
import type { Log } from '../log.js';
import { loadServingProtocol } from '../protocol/protocol.js';
import { startGrpcServer } from './grpc-server.js';
import { startRestServer } from './rest-server.js';
import { createServingApi } from './serving-api.js';
import type { Servable } from './servable.js';

export interface ModelServerOptions {
  servable: Servable;
  podName: string;
  host: string;
  grpcPort: number;
  restPort: number;
  /** Pictures in one request. */
  maxBatch: number;
  /** How long to go on serving after a stop was asked for, until nobody sends requests here any more. */
  drainMs: number;
  log: Log;
  clock?: Clock;
}

export interface ModelServer {
  grpcPort: number;
  restPort: number;
  /** Reports itself not ready, serves on for `drainMs`, then lets the calls under way finish. */
  stop(): Promise<void>;
}

const STOP_TIMEOUT_MS = 10_000;
const MESSAGE_OVERHEAD_BYTES = 64 * 1024;
/** A number of a picture takes up to so many characters in JSON. */
const JSON_BYTES_PER_VALUE = 24;

/** Serves a model over gRPC and REST. */
export async function buildModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const { servable, podName, host, log } = options;
  const protocol = loadServingProtocol();
  const api = createServingApi({ servable, protocol, maxBatch: options.maxBatch });
  const values = options.maxBatch * valuesPerPicture(servable);
  let isReady = true;
  const grpc = await startGrpcServer({
    api, protocol, host, port: options.grpcPort, podName, log,
    maxMessageBytes: values * Float32Array.BYTES_PER_ELEMENT + MESSAGE_OVERHEAD_BYTES,
  }); // prettier-ignore
  const rest = await startRestServer({
    api, protocol, host, port: options.restPort, podName, log, isReady: () => isReady,
    maxBodyBytes: values * JSON_BYTES_PER_VALUE + MESSAGE_OVERHEAD_BYTES,
  }); // prettier-ignore
  log('serving', {
    model: servable.name,
    version: servable.version,
    grpcPort: grpc.port,
    restPort: rest.port,
    pod: podName,
  });
  return {
    grpcPort: grpc.port,
    restPort: rest.port,
    async stop() {
      isReady = false;
      log('draining', { drainMs: options.drainMs });
      await (options.clock ?? systemClock).sleep(options.drainMs);
      await Promise.all([grpc.stop(STOP_TIMEOUT_MS), rest.stop()]);
      log('stopped');
    },
  };
}

function valuesPerPicture(servable: Servable): number {
  const shapes = Object.values(servable.signatures).flatMap((signature) => Object.values(signature.inputs));
  const sizes = shapes.map((info) =>
    (info.tensor_shape?.dim ?? []).slice(1).reduce((product, dim) => product * dim.size, 1),
  );
  return Math.max(1, ...sizes);
}
