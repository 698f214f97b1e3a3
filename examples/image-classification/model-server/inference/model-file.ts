import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a layer's numbers lie in the weights file, counted in float32 values. */
export interface WeightRange {
  offset: number;
  count: number;
}

interface ConvolutionDescription {
  op: 'conv2d' | 'depthwiseConv2d';
  kernel: number;
  stride: number;
  padding: number;
  in: number;
  out: number;
  weights: WeightRange;
  bias: WeightRange;
  activation?: 'relu';
}
interface DenseLayerDescription {
  op: 'dense';
  in: number;
  out: number;
  weights: WeightRange;
  bias: WeightRange;
  activation?: 'relu' | 'softmax';
}

/** One layer of model.json; weights lie as (out, in, row, column), (channel, row, column) and (out, in). */
export type LayerDescription = ConvolutionDescription | DenseLayerDescription | { op: 'globalAveragePool' };

/** The part of model.json that is needed to run the model. */
export interface ModelDescription {
  name: string;
  classes: string[];
  input: { shape: [number, number, number] };
  layers: LayerDescription[];
  weights: { file: string; count: number };
}

/** Reads model.json and its weights from a folder; throws a sentence when they do not belong together. */
export function readModelFile(folder: string): { description: ModelDescription; weights: Float32Array } {
  const description = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as ModelDescription;
  const known = new Set(['conv2d', 'depthwiseConv2d', 'dense', 'globalAveragePool']);
  const unknown = description.layers.find((layer) => !known.has(layer.op));
  if (unknown !== undefined) throw new Error(`${folder}/model.json: unknown layer ${unknown.op}`);
  const bytes = readFileSync(join(folder, description.weights.file));
  if (bytes.length !== description.weights.count * Float32Array.BYTES_PER_ELEMENT) {
    throw new Error(
      `${folder}/${description.weights.file} has ${bytes.length} bytes, model.json says ${description.weights.count} floats`,
    );
  }
  const weights = new Float32Array(description.weights.count);
  Buffer.from(weights.buffer).set(bytes);
  return { description, weights };
}
