import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { Lab } from './lab/lab.js';

const reference = process.env['KNARR_REFERENCE'] ?? resolve('../shared/data');
const pictures = 120;
const tolerance = 0.02;

interface ModelFile {
  readonly measured: Readonly<Record<string, { readonly pictures: number; readonly accuracy: number }>>;
}

let lab: Lab;
before(async () => {
  lab = await Lab.create(1);
});
after(() => lab?.destroy());

test('photographs sent through the whole cluster are recognised as well as the model states', async () => {
  const { measured } = JSON.parse(
    readFileSync('examples/image-classification/model-server/model/model.json', 'utf8'),
  ) as ModelFile;
  const stated = measured['photographs, 120-picture sample'];
  assert.equal(stated?.pictures, pictures);
  const demo = [process.execPath, resolve('dist/scripts/demo.js'), '--once', '--pictures', join(reference, 'pictures')];
  const { stdout } = await lab.host(0).run(demo, { timeoutMs: 300_000 });
  const [, correct, known] = /^Accuracy:.*\((\d+) of (\d+)\)$/m.exec(stdout) ?? [];
  assert.equal(Number(known), pictures, stdout);
  assert.ok(
    Math.abs(Number(correct) / pictures - stated.accuracy) <= tolerance,
    `${correct} of ${pictures}, stated ${stated.accuracy}`,
  );
});
