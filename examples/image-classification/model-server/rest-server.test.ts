import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FakeClock } from '../../../shared/clock/fake-clock.js';
import type { ModelServer } from './build.js';
import { decimal } from './json-tensor.js';
import { references, startTestModelServer } from './testing.js';

let server: ModelServer;
let base: string;

before(async () => {
  server = await startTestModelServer();
  base = `http://127.0.0.1:${server.restPort}`;
});
after(() => server.stop());

async function fetchJson(
  path: string,
  init?: RequestInit,
): Promise<{ status: number; body: Record<string, unknown>; text: string }> {
  const response = await fetch(base + path, init);
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text) as Record<string, unknown>, text };
}

function predict(body: unknown, path = '/v1/models/clothing-model:predict'): ReturnType<typeof fetchJson> {
  return fetchJson(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
}

/** A picture as nested rows, columns and channels. */
function nested(values: Float32Array, size = 96): number[][][] {
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) =>
      Array.from(values.subarray((row * size + column) * 3, (row * size + column) * 3 + 3)),
    ),
  );
}

test('row and column formats give the reference probabilities, named or plain', async () => {
  const [reference] = references();
  assert.ok(reference !== undefined);
  const picture = nested(reference.input);
  const bodies: [unknown, string][] = [
    [{ instances: [picture] }, 'predictions'],
    [{ signature_name: 'serving_default', instances: [{ input: picture }] }, 'predictions'],
    [{ inputs: [picture] }, 'outputs'],
    [{ inputs: { input: [picture] } }, 'outputs'],
  ];
  for (const [body, key] of bodies) {
    const answer = await predict(body, '/v1/models/clothing-model/versions/1:predict');
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Object.keys(answer.body), [key]);
    const [row] = answer.body[key] as number[][];
    for (const [label, expected] of reference.probabilities.entries()) {
      assert.ok(Math.abs((row?.[label] ?? Number.NaN) - expected) < 1e-3);
    }
  }
});

test('the answer names the pod', async () => {
  const response = await fetch(`${base}/v1/models/clothing-model`);
  assert.equal(response.headers.get('x-pod-name'), 'model-0');
});

test('status and metadata are the JSON forms of their messages', async () => {
  const status = await fetchJson('/v1/models/clothing-model/versions/1');
  assert.deepEqual(status.body, {
    model_version_status: [{ version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } }],
  });
  const metadata = (await fetchJson('/v1/models/clothing-model/metadata')).text;
  const document = JSON.parse(metadata) as {
    model_spec: object;
    metadata: {
      signature_def: {
        signature_def: Record<string, { inputs: Record<string, { tensor_shape: { dim: { size: string }[] } }> }>;
      };
    };
  };
  assert.deepEqual(document.model_spec, { name: 'clothing-model', signature_name: '', version: '1' });
  const input = document.metadata.signature_def.signature_def['serving_default']?.inputs['input'];
  assert.deepEqual(
    input?.tensor_shape.dim.map((dim) => dim.size),
    ['-1', '96', '96', '3'],
  );
});

test('mistakes are answered with the status and words of TensorFlow Serving', async () => {
  const cases: [unknown, number, RegExp][] = [
    ['', 400, /^JSON Parse error: The document is empty$/],
    ['{', 400, /^JSON Parse error: /],
    ['[1]', 400, /Is not object$/],
    [{}, 400, /^Missing 'inputs' or 'instances' key$/],
    [{ instances: [1], inputs: [1] }, 400, /expecting only one of 'inputs' or 'instances' keys/],
    [{ instances: 'invalid' }, 400, /Excepting 'instances' to be an list\/array/],
    [{ instances: [] }, 400, /No values in 'instances' array/],
    [{ instances: [], signature_name: 3 }, 400, /'signature_name' key must be a string value/],
    [{ instances: [], signature_name: 'x' }, 400, /^Serving signature name: "x" not found in signature def$/],
    [{ instances: [{ image: [1] }] }, 400, /does not have named input: image/],
    [{ instances: [{}] }, 400, /keys must be equal to: input/],
    [
      { instances: [[1, 2], [1]] },
      400,
      /element: 1 of 'instances' list\. Error: INVALID_ARGUMENT: Expecting tensor size: 2 but got: 1/,
    ],
    [{ instances: [['a']] }, 400, /JSON Value: \\?"a\\?" Type: String is not of expected type: float/],
    [{ instances: [[1], { input: [1] }] }, 400, /Expecting value\/list but got object at item 1/],
    [{ instances: [{ input: [1] }, [1]] }, 400, /Expecting object but got list at item 1/],
    [{ inputs: [[1, [2]]] }, 400, /Encountered list at unexpected level: 2 expected < 2/],
    [{ inputs: [[[1]], 2] }, 400, /found at incorrect level: 2 in the JSON DOM\. Expected at level: 3/],
    [{ inputs: [[1], [1, 2]] }, 400, /unexpected size: 2 at level: 1 expected size: 1/],
    [`{"inputs":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400, /Encountered list at unexpected level: 8/],
    [`{"x":${'['.repeat(100_000)}${']'.repeat(100_000)},"instances":1}`, 400, /nested too deeply to show/],
    [{ inputs: {} }, 400, /^Missing named input: input in 'inputs' object\.$/],
    [{ inputs: [[1]] }, 400, /has shape \[1,1\], the signature expects \[-1,96,96,3\]/],
  ];
  for (const [body, status, message] of cases) {
    const answer = await predict(body);
    assert.equal(answer.status, status, answer.text);
    assert.match(String(answer.body['error']), message);
  }
});

test('unknown models, versions and paths are told apart', async () => {
  const cases: [string, RequestInit, number, string][] = [
    ['/v1/models/half:predict', { method: 'POST', body: '{"instances":[1]}' }, 404, 'Servable not found for request: Latest(half)'],
    ['/v1/models/clothing-model/versions/2:predict', { method: 'POST', body: '{"instances":[1]}' }, 404, 'Servable not found for request: Specific(clothing-model, 2)'],
    ['/v1/models/half', {}, 404, 'Could not find any versions of model half'],
    ['/v1/models', {}, 400, 'Missing model name in request.'],
    ['/v1/models/clothing-model:predict', {}, 400, 'Malformed request: GET /v1/models/clothing-model:predict'],
    ['/nothing', {}, 400, 'Malformed request: GET /nothing'],
  ]; // prettier-ignore
  for (const [path, init, status, message] of cases) {
    const answer = await fetchJson(path, init);
    assert.deepEqual([answer.status, answer.body['error']], [status, message]);
  }
});

test('a body above the limit is refused', async () => {
  const answer = await predict(' '.repeat(32 * 27648 * 24 + 100_000));
  assert.equal(answer.status, 400);
  assert.match(String(answer.body['error']), /larger than/);
});

test('numbers are the shortest decimals that read back as the same float32', () => {
  assert.deepEqual(
    [0.2, 1, 0, 1e-7, 0.669074059].map((value) => decimal(Math.fround(value))),
    ['0.2', '1.0', '0.0', '1e-7', '0.669074059'],
  );
});

test('a server that was asked to stop reports itself not ready and still finishes calls', async () => {
  const clock = new FakeClock();
  const stopping = await startTestModelServer({ drainMs: 1000, clock });
  const [reference] = references();
  assert.ok(reference !== undefined);
  const url = `http://127.0.0.1:${stopping.restPort}`;
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  const stopped = stopping.stop();
  assert.equal((await fetch(`${url}/healthz`)).status, 503);
  const response = await fetch(`${url}/v1/models/clothing-model:predict`, {
    method: 'POST',
    body: JSON.stringify({ inputs: [nested(reference.input)] }),
  });
  assert.equal(response.status, 200);
  await clock.advance(1000);
  await stopped;
  await assert.rejects(fetch(`${url}/healthz`));
});
