import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { systemClock } from '../../../shared/clock/clock.js';
import { assetPath } from '../assets.js';
import { loadServingProtocol } from '../protocol/protocol.js';
import { shapeProto } from '../protocol/tensor.js';
import { startTestModelServer } from '../model-server/testing.js';
import type { ModelServer } from '../model-server/build.js';
import type { Servable } from '../model-server/servable.js';
import { ServingError } from '../model-server/serving-error.js';
import { probabilities } from './classes.js';
import type { Prediction } from './classifier.js';
import { modelClient } from './model-client.js';
import type { ModelClient } from './model-client.js';
import { modelContract } from './model-contract.js';
import { ModelConnections, parseTarget } from './model-connections.js';
import { startTestGateway } from './testing.js';

const PICTURE = new Float32Array(27648);
const protocol = loadServingProtocol();
/** Does not wait between attempts. */
const IMPATIENT = { ...systemClock, sleep: async () => undefined };
const models: ModelServer[] = [];

before(async () => {
  models.push(await startTestModelServer({ podName: 'model-0' }), await startTestModelServer({ podName: 'model-1' }));
});
after(async () => {
  await Promise.all(models.map((model) => model.stop()));
});

/** A client of a Service with a cluster address: each connection goes where `route` says. */
async function clientOf(
  context: TestContext,
  route: (socket: Socket, count: number) => void,
  options: { spares: number; attemptTimeoutMs?: number },
): Promise<ModelClient> {
  const { server, port } = await listen(context, route);
  const connections = new ModelConnections({
    target: { host: 'model.default.svc', port },
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    clock: systemClock,
    spares: options.spares,
  });
  context.after(() => {
    connections.close();
    server.close();
  });
  return modelClient({
    connections,
    protocol,
    modelName: 'clothing-model',
    clock: IMPATIENT,
    attemptTimeoutMs: options.attemptTimeoutMs ?? 5000,
  });
}

async function listen(
  context: TestContext,
  route: (socket: Socket, count: number) => void,
): Promise<{ server: Server; port: number }> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    route(socket, count++);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => sockets.forEach((socket) => socket.destroy()));
  return { server, port: (server.address() as AddressInfo).port };
}

/** Connects a socket to a model server, in turn. */
function toModel(socket: Socket, index: number): void {
  const port = models[index % models.length]?.grpcPort ?? 0;
  const target = connect(port, '127.0.0.1').on('error', () => socket.destroy());
  socket.pipe(target).pipe(socket);
  socket.on('close', () => target.destroy());
}

test('requests through one address reach all pods, as each has a connection of its own', async (context) => {
  const client = await clientOf(context, toModel, { spares: 2 });
  const contract = await client.learnContract();
  const pods = new Map<string | undefined, number>();
  for (let request = 0; request < 20; request++) {
    const { podName, attempts } = await client.predict(contract, PICTURE);
    assert.equal(attempts, 1);
    pods.set(podName, (pods.get(podName) ?? 0) + 1);
  }
  assert.deepEqual(new Set(pods.keys()), new Set(['model-0', 'model-1']));
  assert.ok(
    [...pods.values()].every((count) => count >= 5),
    JSON.stringify([...pods]),
  );
});

test('the addresses of a headless Service are used in turn, and go on being used while DNS is away', async () => {
  let isDnsAway = false;
  let now = 0;
  const target = { host: 'model', port: models[0]?.grpcPort ?? 0 };
  const resolve = async (): Promise<{ address: string; family: number }[]> => {
    if (isDnsAway) throw new Error('EAI_AGAIN');
    return [{ address: '127.0.0.1', family: 4 }];
  };
  const connections = new ModelConnections({
    target,
    resolve,
    clock: { ...systemClock, monotonic: () => now },
    spares: 1,
  });
  const client = modelClient({ connections, protocol, modelName: 'clothing-model', clock: systemClock });
  const contract = await client.learnContract();
  isDnsAway = true;
  now = 60_000;
  assert.equal((await client.predict(contract, PICTURE)).podName, 'model-0');
  connections.close();
});

test('a call that meets a dead pod is made again on a fresh connection', async (context) => {
  let isNextDead = false;
  const route = (socket: Socket, count: number): void => {
    if (isNextDead) socket.destroy();
    else toModel(socket, count);
    isNextDead = false;
  };
  const client = await clientOf(context, route, { spares: 0 });
  const contract = await client.learnContract();
  const attempts = new Set<number>();
  for (let request = 0; request < 5; request++) {
    isNextDead = true;
    attempts.add((await client.predict(contract, PICTURE)).attempts);
    assert.equal(isNextDead, false);
  }
  // gRPC itself dials again, within one attempt, where it had not begun to send before the connection was gone.
  attempts.delete(1);
  assert.deepEqual([...attempts], [2]);
});

test('a call whose pod dies with half of the picture read is made again as well', async (context) => {
  let isNextDying = false;
  const route = (socket: Socket, count: number): void => {
    toModel(socket, count);
    let received = 0;
    if (isNextDying) socket.on('data', (chunk) => ((received += chunk.length) > 30_000 ? socket.destroy() : undefined));
    isNextDying = false;
  };
  const client = await clientOf(context, route, { spares: 0 });
  const contract = await client.learnContract();
  for (let request = 0; request < 5; request++) {
    isNextDying = true;
    assert.equal((await client.predict(contract, PICTURE)).attempts, 2);
  }
});

test('a pod that takes a request and never answers costs one attempt, not the request', async (context) => {
  const route = (socket: Socket, count: number): void => {
    if (count === 1) socket.resume();
    else toModel(socket, count);
  };
  const client = await clientOf(context, route, { spares: 0, attemptTimeoutMs: 2_000 });
  const contract = await client.learnContract();
  assert.equal((await client.predict(contract, PICTURE)).attempts, 2);
});

test('only the first attempt may use a connection opened in advance: a spare may lead to the same dead pod', async () => {
  const used: string[] = [];
  const refuse = (kind: string) => async (): Promise<never> => {
    used.push(kind);
    throw new Error('refused');
  };
  const connections = { take: refuse('spare or new'), open: refuse('new') };
  const client = modelClient({ connections, protocol, modelName: 'clothing-model', clock: IMPATIENT });
  await assert.rejects(client.learnContract(), { status: 503 });
  assert.deepEqual(used, ['spare or new', ...Array.from({ length: 7 }, () => 'new')]);
});

test('when nobody answers the caller is told so with a 503, after eight attempts', async (context) => {
  let count = 0;
  const client = await clientOf(
    context,
    (socket) => {
      count++;
      socket.destroy();
    },
    { spares: 0 },
  );
  await assert.rejects(client.learnContract(), {
    status: 503,
    message: 'No model server answers at the moment, try again soon.',
  });
  assert.equal(count, 8);
});

const CONTRACT = {
  name: 'm',
  version: 1,
  signature: 'serving_default',
  input: 'input_8',
  output: 'dense_7',
  height: 299,
  width: 299,
};

function xception(predict: Servable['predict']): Servable {
  const input = { name: 'serving_default_input_8:0', dtype: 'DT_FLOAT', tensor_shape: shapeProto([-1, 299, 299, 3]) };
  const output = { name: 'StatefulPartitionedCall:0', dtype: 'DT_FLOAT', tensor_shape: shapeProto([-1, 10]) };
  const signature = {
    inputs: { input_8: input },
    outputs: { dense_7: output },
    method_name: 'tensorflow/serving/predict',
  };
  return { name: 'clothing-model', version: 1, signatures: { serving_default: signature }, predict };
}

test("the course's own model works too: other names, 299x299, logits", async () => {
  const logits = Float32Array.of(-1.88, -4.76, -2.36, -1.09, 9.9, -2.83, -3.65, 3.24, -2.61, -4.85);
  const seen: number[][] = [];
  const servable = xception(async (batch) => {
    seen.push(batch.shape);
    assert.ok(batch.data.every((value) => value >= -1 && value <= 1));
    return { shape: [1, 10], data: logits };
  });
  const model = await startTestModelServer({ servable });
  const gateway = await startTestGateway(model.grpcPort);
  const body = readFileSync(join(assetPath(import.meta.url, 'samples'), 'pants-1.jpg'));
  const post = (path: string): Promise<Response> =>
    fetch(gateway.url + path, { method: 'POST', body, headers: { 'content-type': 'image/jpeg' } });
  const answer = (await (await post('/predict')).json()) as Prediction;
  assert.equal(answer.prediction, 'pants');
  assert.ok(answer.probability > 0.99 && answer.probability < 1);
  const scores = (await (await post('/predict?shape=scores')).json()) as Record<string, number>;
  assert.equal(scores['pants'], logits[4]);
  assert.deepEqual(seen[0], [1, 299, 299, 3]);
  await gateway.stop();
  await model.stop();
});

test('a refusal by the model server is passed on once, without another attempt', async () => {
  let calls = 0;
  const servable = xception(async () => {
    calls++;
    throw new ServingError('INVALID_ARGUMENT', 'bad picture');
  });
  const model = await startTestModelServer({ servable });
  const connections = new ModelConnections({
    target: { host: '127.0.0.1', port: model.grpcPort },
    resolve: async (address) => [{ address, family: 4 }],
    clock: systemClock,
    spares: 0,
  });
  const client = modelClient({ connections, protocol, modelName: 'clothing-model', clock: systemClock });
  const predicted = client.predict(CONTRACT, new Float32Array(299 * 299 * 3));
  await assert.rejects(predicted, { status: 502, message: 'The model server refuses the request: bad picture' });
  assert.equal(calls, 1);
  connections.close();
  await model.stop();
});

test('a model that does not take RGB pictures is told apart', () => {
  const response = (signature_def: Parameters<typeof protocol.signatureDefMap.serialize>[0]['signature_def']) => ({
    model_spec: { name: 'm' },
    metadata: { signature_def: { type_url: '', value: protocol.signatureDefMap.serialize({ signature_def }) } },
  });
  const info = (dtype: string, shape: number[]) => ({ name: '', dtype, tensor_shape: shapeProto(shape) });
  const outputs = { y: info('DT_FLOAT', [-1, 10]) };
  const read = (inputs: Record<string, ReturnType<typeof info>>) => (): unknown =>
    modelContract(response({ serving_default: { inputs, outputs, method_name: '' } }), protocol);
  assert.throws(read({ x: info('DT_STRING', [-1]) }), /the input x is DT_STRING \[-1\], not DT_FLOAT/);
  assert.throws(read({ x: info('DT_FLOAT', [-1, 96, 96, 1]) }), /not DT_FLOAT \[-1,height,width,3\]/);
  assert.throws(read({ x: info('DT_FLOAT', [-1, 9, 9, 3]), z: info('DT_FLOAT', [-1, 9, 9, 3]) }), /2 inputs, not one/);
  assert.throws(() => modelContract(response({}), protocol), /no signature serving_default/);
});

test('scores are kept when they are probabilities and turned into them when they are logits', () => {
  assert.deepEqual(probabilities([0.25, 0.75]), [0.25, 0.75]);
  const [low = 0, high = 0] = probabilities([0, 1000]);
  assert.ok(low === 0 && high === 1);
  assert.ok(probabilities([-0.5, 1.5]).every((value) => value > 0));
});

test('TF_SERVING_HOST is a host and a port', () => {
  assert.deepEqual(parseTarget('tf-serving-clothing-model.default.svc.cluster.local:8500'), {
    host: 'tf-serving-clothing-model.default.svc.cluster.local',
    port: 8500,
  });
  assert.deepEqual(parseTarget('dns:///model:1'), { host: 'model', port: 1 });
  assert.deepEqual(parseTarget('[::1]:8500'), { host: '::1', port: 8500 });
  for (const text of ['model', 'model:', 'model:0', 'model:99999', 'http://model:80', ''])
    assert.throws(() => parseTarget(text), /must be a host and a port/);
});
