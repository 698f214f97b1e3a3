import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assetPath } from '../examples/image-classification/assets.js';
import { readModelFile } from '../examples/image-classification/model-server/inference/model-file.js';
import { buildNetwork } from '../examples/image-classification/model-server/inference/network.js';
import { percentile, type Measures } from './figure.js';

const warmUp = 20;
const rounds = 5;

/** How long the demo's classifier takes for one picture. */
export const measures: Measures = async () => {
  const folder = assetPath(new URL('../examples/image-classification/model-server/', import.meta.url).href, 'model');
  const { description, weights } = readModelFile(folder);
  const network = buildNetwork(description, weights);
  const pixels = readFileSync(join(folder, 'reference-inputs.bin'));
  const size = network.inputShape.reduce((product, side) => product * side, 1);
  const pictures = Array.from({ length: pixels.length / size }, (_, index) =>
    Float32Array.from(pixels.subarray(index * size, (index + 1) * size), (value) => value / 127.5 - 1),
  );
  const [first] = pictures;
  if (!first) throw new Error('the model has no reference pictures');
  for (let round = 0; round < warmUp; round++) network.predict(first);
  const timings: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const picture of pictures) {
      const startMs = performance.now();
      network.predict(picture);
      timings.push(performance.now() - startMs);
    }
  }
  const details = { bestMs: percentile(timings, 0), p95Ms: percentile(timings, 0.95), pictures: timings.length };
  return [{ measure: 'inference, one picture', value: percentile(timings, 0.5), unit: 'ms', details }];
};
