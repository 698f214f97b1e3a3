import { status } from '@grpc/grpc-js';
import type { Client, ServiceError } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import type { Clock } from '../../../shared/clock/clock.js';
import { POD_NAME_HEADER } from '../identity.js';
import { SIGNATURE_DEF_FIELD } from '../protocol/protocol.js';
import type { ServingProtocol } from '../protocol/protocol.js';
import { decodeFloats, encodeContentTensor, shapeOf } from '../protocol/tensor.js';
import { modelContract } from './model-contract.js';
import type { ModelContract } from './model-contract.js';
import type { ModelConnection, ModelConnections } from './model-connections.js';
import { RequestError } from './request-error.js';

export interface Scores {
  scores: number[];
  /** The pod that answered; undefined when the model server does not say, as the real TensorFlow Serving. */
  podName: string | undefined;
  attempts: number;
}

/** Asks a model server over gRPC. A call that a dying pod cut short is made again on a fresh connection. */
export interface ModelClient {
  /** An aborted signal ends the attempts. */
  learnContract(signal?: AbortSignal): Promise<ModelContract>;
  predict(contract: ModelContract, picture: Float32Array): Promise<Scores>;
}

/**
 * A dead pod's address stays in the Service for a second or two, and the Service picks at random: with one pod of three
 * dead, eight attempts over some seconds all meet it once in 6,561 times, were the address never removed.
 */
const ATTEMPTS = 8;
const ATTEMPT_TIMEOUT_MS = 8_000;
const TOTAL_TIMEOUT_MS = 20_000;
const FIRST_BACK_OFF_MS = 50;
const LONGEST_BACK_OFF_MS = 1_000;

/** What another pod may do better. Predict has no effects, so it may be repeated whatever became of the first call. */
const RETRIED = new Set<number>([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.CANCELLED,
  status.INTERNAL,
]);

export function modelClient(options: {
  connections: Pick<ModelConnections, 'take' | 'open'>;
  protocol: ServingProtocol;
  modelName: string;
  clock: Clock;
  attemptTimeoutMs?: number;
}): ModelClient {
  const { connections, protocol, clock } = options;
  const timeoutMs = options.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS;

  async function call<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    signal?: AbortSignal,
  ): Promise<Answer<Response>> {
    const start = clock.monotonic();
    for (let attempt = 1; ; attempt++) {
      let connection: ModelConnection | undefined;
      try {
        connection = attempt === 1 ? await connections.take() : await connections.open();
        await connection.connected();
        return { ...(await unaryCall(connection.client, method, request, timeoutMs)), attempts: attempt };
      } catch (error) {
        const isRetried = !isServiceError(error) || RETRIED.has(error.code);
        const isOver = attempt === ATTEMPTS || clock.monotonic() - start > TOTAL_TIMEOUT_MS;
        if (isOver || !isRetried) throw toRequestError(error);
      } finally {
        connection?.close();
      }
      await clock.sleep(Math.min(FIRST_BACK_OFF_MS * 2 ** (attempt - 1), LONGEST_BACK_OFF_MS), signal);
    }
  }

  return {
    async learnContract(signal) {
      const request = {
        model_spec: { name: options.modelName },
        metadata_field: [SIGNATURE_DEF_FIELD],
      };
      const answer = await call(protocol.getModelMetadata, request, signal);
      return modelContract(answer.response, protocol);
    },
    async predict(contract, picture) {
      const shape = [1, contract.height, contract.width, 3];
      const { response, podName, attempts } = await call(protocol.predict, {
        model_spec: { name: options.modelName, signature_name: contract.signature },
        inputs: { [contract.input]: encodeContentTensor({ shape, data: picture }) },
      });
      const output = response.outputs[contract.output];
      const outputShape = shapeOf(output?.tensor_shape ?? null);
      const scores = output === undefined || outputShape?.[0] !== 1 ? undefined : decodeFloats(output, outputShape);
      if (scores === undefined) throw new RequestError(502, 'The model server answered without scores.');
      return { scores: Array.from(scores), podName, attempts };
    },
  };
}

interface Answer<Response> {
  response: Response;
  podName: string | undefined;
  attempts: number;
}

function unaryCall<Request, Response>(
  client: Client,
  method: MethodDefinition<Request, Response>,
  request: Request,
  timeoutMs: number,
): Promise<{ response: Response; podName: string | undefined }> {
  return new Promise((resolve, reject) => {
    let podName: string | undefined;
    client
      .makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        { deadline: Date.now() + timeoutMs },
        (error, response) => {
          if (error === null && response !== undefined) resolve({ response, podName });
          else reject(error ?? new Error('the call ended without an answer'));
        },
      )
      .on('metadata', (metadata) => {
        const [value] = metadata.get(POD_NAME_HEADER);
        if (typeof value === 'string') podName = value;
      });
  });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}

function toRequestError(error: unknown): RequestError {
  if (!isServiceError(error) || RETRIED.has(error.code)) {
    return new RequestError(503, 'No model server answers at the moment, try again soon.');
  }
  return new RequestError(502, `The model server refuses the request: ${error.details}`);
}
