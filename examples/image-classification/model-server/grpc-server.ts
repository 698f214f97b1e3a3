import { Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServiceError, UntypedServiceImplementation, handleUnaryCall } from '@grpc/grpc-js';
import { POD_NAME_HEADER } from '../identity.js';
import type { Log } from '../log.js';
import type { ServingProtocol } from '../protocol/protocol.js';
import type { ServingApi } from './serving-api.js';
import { servingCodes, toServingError } from './serving-error.js';

const MAX_CALLS_PER_CONNECTION = 64;

export interface GrpcServer {
  port: number;
  /** Refuses new calls, lets those under way finish, and cuts them off when the time is over. */
  stop(timeoutMs: number): Promise<void>;
}

/** Serves PredictionService and ModelService without TLS, as TensorFlow Serving does; every answer names the pod. */
export async function startGrpcServer(options: {
  api: ServingApi;
  protocol: ServingProtocol;
  host: string;
  port: number;
  podName: string;
  maxMessageBytes: number;
  log: Log;
}): Promise<GrpcServer> {
  const { api, protocol, log } = options;
  const server = new Server({
    'grpc.max_receive_message_length': options.maxMessageBytes,
    'grpc.max_concurrent_streams': MAX_CALLS_PER_CONNECTION,
    'grpc.max_send_message_length': options.maxMessageBytes,
  });
  const unary = <Request, Response>(call: (request: Request) => Response | Promise<Response>) =>
    unaryHandler(call, options.podName, log);
  const prediction: UntypedServiceImplementation = {
    Predict: unary(api.predict),
    GetModelMetadata: unary(api.getModelMetadata),
  };
  server.addService(protocol.predictionService, prediction);
  server.addService(protocol.modelService, { GetModelStatus: unary(api.getModelStatus) });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${options.host}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, stop: (timeoutMs) => stopServer(server, timeoutMs) };
}

function unaryHandler<Request, Response>(
  call: (request: Request) => Response | Promise<Response>,
  podName: string,
  log: Log,
): handleUnaryCall<Request, Response> {
  return (incoming, callback) => {
    const metadata = new Metadata();
    metadata.set(POD_NAME_HEADER, podName);
    incoming.sendMetadata(metadata);
    const run = async (): Promise<void> => {
      try {
        callback(null, await call(incoming.request));
      } catch (error) {
        const failure = toServingError(error);
        if (failure.code === 'INTERNAL') log('call failed', { method: incoming.getPath(), error: String(error) });
        const status: Partial<ServiceError> = { code: servingCodes[failure.code].grpc, details: failure.message };
        callback(status);
      }
    };
    void run();
  };
}

function stopServer(server: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), timeoutMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
