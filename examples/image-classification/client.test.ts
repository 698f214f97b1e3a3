import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { assetPath } from './assets.js';
import { readPictures, sendPictures } from './client.js';
import type { DemoResult } from './client.js';
import { CLOTHING_CLASSES } from './gateway/classes.js';
import { startTestGateway } from './gateway/testing.js';
import { startTestModelServer } from './model-server/testing.js';
import { renderReport, summarize } from './report.js';

const answered = (change: Partial<Extract<DemoResult, { kind: 'answered' }>>): DemoResult => ({
  kind: 'answered', picture: 'hat-1.jpg', expected: 'hat', prediction: 'hat', probability: 0.987,
  gateway: 'gateway-a', modelServer: 'model-a', attempts: 1, latencyMs: 31.4, ...change,
}); // prettier-ignore

test('the report is a table, the accuracy, and the requests per pod', () => {
  const report = renderReport([
    answered({}),
    answered({
      picture: 'shirt-1.jpg',
      expected: 'shirt',
      prediction: 't-shirt',
      gateway: 'gateway-b',
      attempts: 2,
      latencyMs: 40,
    }),
    answered({ picture: 'mine.jpg', expected: undefined, modelServer: 'model-b', latencyMs: 20 }),
    { kind: 'failed', picture: 'x.jpg', expected: undefined, error: '415: not a picture', latencyMs: 3 },
  ]);
  assert.equal(
    report,
    [
      'PICTURE       PREDICTION           PROBABILITY   GATEWAY POD   MODEL-SERVER POD   LATENCY',
      'hat-1.jpg     hat                  98.7 %        gateway-a     model-a            31 ms',
      'shirt-1.jpg   t-shirt (is shirt)   98.7 %        gateway-b     model-a            40 ms',
      'mine.jpg      hat                  98.7 %        gateway-a     model-b            20 ms',
      'x.jpg         failed: 415: not a picture',
      '',
      'Pictures answered:  3 of 4, median latency 31 ms, 1 after a retry',
      'Accuracy:           50.0 % (1 of 2)',
      'Requests per gateway pod:',
      '  gateway-a  2',
      '  gateway-b  1',
      'Requests per model-server pod:',
      '  model-a  2',
      '  model-b  1',
      '',
    ].join('\n'),
  );
  assert.match(renderReport([answered({ expected: undefined })]), /Accuracy: +not known/);
});

test('the samples sent to a gateway come back in order, with classes and pods', async () => {
  const model = await startTestModelServer();
  const gateway = await startTestGateway(model.grpcPort);
  const pictures = readPictures(assetPath(new URL('gateway/', import.meta.url).href, 'samples'), CLOTHING_CLASSES);
  let progress = 0;
  const results = await sendPictures({
    baseUrl: gateway.url,
    pictures,
    concurrency: 4,
    timeoutMs: 10_000,
    onResult: () => progress++,
  });
  assert.deepEqual(
    results.map((result) => result.picture),
    pictures.map((picture) => picture.name),
  );
  assert.equal(progress, 40);
  const summary = summarize(results);
  assert.equal(summary.failed, 0);
  assert.deepEqual(summary.accuracy, { correct: 37, known: 40 });
  assert.deepEqual([...summary.requestsPerGateway], [['gateway-0', 40]]);
  await gateway.stop();
  await model.stop();
});

test('classes come from folders or file names; a refused picture and a silent gateway are failures, not exceptions', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'knarr-pictures-'));
  mkdirSync(join(folder, 'hat'));
  for (const name of ['hat/abc.JPG', 't-shirt-12.png', 'holiday.jpg', 'notes.txt'])
    writeFileSync(join(folder, name), 'no picture');
  const pictures = readPictures(folder, CLOTHING_CLASSES);
  assert.deepEqual(
    pictures.map(({ name, expected }) => [name, expected]),
    [['hat/abc.JPG', 'hat'], ['holiday.jpg', undefined], ['t-shirt-12.png', 't-shirt']], // prettier-ignore
  );
  const model = await startTestModelServer();
  const gateway = await startTestGateway(model.grpcPort);
  const refused = await sendPictures({ baseUrl: gateway.url, pictures, concurrency: 1, timeoutMs: 5000 });
  assert.ok(
    refused.every((result) => result.kind === 'failed' && result.error.startsWith('415: That is not a picture')),
  );
  await gateway.stop();
  await model.stop();
  const [silent] = await sendPictures({ baseUrl: gateway.url, pictures, concurrency: 1, timeoutMs: 5000 });
  assert.ok(silent?.kind === 'failed' && /ECONNREFUSED/.test(silent.error));
  rmSync(join(folder, 'hat'), { recursive: true });
  rmSync(join(folder, 't-shirt-12.png'));
  rmSync(join(folder, 'holiday.jpg'));
  assert.throws(() => readPictures(folder, CLOTHING_CLASSES), /has no pictures/);
  rmSync(folder, { recursive: true });
});
