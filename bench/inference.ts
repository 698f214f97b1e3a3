// Prints how long the demo's classifier takes for one picture on this machine: median, best and 95th percentile.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assetPath } from '../examples/image-classification/assets.js';
import { readModelFile } from '../examples/image-classification/model-server/inference/model-file.js';
import { buildNetwork } from '../examples/image-classification/model-server/inference/network.js';

const WARM_UP = 20;
const ROUNDS = 5;

const folder = assetPath(new URL('../examples/image-classification/model-server/', import.meta.url).href, 'model');
const { description, weights } = readModelFile(folder);
const network = buildNetwork(description, weights);
const pixels = readFileSync(join(folder, 'reference-inputs.bin'));
const size = network.inputShape.reduce((product, side) => product * side, 1);
const pictures = Array.from({ length: pixels.length / size }, (_, index) =>
  Float32Array.from(pixels.subarray(index * size, (index + 1) * size), (value) => value / 127.5 - 1),
);
const first = pictures[0];
if (first === undefined) throw new Error('the model has no reference pictures');
for (let round = 0; round < WARM_UP; round++) network.predict(first);
const timings: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  for (const picture of pictures) {
    const start = performance.now();
    network.predict(picture);
    timings.push(performance.now() - start);
  }
}
timings.sort((left, right) => left - right);
const at = (share: number): number => Number((timings[Math.floor(share * (timings.length - 1))] ?? 0).toFixed(2));
console.log(
  JSON.stringify({
    measure: 'inference, ms a picture',
    median: at(0.5),
    best: at(0),
    p95: at(0.95),
    pictures: timings.length,
  }),
);
