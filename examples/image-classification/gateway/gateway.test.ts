import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { eventually } from '../../../shared/clock/eventually.js';
import { FakeClock } from '../../../shared/clock/fake-clock.js';
import { assetPath } from '../assets.js';
import { references, startTestModelServer } from '../model-server/testing.js';
import type { ModelServer } from '../model-server/build.js';
import { CLOTHING_CLASSES } from './classes.js';
import type { Prediction } from './classifier.js';
import { startTestGateway } from './testing.js';

const samples = assetPath(import.meta.url, 'samples');
const hat = readFileSync(join(samples, 'hat-1.jpg'));
let model: ModelServer;
let gateway: Awaited<ReturnType<typeof startTestGateway>>;

before(async () => {
  model = await startTestModelServer({ podName: 'model-3' });
  gateway = await startTestGateway(model.grpcPort, { podName: 'gateway-5' });
});
after(async () => {
  await gateway.stop();
  await model.stop();
});

function post(body: NonNullable<RequestInit['body']>, type?: string, path = '/predict'): Promise<Response> {
  return fetch(gateway.url + path, {
    method: 'POST',
    body,
    ...(type === undefined ? {} : { headers: { 'content-type': type } }),
  });
}

async function refusal(response: Response): Promise<[number, string]> {
  const { error } = (await response.json()) as { error: string };
  assert.match(error, /^[A-Z].*\.$/s, 'an error is a sentence');
  return [response.status, error];
}

test('a picture is classified, and the answer says which pods did it', async () => {
  const response = await post(hat, 'image/jpeg');
  assert.equal(response.status, 200);
  const answer = (await response.json()) as Prediction;
  assert.equal(answer.prediction, 'hat');
  assert.equal(answer.gateway, 'gateway-5');
  assert.equal(answer.model_server, 'model-3');
  assert.deepEqual(answer.model, { name: 'clothing-model', version: 1 });
  assert.equal(Object.keys(answer.predictions).length, 10);
  const sum = Object.values(answer.predictions).reduce((left, right) => left + right, 0);
  assert.ok(Math.abs(sum - 1) < 1e-4);
  assert.equal(answer.predictions[answer.prediction], answer.probability);
  assert.equal(response.headers.get('x-gateway-pod-name'), 'gateway-5');
  assert.equal(response.headers.get('x-pod-name'), 'model-3');
});

test('a form with a file, PNG, WebP, GIF and AVIF give the same class; ?shape=scores gives the map of scores alone', async () => {
  const form = new FormData();
  form.append('picture', new Blob([hat]), 'hat.jpg');
  assert.equal(((await (await post(form)).json()) as Prediction).prediction, 'hat');
  for (const format of ['png', 'webp', 'gif', 'avif'] as const) {
    const bytes = await sharp(hat).toFormat(format).toBuffer();
    const answer = (await (await post(new Uint8Array(bytes), `image/${format}`)).json()) as Prediction;
    assert.equal(answer.prediction, 'hat', format);
  }
  const scores = (await (await post(hat, 'application/octet-stream', '/predict?shape=scores')).json()) as Record<
    string,
    number
  >;
  assert.deepEqual(Object.keys(scores), [
    'dress',
    'hat',
    'longsleeve',
    'outwear',
    'pants',
    'shirt',
    'shoes',
    'shorts',
    'skirt',
    't-shirt',
  ]);
});

test('every sample picture is listed, served, and gets the class that the reference has for it', async () => {
  const { samples: names } = (await (await fetch(`${gateway.url}/samples`)).json()) as { samples: string[] };
  const expected = new Map(references().map(({ picture, probabilities }) => [picture, probabilities]));
  assert.equal(names.length, 40);
  for (const name of names) {
    const picture = await fetch(`${gateway.url}/samples/${name}`);
    assert.equal(picture.headers.get('content-type'), 'image/jpeg');
    const answer = (await (await post(await picture.arrayBuffer(), 'image/jpeg')).json()) as Prediction;
    const reference = expected.get(name) ?? [];
    assert.equal(answer.prediction, CLOTHING_CLASSES[reference.indexOf(Math.max(...reference))], name);
    for (const [index, probability] of Object.values(answer.predictions).entries()) {
      // The reference was resized by another program; the pictures differ by a fifth of a level on average.
      assert.ok(
        Math.abs(probability - (reference[index] ?? Number.NaN)) < 0.05,
        `${name}: ${CLOTHING_CLASSES[index]} ${probability}`,
      );
    }
  }
});

test('the page needs nothing from elsewhere, which its policy enforces', async () => {
  const response = await fetch(`${gateway.url}/`);
  const html = await response.text();
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'.*script-src 'self'/);
  assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//);
  const own = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1] ?? '');
  assert.deepEqual(own.toSorted(), ['/page.css', '/page.js']);
  for (const path of own) assert.equal((await fetch(gateway.url + path)).status, 200);
  const etag = response.headers.get('etag') ?? '';
  assert.equal((await fetch(`${gateway.url}/`, { headers: { 'if-none-match': etag } })).status, 304);
});

test('paths out of the samples lead nowhere', async () => {
  for (const path of ['/samples/..%2fpage%2findex.html', '/samples/index.html', '/samples/__proto__', '/etc/passwd']) {
    assert.equal((await fetch(gateway.url + path)).status, 404, path);
  }
});

test('what is not a picture is refused with a sentence', async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>';
  const cases: [Response, number][] = [
    [await post('hello', 'image/jpeg'), 415],
    [await post(svg, 'image/svg+xml'), 415],
    [await post(hat, 'text/plain'), 415],
    [await post('', 'image/jpeg'), 400],
    [await post(hat.subarray(0, hat.length / 2), 'image/jpeg'), 422],
    [await post(Buffer.concat([hat.subarray(0, 20), Buffer.alloc(5000, 1)]), 'image/jpeg'), 422],
    [await post('{', 'application/json'), 400],
    [await post('{"url":7}', 'application/json'), 400],
    [await post(`{"url":"${'x'.repeat(20_000)}"}`, 'application/json'), 413],
    [await post(new FormData()), 400],
    [await fetch(`${gateway.url}/predict`), 404],
  ];
  for (const [response, status] of cases) assert.equal((await refusal(response))[0], status);
});

/** A black and white PNG of side x side pixels: one bit a pixel, all zeros, hence very few bytes. */
function blankPng(side: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    checksum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, checksum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 1;
  const pixels = deflateSync(Buffer.alloc(side * (side / 8 + 1)));
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
}

test('a small file that unpacks to a huge picture is refused before it is unpacked', async () => {
  const bomb = blankPng(20_000);
  assert.ok(bomb.length < 100_000);
  const [status, sentence] = await refusal(await post(new Uint8Array(bomb), 'image/png'));
  assert.equal(status, 413);
  assert.match(sentence, /20000 x 20000 pixels; at most 50 million/);
});

test('a picture that must be held as a whole is measured by the memory of the pod', async (context) => {
  const small = await startTestGateway(model.grpcPort, { memoryBytes: 32 * 1024 * 1024 });
  context.after(() => small.stop());
  const picture = sharp({ create: { width: 2000, height: 1500, channels: 3, background: '#888' } });
  const send = async (bytes: Buffer): Promise<number> =>
    (
      await fetch(`${small.url}/predict`, {
        method: 'POST',
        body: new Uint8Array(bytes),
        headers: { 'content-type': 'image/jpeg' },
      })
    ).status;
  assert.equal(await send(await picture.clone().jpeg({ progressive: true }).toBuffer()), 413);
  assert.equal(await send(await picture.clone().jpeg().toBuffer()), 200);
});

/** Announces `size` bytes and sends up to as many, until the gateway hangs up; resolves with the status. */
function upload(size: number, type: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${gateway.url}/predict`, {
      method: 'POST',
      headers: { 'content-type': type, 'content-length': size },
    });
    outgoing.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on('error', reject);
    outgoing.write(Buffer.alloc(64 * 1024));
  });
}

test('a body of 50 MB is refused by its announcement, and a form of 12 MB by its size', async () => {
  assert.equal(await upload(50 * 1024 * 1024, 'image/jpeg'), 413);
  const form = new FormData();
  form.append('picture', new Blob([new Uint8Array(12 * 1024 * 1024)]), 'x.jpg');
  assert.equal((await post(form)).status, 413);
});

test('requests that together would hold too much memory are asked to come back', async (context) => {
  const small = await startTestGateway(model.grpcPort, { memoryBytes: 32 * 1024 * 1024 });
  context.after(() => small.stop());
  const hold = request(`${small.url}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'image/jpeg', 'content-length': 6_000_000 },
  });
  hold.on('error', () => undefined);
  context.after(() => hold.destroy());
  hold.write('x');
  // Until the first request has arrived there is room for this one, which is then refused for what it is.
  const response = await eventually(async () => {
    const headers = { 'content-type': 'image/jpeg' };
    const answer = await fetch(`${small.url}/predict`, { method: 'POST', body: new Uint8Array(5_000_000), headers });
    assert.notEqual(answer.status, 415);
    return answer;
  });
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '1');
  hold.destroy();
  await eventually(async () => {
    const headers = { 'content-type': 'image/jpeg' };
    assert.equal(
      (await fetch(`${small.url}/predict`, { method: 'POST', body: new Uint8Array(5_000_000), headers })).status,
      415,
    );
  });
});

test('a picture is turned as the camera was held and stands on white where it is transparent', async () => {
  const { pictureTensor } = await import('./picture.js');
  const limits = { maxPixels: 1e6, maxBufferedPixels: 1e6 };
  const left = {
    input: { create: { width: 50, height: 100, channels: 3 as const, background: '#f00' } },
    left: 0,
    top: 0,
  };
  const base = sharp({ create: { width: 100, height: 100, channels: 3, background: '#00f' } }).composite([left]);
  // Orientation 6: the camera was held so that the left of the file is the top of the picture.
  const turned = await pictureTensor(
    await base
      .withExif({ IFD0: { Orientation: '6' } })
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 100 })
      .toBuffer(),
    { width: 4, height: 4 },
    limits,
  );
  const pixel = (values: Float32Array, row: number, column: number): number[] =>
    Array.from(values.subarray((row * 4 + column) * 3, (row * 4 + column) * 3 + 3), Math.round);
  assert.deepEqual(pixel(turned, 0, 3), [1, -1, -1]);
  assert.deepEqual(pixel(turned, 3, 0), [-1, -1, 1]);
  const clear = sharp({ create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } });
  const white = await pictureTensor(await clear.png().toBuffer(), { width: 4, height: 4 }, limits);
  assert.ok(white.every((value) => value === 1));
  const grey = await pictureTensor(
    await clear.clone().flatten({ background: '#808080' }).greyscale().png().toBuffer(),
    { width: 4, height: 4 },
    limits,
  );
  assert.equal(grey.length, 48);
  assert.ok(grey.every((value) => Math.abs(value) < 0.01));
});

test('the gateway lives at once, is ready when it has learnt the model, and not ready while it drains', async () => {
  const clock = new FakeClock();
  const lonely = await startTestGateway(1, { waitReady: false, clock, drainMs: 1000 });
  const status = async (path: string): Promise<number> => (await fetch(lonely.url + path)).status;
  assert.equal(await status('/livez'), 200);
  assert.equal(await status('/healthz'), 503);
  const early = await fetch(`${lonely.url}/predict`, {
    method: 'POST',
    body: hat,
    headers: { 'content-type': 'image/jpeg' },
  });
  assert.equal((await refusal(early))[0], 503);
  const stopped = lonely.stop();
  assert.equal(await status('/livez'), 200, 'requests are served while it drains');
  await clock.advance(1000);
  await stopped;
  await assert.rejects(fetch(`${lonely.url}/livez`));
});

test('a request under way when the gateway stops is finished', async () => {
  const stopping = await startTestGateway(model.grpcPort);
  const answered = new Promise<number>((resolve, reject) => {
    const outgoing = request(`${stopping.url}/predict`, {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg', 'content-length': hat.length },
    });
    outgoing.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on('error', reject);
    outgoing.write(hat.subarray(0, 100), () => {
      void stopping.stop();
      setImmediate(() => outgoing.end(hat.subarray(100)));
    });
  });
  assert.equal(await answered, 200);
});
