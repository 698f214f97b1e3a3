import { setImmediate } from 'node:timers/promises';
import type { SignatureDef } from '../protocol/protocol.js';
import { shapeProto } from '../protocol/tensor.js';
import type { FloatTensor } from '../protocol/tensor.js';
import { ServingError } from './serving-error.js';
import type { Network } from './inference/network.js';

/** One version of one model, as the serving API presents it. */
export interface Servable {
  name: string;
  version: number;
  /** The signatures by name; each has one input and one output. */
  signatures: Readonly<Record<string, SignatureDef>>;
  /** The scores of a batch whose shape the signature accepts. */
  predict(batch: FloatTensor): Promise<FloatTensor>;
}

const INPUT_NAME = 'input';
const OUTPUT_NAME = 'probabilities';

/** Pictures that may wait at once; beyond them callers are told to come back, so that memory stays bounded. */
const MAX_WAITING_PICTURES = 256;

/** Serves a network as a model with the one signature `serving_default`. */
export function networkServable(options: { name: string; version: number; network: Network }): Servable {
  const { network } = options;
  const pictureSize = network.inputShape.reduce((product, side) => product * side, 1);
  let waiting = 0;
  return {
    name: options.name,
    version: options.version,
    signatures: { serving_default: signatureOf(network) },
    async predict(batch) {
      const count = batch.shape[0] ?? 0;
      if (waiting + count > MAX_WAITING_PICTURES) {
        throw new ServingError('RESOURCE_EXHAUSTED', `${waiting} pictures are waiting already, try again later`);
      }
      waiting += count;
      try {
        const scores = new Float32Array(count * network.classes.length);
        for (let index = 0; index < count; index++) {
          // A turn of the event loop before each picture: health checks and other callers wait for one picture at most.
          await setImmediate();
          const picture = batch.data.subarray(index * pictureSize, (index + 1) * pictureSize);
          scores.set(network.predict(picture), index * network.classes.length);
        }
        return { shape: [count, network.classes.length], data: scores };
      } finally {
        waiting -= count;
      }
    },
  };
}

function signatureOf(network: Network): SignatureDef {
  const input = {
    name: 'serving_default_input:0',
    dtype: 'DT_FLOAT',
    tensor_shape: shapeProto([-1, ...network.inputShape]),
  };
  const output = {
    name: 'StatefulPartitionedCall:0',
    dtype: 'DT_FLOAT',
    tensor_shape: shapeProto([-1, network.classes.length]),
  };
  return {
    inputs: { [INPUT_NAME]: input },
    outputs: { [OUTPUT_NAME]: output },
    method_name: 'tensorflow/serving/predict',
  };
}
