import { DEFAULT_SIGNATURE, SIGNATURE_DEF_FIELD } from '../protocol/protocol.js';
import type { GetModelMetadataResponse, ServingProtocol, TensorInfo } from '../protocol/protocol.js';
import { shapeOf } from '../protocol/tensor.js';

/** What the gateway must know of a model to ask it: learnt from its metadata, never configured. */
export interface ModelContract {
  name: string;
  version: number;
  signature: string;
  input: string;
  output: string;
  height: number;
  width: number;
}

/** Reads the contract out of a model's metadata; throws a sentence when the model does not take RGB pictures. */
export function modelContract(response: GetModelMetadataResponse, protocol: ServingProtocol): ModelContract {
  const any = response.metadata[SIGNATURE_DEF_FIELD];
  if (any === undefined) throw new Error('the model has no signatures');
  const signature = protocol.signatureDefMap.deserialize(any.value).signature_def[DEFAULT_SIGNATURE];
  if (signature === undefined) throw new Error(`the model has no signature ${DEFAULT_SIGNATURE}`);
  const [input, inputInfo] = only(signature.inputs, 'input');
  const [output] = only(signature.outputs, 'output');
  const shape = shapeOf(inputInfo.tensor_shape) ?? [];
  const [, height = -1, width = -1, channels] = shape;
  if (inputInfo.dtype !== 'DT_FLOAT' || shape.length !== 4 || channels !== 3 || height < 1 || width < 1) {
    throw new Error(`the input ${input} is ${inputInfo.dtype} [${shape.join(',')}], not DT_FLOAT [-1,height,width,3]`);
  }
  const spec = response.model_spec;
  return {
    name: spec?.name ?? '',
    version: spec?.version?.value ?? 0,
    signature: DEFAULT_SIGNATURE,
    input,
    output,
    height,
    width,
  };
}

function only(infos: Record<string, TensorInfo>, what: string): [string, TensorInfo] {
  const entries = Object.entries(infos);
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) throw new Error(`the model has ${entries.length} ${what}s, not one`);
  return entry;
}
