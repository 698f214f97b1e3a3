import { convolutionStep, depthwiseStep } from './convolution.js';
import type { Extent, Step } from './convolution.js';
import { multiply } from './matrix.js';
import type { LayerDescription, ModelDescription, WeightRange } from './model-file.js';

/** A model ready to run. Not re-entrant: its buffers are reused, so one picture is computed at a time. */
export interface Network {
  /** Height, width and channels of a picture. */
  inputShape: readonly [number, number, number];
  classes: readonly string[];
  /** The probability of each class for one picture whose values are already scaled, pixel by pixel. */
  predict(picture: Float32Array): Float32Array;
}

/** Builds the network that a model file describes; throws when the layers do not fit together or the weights. */
export function buildNetwork(description: ModelDescription, weights: Float32Array): Network {
  const [height, width, channels] = description.input.shape;
  let extent: Extent = { height, width, channels };
  const steps: Step[] = [];
  for (const [index, layer] of description.layers.entries()) {
    const step = buildStep(layer, extent, weights, index);
    steps.push(step);
    extent = step.output;
  }
  if (extent.height * extent.width * extent.channels !== description.classes.length) {
    throw new Error(
      `model ${description.name}: the last layer gives ${extent.channels} values for ${description.classes.length} classes`,
    );
  }
  const input = new Float64Array(height * width * channels);
  return {
    inputShape: description.input.shape,
    classes: description.classes,
    predict(picture) {
      if (picture.length !== input.length)
        throw new Error(`a picture has ${input.length} values, not ${picture.length}`);
      input.set(picture);
      let values: Float64Array = input;
      for (const step of steps) values = step.run(values);
      return Float32Array.from(values);
    },
  };
}

function buildStep(layer: LayerDescription, input: Extent, weights: Float32Array, index: number): Step {
  const part = (range: WeightRange, count: number): Float32Array => {
    const end = range.offset + range.count;
    if (range.count !== count || end > weights.length) {
      throw new Error(
        `layer ${index} (${layer.op}) needs ${count} weights, the file gives ${range.count} up to ${end} of ${weights.length}`,
      );
    }
    return weights.subarray(range.offset, end);
  };
  switch (layer.op) {
    case 'conv2d':
    case 'depthwiseConv2d': {
      const isDepthwise = layer.op === 'depthwiseConv2d';
      const taps = layer.kernel * layer.kernel;
      const plan = {
        input,
        outputChannels: layer.out,
        kernel: layer.kernel,
        stride: layer.stride,
        padding: layer.padding,
        weights: part(layer.weights, taps * layer.out * (isDepthwise ? 1 : layer.in)),
        bias: part(layer.bias, layer.out),
        relu: layer.activation === 'relu',
      };
      if (layer.in !== input.channels)
        throw new Error(`layer ${index} reads ${layer.in} channels, it gets ${input.channels}`);
      return isDepthwise ? depthwiseStep(plan) : convolutionStep(plan);
    }
    case 'globalAveragePool':
      return averageStep(input);
    case 'dense':
      return denseStep(layer, input, part(layer.weights, layer.in * layer.out), part(layer.bias, layer.out));
  }
}

function averageStep(input: Extent): Step {
  const { channels } = input;
  const pixels = input.height * input.width;
  const means = new Float64Array(channels);
  return {
    output: { height: 1, width: 1, channels },
    run(values) {
      means.fill(0);
      for (let index = 0; index < pixels * channels; index++) {
        means[index % channels] = (means[index % channels] as number) + (values[index] as number) / pixels;
      }
      return means;
    },
  };
}

type DenseDescription = Extract<LayerDescription, { op: 'dense' }>;

function denseStep(layer: DenseDescription, input: Extent, weights: Float32Array, bias: Float32Array): Step {
  const depth = input.height * input.width * input.channels;
  if (layer.in !== depth) throw new Error(`a dense layer of ${layer.in} inputs gets ${depth}`);
  const output = new Float64Array(layer.out);
  const product = { rows: 1, depth, columns: layer.out, relu: layer.activation === 'relu', output };
  const matrix = { weights: Float64Array.from(weights), bias: Float64Array.from(bias) };
  return {
    output: { height: 1, width: 1, channels: layer.out },
    run(values) {
      multiply({ input: values, ...matrix, ...product });
      if (layer.activation === 'softmax') softmax(output);
      return output;
    },
  };
}

/** In place; the largest value is subtracted first so that no exponential overflows. */
export function softmax(values: Float64Array): void {
  const largest = values.reduce((left, right) => Math.max(left, right), -Infinity);
  let sum = 0;
  for (let index = 0; index < values.length; index++) {
    const exponential = Math.exp((values[index] as number) - largest);
    values[index] = exponential;
    sum += exponential;
  }
  for (let index = 0; index < values.length; index++) values[index] = (values[index] as number) / sum;
}
