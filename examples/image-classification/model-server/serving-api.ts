import { DEFAULT_SIGNATURE, SIGNATURE_DEF_FIELD, SIGNATURE_DEF_MAP_URL } from '../protocol/protocol.js';
import type {
  GetModelMetadataRequest, GetModelMetadataResponse, GetModelStatusRequest, GetModelStatusResponse, ModelSpec,
  PredictRequest, PredictResponse, ServingProtocol, SignatureDef, TensorInfo, TensorProto,
} from '../protocol/protocol.js'; // prettier-ignore
import { decodeFloats, encodeListTensor, shapeFits, shapeOf } from '../protocol/tensor.js';
import type { FloatTensor } from '../protocol/tensor.js';
import { ServingError, invalidArgument } from './serving-error.js';
import type { Servable } from './servable.js';

/** The calls of TensorFlow Serving on one model, apart from how they travel. Every failure is a ServingError. */
export interface ServingApi {
  predict: (request: PredictRequest) => Promise<PredictResponse>;
  getModelMetadata: (request: GetModelMetadataRequest) => GetModelMetadataResponse;
  getModelStatus: (request: GetModelStatusRequest) => GetModelStatusResponse;
  /** The inputs of a signature, for the REST form, which builds tensors from them. */
  signature: (spec: ModelSpec, notFound: 'predict' | 'rest') => SignatureDef;
}

export function createServingApi(options: {
  servable: Servable;
  protocol: ServingProtocol;
  maxBatch: number;
}): ServingApi {
  const { servable, protocol, maxBatch } = options;

  function signature(spec: ModelSpec, notFound: 'predict' | 'rest'): SignatureDef {
    requireServable(servable, spec);
    const name = spec.signature_name || DEFAULT_SIGNATURE;
    const found = Object.hasOwn(servable.signatures, name) ? servable.signatures[name] : undefined;
    if (found !== undefined) return found;
    if (notFound === 'rest') throw invalidArgument(`Serving signature name: "${name}" not found in signature def`);
    throw new ServingError('FAILED_PRECONDITION', `Serving signature key "${name}" not found.`);
  }

  return {
    signature,
    async predict(request) {
      const spec = request.model_spec;
      if (spec === null) throw invalidArgument('Missing ModelSpec');
      const chosen = signature(spec, 'predict');
      const batch = inputTensor(request.inputs, chosen, maxBatch);
      const outputs = outputNames(request.output_filter ?? [], chosen);
      const scores = encodeListTensor(await servable.predict(batch));
      return {
        outputs: Object.fromEntries(outputs.map((name) => [name, scores])),
        model_spec: { ...effectiveSpec(servable), signature_name: spec.signature_name || DEFAULT_SIGNATURE },
      };
    },
    getModelMetadata(request) {
      if (request.model_spec === null) throw invalidArgument('Missing ModelSpec');
      if (request.metadata_field.length === 0) {
        throw invalidArgument('GetModelMetadataRequest must specify at least one metadata_field');
      }
      const unknown = request.metadata_field.find((field) => field !== SIGNATURE_DEF_FIELD);
      if (unknown !== undefined) throw invalidArgument(`Metadata field ${unknown} is not supported`);
      requireServable(servable, request.model_spec);
      const value = protocol.signatureDefMap.serialize({ signature_def: { ...servable.signatures } });
      return {
        model_spec: effectiveSpec(servable),
        metadata: { [SIGNATURE_DEF_FIELD]: { type_url: SIGNATURE_DEF_MAP_URL, value } },
      };
    },
    getModelStatus(request) {
      if (request.model_spec === null) throw invalidArgument('Missing ModelSpec');
      const { name, version } = request.model_spec;
      if (name !== servable.name) throw new ServingError('NOT_FOUND', `Could not find any versions of model ${name}`);
      if (version != null && version.value !== servable.version) {
        throw new ServingError('NOT_FOUND', `Could not find version ${version.value} of model ${name}`);
      }
      const status = { error_code: 0, error_message: '' };
      return { model_version_status: [{ version: servable.version, state: 'AVAILABLE', status }] };
    },
  };
}

function effectiveSpec(servable: Servable): ModelSpec {
  return { name: servable.name, version: { value: servable.version } };
}

function requireServable(servable: Servable, spec: ModelSpec): void {
  if (spec.name === '') throw invalidArgument('ModelSpec has no name specified.');
  if (spec.version_label) throw invalidArgument(`Unrecognized servable version label: ${spec.version_label}`);
  if (spec.version != null) {
    if (spec.name === servable.name && spec.version.value === servable.version) return;
    throw new ServingError(
      'NOT_FOUND',
      `Servable not found for request: Specific(${spec.name}, ${spec.version.value})`,
    );
  }
  if (spec.name !== servable.name)
    throw new ServingError('NOT_FOUND', `Servable not found for request: Latest(${spec.name})`);
}

function inputTensor(inputs: Record<string, TensorProto>, signature: SignatureDef, maxBatch: number): FloatTensor {
  const expected = Object.keys(signature.inputs);
  const sent = Object.keys(inputs);
  for (const alias of sent) {
    if (expected.includes(alias)) continue;
    throw invalidArgument(
      `input tensor alias not found in signature: ${alias}. Inputs expected to be in the set {${expected.join(',')}}.`,
    );
  }
  const [alias] = expected;
  const tensor = alias === undefined ? undefined : inputs[alias];
  const info = alias === undefined ? undefined : signature.inputs[alias];
  if (alias === undefined || tensor === undefined || info === undefined) {
    const missing = expected.filter((name) => !sent.includes(name)).join(',');
    throw invalidArgument(
      `input size does not match signature: ${sent.length}!=${expected.length}. Missing but required: {${missing}}.`,
    );
  }
  return { shape: acceptedShape(alias, tensor, info, maxBatch), data: acceptedData(alias, tensor) };
}

function acceptedShape(alias: string, tensor: TensorProto, info: TensorInfo, maxBatch: number): number[] {
  if (tensor.dtype !== info.dtype) {
    const typeName = (dtype: string): string => dtype.replace(/^DT_/, '').toLowerCase();
    throw invalidArgument(
      `input "${alias}": expects arg[0] to be ${typeName(info.dtype)} but ${typeName(tensor.dtype)} is provided`,
    );
  }
  const shape = shapeOf(tensor.tensor_shape);
  const expected = shapeOf(info.tensor_shape) ?? [];
  if (shape === undefined || !shapeFits(shape, expected)) {
    throw invalidArgument(
      `input "${alias}" has shape [${shape?.join(',') ?? '?'}], the signature expects [${expected.join(',')}]`,
    );
  }
  const batch = shape[0] ?? 0;
  if (!(batch >= 1 && batch <= maxBatch)) {
    throw invalidArgument(`input "${alias}" holds ${batch} pictures, a batch has from 1 to ${maxBatch}`);
  }
  return shape;
}

function acceptedData(alias: string, tensor: TensorProto): Float32Array {
  const data = decodeFloats(tensor, shapeOf(tensor.tensor_shape) ?? []);
  if (data === undefined) throw invalidArgument(`tensor parsing error: ${alias}`);
  return data;
}

function outputNames(filter: readonly string[], signature: SignatureDef): string[] {
  const known = Object.keys(signature.outputs);
  if (filter.length === 0) return known;
  for (const [index, alias] of filter.entries()) {
    if (!known.includes(alias)) {
      throw invalidArgument(
        `output tensor alias not found in signature: ${alias} Outputs expected to be in the set {${known.join(',')}}.`,
      );
    }
    if (filter.indexOf(alias) !== index) throw invalidArgument(`duplicate output tensor alias: ${alias}`);
  }
  return [...filter];
}
