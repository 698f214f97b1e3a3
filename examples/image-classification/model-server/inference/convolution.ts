import { multiply, rectify } from './matrix.js';

/** Height, width and channels of an activation; its elements lie pixel by pixel, the channels of a pixel together. */
export interface Extent {
  height: number;
  width: number;
  channels: number;
}

/** One layer made ready to run: reads the input, returns its own buffer, which the next run overwrites. */
export interface Step {
  output: Extent;
  run(input: Float64Array): Float64Array;
}

/** What a convolution does, with the weights as the model file has them. */
export interface ConvolutionPlan {
  input: Extent;
  outputChannels: number;
  kernel: number;
  stride: number;
  padding: number;
  weights: Float32Array;
  bias: Float32Array;
  relu: boolean;
}

function outputExtent(plan: ConvolutionPlan): Extent {
  const side = (size: number): number => Math.floor((size + 2 * plan.padding - plan.kernel) / plan.stride) + 1;
  return { height: side(plan.input.height), width: side(plan.input.width), channels: plan.outputChannels };
}

/** A full convolution, as a matrix product over the patches under the kernel. */
export function convolutionStep(plan: ConvolutionPlan): Step {
  const output = outputExtent(plan);
  const taps = plan.kernel * plan.kernel;
  const depth = taps * plan.input.channels;
  const rows = output.height * output.width;
  const buffer = new Float64Array(rows * output.channels);
  const weights = tapMajorWeights(plan.weights, plan.outputChannels, plan.input.channels, taps);
  const bias = Float64Array.from(plan.bias);
  const isPointwise = plan.kernel === 1 && plan.stride === 1 && plan.padding === 0;
  const patches = isPointwise ? undefined : new Float64Array(rows * depth);
  return {
    output,
    run(input) {
      if (patches !== undefined) gatherPatches(input, plan, output, patches);
      multiply({
        input: patches ?? input,
        rows,
        depth,
        weights,
        bias,
        columns: output.channels,
        relu: plan.relu,
        output: buffer,
      });
      return buffer;
    },
  };
}

/** A depthwise convolution: each channel has a kernel of its own. */
export function depthwiseStep(plan: ConvolutionPlan): Step {
  const output = outputExtent(plan);
  const channels = output.channels;
  const buffer = new Float64Array(output.height * output.width * channels);
  const weights = tapMajorWeights(plan.weights, 1, channels, plan.kernel * plan.kernel);
  const bias = Float64Array.from(plan.bias);
  return {
    output,
    run(input) {
      for (let row = 0, offset = 0; row < output.height; row++) {
        for (let column = 0; column < output.width; column++, offset += channels) {
          buffer.set(bias, offset);
          addTaps({ input, plan, weights, output: buffer }, row, column, offset);
        }
      }
      if (plan.relu) rectify(buffer, buffer.length);
      return buffer;
    },
  };
}

/** From (group, channel, tap) to (group, tap, channel): the order in which activations lie. */
function tapMajorWeights(weights: Float32Array, groups: number, channels: number, taps: number): Float64Array {
  const ordered = new Float64Array(weights.length);
  for (let group = 0; group < groups; group++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let tap = 0; tap < taps; tap++) {
        const value = weights[(group * channels + channel) * taps + tap] as number;
        ordered[(group * taps + tap) * channels + channel] = value;
      }
    }
  }
  return ordered;
}

/** Copies the pixels under the kernel at each output pixel into one row; outside the picture lie zeros. */
function gatherPatches(input: Float64Array, plan: ConvolutionPlan, output: Extent, patches: Float64Array): void {
  const { height, width, channels } = plan.input;
  patches.fill(0);
  let target = 0;
  for (let row = 0; row < output.height; row++) {
    for (let column = 0; column < output.width; column++) {
      for (let tap = 0; tap < plan.kernel * plan.kernel; tap++, target += channels) {
        const y = row * plan.stride - plan.padding + Math.floor(tap / plan.kernel);
        const x = column * plan.stride - plan.padding + (tap % plan.kernel);
        if (y < 0 || y >= height || x < 0 || x >= width) continue;
        const source = (y * width + x) * channels;
        for (let channel = 0; channel < channels; channel++)
          patches[target + channel] = input[source + channel] as number;
      }
    }
  }
}

function addTaps(
  layer: { input: Float64Array; plan: ConvolutionPlan; weights: Float64Array; output: Float64Array },
  row: number,
  column: number,
  offset: number,
): void {
  const { input, plan, weights, output } = layer;
  const { height, width, channels } = plan.input;
  const top = row * plan.stride - plan.padding;
  const left = column * plan.stride - plan.padding;
  for (let ky = 0; ky < plan.kernel; ky++) {
    const y = top + ky;
    if (y < 0 || y >= height) continue;
    for (let kx = 0; kx < plan.kernel; kx++) {
      const x = left + kx;
      if (x < 0 || x >= width) continue;
      const source = (y * width + x) * channels;
      const tap = (ky * plan.kernel + kx) * channels;
      for (let channel = 0; channel < channels; channel++) {
        output[offset + channel] =
          (output[offset + channel] as number) +
          (input[source + channel] as number) * (weights[tap + channel] as number);
      }
    }
  }
}
