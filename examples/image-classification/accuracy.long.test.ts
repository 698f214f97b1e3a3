import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { assetPath } from './assets.js';
import { readPictures, sendPictures } from './client.js';
import { CLOTHING_CLASSES } from './gateway/classes.js';
import { startTestGateway } from './gateway/testing.js';
import { modelFolder, startTestModelServer } from './model-server/testing.js';
import { renderReport, summarize } from './report.js';

const TOLERANCE = 0.02;

/** The folder of reference data: KNARR_REFERENCE, else ../shared/data beside the repository. */
function referenceFolder(): string {
  const repository = resolve(assetPath(import.meta.url, 'manifests'), '../../..');
  return process.env['KNARR_REFERENCE'] || resolve(repository, '../shared/data');
}

test('through gateway and model server, photographs reach the accuracy that the model states', async () => {
  const folder = join(referenceFolder(), 'pictures');
  assert.ok(existsSync(folder), `${folder} is missing: set KNARR_REFERENCE to the folder of reference data`);
  const file = JSON.parse(readFileSync(join(modelFolder(), 'model.json'), 'utf8')) as {
    measured: Record<string, { pictures: number; accuracy: number }>;
  };
  const stated = file.measured['photographs, 120-picture sample'];
  assert.ok(stated !== undefined);
  const pictures = readPictures(folder, CLOTHING_CLASSES);
  assert.equal(pictures.length, stated.pictures);
  const model = await startTestModelServer();
  const gateway = await startTestGateway(model.grpcPort);
  try {
    const results = await sendPictures({ baseUrl: gateway.url, pictures, concurrency: 4, timeoutMs: 20_000 });
    const { accuracy, failed } = summarize(results);
    assert.equal(failed, 0, renderReport(results));
    const reached = (accuracy?.correct ?? 0) / (accuracy?.known ?? 1);
    assert.ok(
      Math.abs(reached - stated.accuracy) <= TOLERANCE,
      `accuracy ${reached}, the model states ${stated.accuracy}`,
    );
  } finally {
    await gateway.stop();
    await model.stop();
  }
});
