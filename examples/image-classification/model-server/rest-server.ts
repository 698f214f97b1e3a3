import Fastify from 'fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { POD_NAME_HEADER } from '../identity.js';
import type { Log } from '../log.js';
import { SIGNATURE_DEF_FIELD } from '../protocol/protocol.js';
import type {
  GetModelMetadataResponse,
  GetModelStatusResponse,
  ModelSpec,
  ServingProtocol,
  SignatureDef,
} from '../protocol/protocol.js';
import { shapeOf } from '../protocol/tensor.js';
import { parsePredictDocument, readTensors, writeTensors } from './json-tensor.js';
import type { ServingApi } from './serving-api.js';
import { ServingError, invalidArgument, servingCodes, toServingError } from './serving-error.js';

export interface RestServer {
  port: number;
  stop(): Promise<void>;
}

const PREDICT_PATH = /^\/v1\/models\/([^/:]+)(?:\/versions\/(\d+)|\/labels\/([^/:]+))?:(predict|classify|regress)$/i;
const METADATA_PATH = /^\/v1\/models\/([^/:]+)(?:\/versions\/(\d+)|\/labels\/([^/:]+))?\/metadata$/i;
const STATUS_PATH = /^\/v1\/models(?:\/([^/:]+))?(?:\/versions\/(\d+)|\/labels\/([^/:]+))?$/i;

/** Serves TensorFlow Serving's REST form of the calls, and /healthz for probes: 200 while `isReady`, then 503. */
export async function startRestServer(options: {
  api: ServingApi;
  protocol: ServingProtocol;
  host: string;
  port: number;
  podName: string;
  maxBodyBytes: number;
  isReady: () => boolean;
  log: Log;
}): Promise<RestServer> {
  const { api, protocol, log } = options;
  const app = Fastify({ logger: false, bodyLimit: options.maxBodyBytes, forceCloseConnections: 'idle' });
  app.removeAllContentTypeParsers();
  // TensorFlow Serving takes any content type: curl -d sends a form's.
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.addHook('onSend', async (_request, reply) => {
    reply.header(POD_NAME_HEADER, options.podName);
  });
  app.get('/healthz', async (_request, reply) =>
    reply.code(options.isReady() ? 200 : 503).send({ ready: options.isReady() }),
  );
  app.all('/v1/*', async (request, reply) => {
    const text = await answer(api, protocol, request);
    return reply.type('application/json').send(text);
  });
  app.setNotFoundHandler(async (request, reply) => sendError(reply, malformed(request)));
  app.setErrorHandler(async (error, request, reply) => {
    const failure = isTooLarge(error)
      ? new ServingError('INVALID_ARGUMENT', `the request is larger than ${options.maxBodyBytes} bytes`)
      : toServingError(error);
    if (failure.code === 'INTERNAL') log('call failed', { method: request.method, error: String(error) });
    return sendError(reply, failure);
  });
  await app.listen({ host: options.host, port: options.port });
  const address = app.server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    stop: () => app.close(),
  };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === 413;
}

function sendError(reply: FastifyReply, error: ServingError): FastifyReply {
  return reply
    .code(servingCodes[error.code].http)
    .type('application/json')
    .send(`{ "error": ${JSON.stringify(error.message)} }`);
}

function malformed(request: FastifyRequest): ServingError {
  return invalidArgument(`Malformed request: ${request.method} ${pathOf(request)}`);
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

function modelSpec(name: string | undefined, version: string | undefined, label: string | undefined): ModelSpec {
  if (name === undefined) throw invalidArgument('Missing model name in request.');
  const spec: ModelSpec = { name: safelyDecoded(name) };
  if (version !== undefined) {
    const value = Number(version);
    if (!Number.isSafeInteger(value)) throw invalidArgument(`Failed to convert version: ${version} to numeric.`);
    spec.version = { value };
  }
  if (label !== undefined) spec.version_label = label;
  return spec;
}

function safelyDecoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    // Not an encoding at all: then the bytes are the name.
    return name;
  }
}

async function answer(api: ServingApi, protocol: ServingProtocol, request: FastifyRequest): Promise<string> {
  const path = pathOf(request);
  const predict = request.method === 'POST' ? PREDICT_PATH.exec(path) : null;
  if (predict !== null) {
    const spec = modelSpec(predict[1], predict[2], predict[3]);
    if (predict[4]?.toLowerCase() !== 'predict') {
      throw invalidArgument(
        `Expected ${predict[4]} signature method_name to be tensorflow/serving/${predict[4]}. Was: tensorflow/serving/predict`,
      );
    }
    return predictFromJson(api, spec, typeof request.body === 'string' ? request.body : '');
  }
  const metadata = request.method === 'GET' ? METADATA_PATH.exec(path) : null;
  if (metadata !== null) {
    const spec = modelSpec(metadata[1], metadata[2], metadata[3]);
    return metadataJson(api.getModelMetadata({ model_spec: spec, metadata_field: [SIGNATURE_DEF_FIELD] }), protocol);
  }
  const status = request.method === 'GET' ? STATUS_PATH.exec(path) : null;
  if (status === null) throw malformed(request);
  return statusJson(api.getModelStatus({ model_spec: modelSpec(status[1], status[2], status[3]) }));
}

async function predictFromJson(api: ServingApi, spec: ModelSpec, body: string): Promise<string> {
  const { document, signatureName } = parsePredictDocument(body);
  const model_spec = { ...spec, signature_name: signatureName };
  const { inputs, format } = readTensors(document, api.signature(model_spec, 'rest'));
  const response = await api.predict({ model_spec, inputs });
  return writeTensors(response.outputs, format);
}

function statusJson(response: GetModelStatusResponse): string {
  const versions = response.model_version_status.map((entry) => ({
    version: String(entry.version),
    state: entry.state,
    status: { error_code: 'OK', error_message: entry.status.error_message },
  }));
  return `${JSON.stringify({ model_version_status: versions }, undefined, 1)}\n`;
}

/** In protobuf's JSON form: 64-bit numbers are strings, an Any carries its @type; the one metadata field keeps its name. */
function metadataJson(response: GetModelMetadataResponse, protocol: ServingProtocol): string {
  const any = response.metadata[SIGNATURE_DEF_FIELD];
  if (any === undefined) throw new Error('the metadata has no signature_def');
  const signatures = Object.entries(protocol.signatureDefMap.deserialize(any.value).signature_def);
  const document = {
    model_spec: {
      name: response.model_spec?.name,
      signature_name: '',
      version: String(response.model_spec?.version?.value),
    },
    metadata: {
      signature_def: {
        '@type': any.type_url,
        signature_def: Object.fromEntries(signatures.map(([name, signature]) => [name, signatureJson(signature)])),
      },
    },
  };
  return `${JSON.stringify(document, undefined, 1)}\n`;
}

function signatureJson(signature: SignatureDef): object {
  const tensors = (infos: SignatureDef['inputs']): object =>
    Object.fromEntries(
      Object.entries(infos).map(([name, info]) => {
        const dim = (shapeOf(info.tensor_shape) ?? []).map((size) => ({ size: String(size), name: '' }));
        return [name, { dtype: info.dtype, tensor_shape: { dim, unknown_rank: false }, name: info.name }];
      }),
    );
  return { inputs: tensors(signature.inputs), outputs: tensors(signature.outputs), method_name: signature.method_name };
}
