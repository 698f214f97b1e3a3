import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assetPath } from '../../assets.js';
import { readModelFile } from './model-file.js';
import { buildNetwork, softmax } from './network.js';

const folder = assetPath(new URL('../', import.meta.url).href, 'model');

interface Reference {
  reference: { outputs: { picture: string; probabilities: number[] }[] };
}

test('the network gives the reference probabilities to 1e-3 for every reference picture', () => {
  const { description, weights } = readModelFile(folder);
  const network = buildNetwork(description, weights);
  const references = (JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as Reference).reference.outputs;
  const pixels = readFileSync(join(folder, 'reference-inputs.bin'));
  const size = 96 * 96 * 3;
  assert.equal(pixels.length, references.length * size);
  assert.equal(references.length, 40);
  for (const [index, reference] of references.entries()) {
    const picture = Float32Array.from(pixels.subarray(index * size, (index + 1) * size), (value) => value / 127.5 - 1);
    const probabilities = network.predict(picture);
    for (const [label, expected] of reference.probabilities.entries()) {
      const actual = probabilities[label] ?? Number.NaN;
      assert.ok(Math.abs(actual - expected) < 1e-3, `${reference.picture} class ${label}: ${actual}, not ${expected}`);
    }
  }
});

test('sizes that are no multiple of four come out as by the definition of a convolution', () => {
  // 3x3 picture of 2 channels, 5 output channels, 3x3 kernel, stride 2, padding 1: 2x2x5, none of it a whole block.
  const layer = {
    op: 'conv2d' as const, kernel: 3, stride: 2, padding: 1, in: 2, out: 5,
    weights: { offset: 0, count: 90 }, bias: { offset: 90, count: 5 },
  }; // prettier-ignore
  const weights = Float32Array.from({ length: 95 }, (_, index) => Math.sin(index));
  const classes = Array.from({ length: 20 }, (_, index) => String(index));
  const description = {
    name: 'small',
    classes,
    input: { shape: [3, 3, 2] as [number, number, number] },
    layers: [layer],
    weights: { file: '', count: 95 },
  };
  const picture = Float32Array.from({ length: 18 }, (_, index) => Math.cos(index));
  const output = buildNetwork(description, weights).predict(picture);
  for (let index = 0; index < 20; index++) {
    const [row, column, out] = [Math.floor(index / 10), Math.floor(index / 5) % 2, index % 5];
    let sum = Math.sin(90 + out);
    for (let channel = 0; channel < 2; channel++) {
      for (let tap = 0; tap < 9; tap++) {
        const [y, x] = [row * 2 - 1 + Math.floor(tap / 3), column * 2 - 1 + (tap % 3)];
        if (y < 0 || y > 2 || x < 0 || x > 2) continue;
        sum += Math.cos((y * 3 + x) * 2 + channel) * Math.sin((out * 2 + channel) * 9 + tap);
      }
    }
    assert.ok(Math.abs((output[index] ?? Number.NaN) - sum) < 1e-5, `value ${index}: ${output[index]}, not ${sum}`);
  }
});

test('a model whose layers and weights do not fit together is refused with the layer', () => {
  const { description, weights } = readModelFile(folder);
  assert.throws(() => buildNetwork(description, weights.subarray(0, 1000)), /layer 2 \(conv2d\) needs 1152 weights/);
  const cut = { ...description, layers: description.layers.slice(1) };
  assert.throws(() => buildNetwork(cut, weights), /layer 0 reads 24 channels, it gets 3/);
});

test('softmax of large values is finite and sums to one', () => {
  const values = Float64Array.of(1000, 1001, -1000);
  softmax(values);
  assert.ok(Math.abs(values.reduce((left, right) => left + right) - 1) < 1e-12);
  assert.ok((values[1] ?? 0) > (values[0] ?? 1));
});
