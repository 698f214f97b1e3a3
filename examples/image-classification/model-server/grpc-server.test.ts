import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, credentials, status } from '@grpc/grpc-js';
import type { Metadata, ServiceError } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { loadServingProtocol, SIGNATURE_DEF_MAP_URL } from '../protocol/protocol.js';
import type { PredictRequest } from '../protocol/protocol.js';
import { encodeContentTensor, encodeListTensor } from '../protocol/tensor.js';
import type { ModelServer } from './build.js';
import { references, startTestModelServer } from './testing.js';

const protocol = loadServingProtocol();
const SHAPE = [1, 96, 96, 3];
let server: ModelServer;
let client: Client;

before(async () => {
  server = await startTestModelServer({ podName: 'model-7' });
  client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure(), { 'grpc.enable_retries': 0 });
});
after(async () => {
  client.close();
  await server.stop();
});

function call<Request, Response>(
  method: MethodDefinition<Request, Response>,
  request: Request,
): Promise<{ response: Response; metadata: Metadata }> {
  return new Promise((resolve, reject) => {
    let metadata: Metadata;
    client
      .makeUnaryRequest(method.path, method.requestSerialize, method.responseDeserialize, request, (error, response) =>
        error === null && response !== undefined ? resolve({ response, metadata }) : reject(error),
      )
      .on('metadata', (received) => (metadata = received));
  });
}

function blank(shape: number[] = SHAPE): Float32Array {
  return new Float32Array(shape.reduce((product, side) => product * side, 1));
}

function request(change: Partial<PredictRequest> = {}): PredictRequest {
  const input = encodeContentTensor({ shape: SHAPE, data: blank() });
  return { model_spec: { name: 'clothing-model' }, inputs: { input }, ...change };
}

async function refusal(change: Partial<PredictRequest>): Promise<ServiceError> {
  const error: unknown = await call(protocol.predict, request(change)).then(
    () => assert.fail('the call was accepted'),
    (failure: unknown) => failure,
  );
  return error as ServiceError;
}

test('a batch of pictures gives the reference probabilities in float_val, and the pod in the metadata', async () => {
  const pictures = references().slice(0, 3);
  const data = new Float32Array(3 * 27648);
  for (const [index, picture] of pictures.entries()) data.set(picture.input, index * 27648);
  const input = encodeContentTensor({ shape: [3, 96, 96, 3], data });
  const { response, metadata } = await call(protocol.predict, request({ inputs: { input } }));
  assert.deepEqual(metadata.get('x-pod-name'), ['model-7']);
  assert.deepEqual(response.model_spec?.name, 'clothing-model');
  assert.equal(response.model_spec?.version?.value, 1);
  assert.equal(response.model_spec?.signature_name, 'serving_default');
  const output = response.outputs['probabilities'];
  assert.deepEqual(
    output?.tensor_shape?.dim.map((dim) => dim.size),
    [3, 10],
  );
  const expected = pictures.flatMap((picture) => picture.probabilities);
  for (const [index, value] of (output?.float_val ?? []).entries()) {
    assert.ok(Math.abs(value - (expected[index] ?? Number.NaN)) < 1e-3);
  }
  assert.equal(output?.float_val?.length, 30);
});

test('elements may come in float_val, where the last one fills the rest', async () => {
  const input = {
    ...encodeListTensor({ shape: SHAPE, data: Float32Array.of(0) }),
    tensor_shape: { dim: SHAPE.map((size) => ({ size })) },
  };
  const filled = await call(protocol.predict, request({ inputs: { input } }));
  const zeros = await call(protocol.predict, request());
  assert.deepEqual(filled.response.outputs, zeros.response.outputs);
});

test('an unknown model, version, label or signature is refused with TensorFlow Serving codes and words', async () => {
  const cases: [PredictRequest['model_spec'], number, string][] = [
    [{ name: 'shoes' }, status.NOT_FOUND, 'Servable not found for request: Latest(shoes)'],
    [
      { name: 'clothing-model', version: { value: 9 } },
      status.NOT_FOUND,
      'Servable not found for request: Specific(clothing-model, 9)',
    ],
    [{ name: '' }, status.INVALID_ARGUMENT, 'ModelSpec has no name specified.'],
    [null, status.INVALID_ARGUMENT, 'Missing ModelSpec'],
    [{ name: 'clothing-model', version_label: 'x' }, status.INVALID_ARGUMENT, 'Unrecognized servable version label: x'],
    [
      { name: 'clothing-model', signature_name: 'toString' },
      status.FAILED_PRECONDITION,
      'Serving signature key "toString" not found.',
    ],
  ];
  for (const [model_spec, code, details] of cases) {
    const error = await refusal({ model_spec });
    assert.deepEqual([error.code, error.details], [code, details]);
  }
});

test('a wrong name, dtype, shape, length or batch is an INVALID_ARGUMENT that says what was expected', async () => {
  const content = (shape: number[]): PredictRequest['inputs'][string] =>
    encodeContentTensor({ shape, data: blank(shape) });
  const claim = (size: number) => ({
    dtype: 'DT_FLOAT',
    tensor_shape: { dim: [{ size }, { size: 96 }, { size: 96 }, { size: 3 }] },
    float_val: [0],
  });
  const cases: [PredictRequest['inputs'], RegExp][] = [
    [
      { images: content(SHAPE) },
      /^input tensor alias not found in signature: images\. Inputs expected to be in the set \{input\}\.$/,
    ],
    [{}, /^input size does not match signature: 0!=1\. Missing but required: \{input\}\.$/],
    [{ input: { ...content(SHAPE), dtype: 'DT_UINT8' } }, /expects arg\[0\] to be float but uint8 is provided/],
    [{ input: content([1, 32, 32, 3]) }, /has shape \[1,32,32,3\], the signature expects \[-1,96,96,3\]/],
    [{ input: content([96, 96, 3]) }, /has shape \[96,96,3\]/],
    [{ input: { ...content(SHAPE), tensor_shape: null } }, /has shape \[\?\]/],
    [{ input: { ...content(SHAPE), tensor_content: Buffer.alloc(8) } }, /^tensor parsing error: input$/],
    [{ input: claim(1e12) }, /holds 1000000000000 pictures, a batch has from 1 to 32/],
    [{ input: claim(0) }, /holds 0 pictures/],
    [{ input: claim(-1) }, /holds -1 pictures/],
  ];
  for (const [inputs, details] of cases) {
    const error = await refusal({ inputs });
    assert.equal(error.code, status.INVALID_ARGUMENT);
    assert.match(error.details, details);
  }
});

test('an output filter chooses outputs and refuses unknown and repeated ones', async () => {
  const { response } = await call(protocol.predict, request({ output_filter: ['probabilities'] }));
  assert.deepEqual(Object.keys(response.outputs), ['probabilities']);
  assert.match((await refusal({ output_filter: ['x'] })).details, /output tensor alias not found in signature: x/);
  assert.match(
    (await refusal({ output_filter: ['probabilities', 'probabilities'] })).details,
    /duplicate output tensor alias/,
  );
});

test('a message above the limit is refused and the server goes on', async () => {
  const input = { dtype: 'DT_FLOAT', tensor_shape: null, tensor_content: Buffer.alloc(8 * 1024 * 1024) };
  assert.equal((await refusal({ inputs: { input } })).code, status.RESOURCE_EXHAUSTED);
  assert.equal((await call(protocol.predict, request())).response.outputs['probabilities']?.float_val?.length, 10);
});

test('GetModelMetadata describes the signature: names, type and shapes', async () => {
  const { response } = await call(protocol.getModelMetadata, {
    model_spec: { name: 'clothing-model' },
    metadata_field: ['signature_def'],
  });
  const any = response.metadata['signature_def'];
  assert.equal(any?.type_url, SIGNATURE_DEF_MAP_URL);
  const signature = protocol.signatureDefMap.deserialize(any?.value ?? Buffer.alloc(0)).signature_def[
    'serving_default'
  ];
  assert.deepEqual(
    signature?.inputs['input']?.tensor_shape?.dim.map((dim) => dim.size),
    [-1, 96, 96, 3],
  );
  assert.deepEqual(
    signature?.outputs['probabilities']?.tensor_shape?.dim.map((dim) => dim.size),
    [-1, 10],
  );
  assert.equal(signature?.inputs['input']?.dtype, 'DT_FLOAT');
  for (const metadata_field of [[], ['weights']]) {
    await assert.rejects(call(protocol.getModelMetadata, { model_spec: { name: 'clothing-model' }, metadata_field }), {
      code: 3,
    });
  }
});

test('GetModelStatus tells AVAILABLE, and NOT_FOUND for what is not there', async () => {
  const known = await call(protocol.getModelStatus, { model_spec: { name: 'clothing-model' } });
  assert.deepEqual(known.response.model_version_status[0]?.state, 'AVAILABLE');
  await assert.rejects(call(protocol.getModelStatus, { model_spec: { name: 'x' } }), {
    code: status.NOT_FOUND,
    details: 'Could not find any versions of model x',
  });
});
