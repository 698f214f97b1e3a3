import { dirname } from 'node:path';
import { loadSync } from '@grpc/proto-loader';
import type { MessageTypeDefinition, MethodDefinition, ServiceDefinition } from '@grpc/proto-loader';
import { assetPath } from '../assets.js';

/** A tensor's dimensions; size -1 stands for any size. */
export interface TensorShape {
  dim: { size: number; name?: string }[];
  unknown_rank?: boolean;
}
/** A tensor on the wire: its elements are either in tensor_content (little-endian) or in the list of its type. */
export interface TensorProto {
  dtype: string;
  tensor_shape: TensorShape | null;
  tensor_content?: Buffer;
  float_val?: number[];
}
export interface TensorInfo {
  name: string;
  dtype: string;
  tensor_shape: TensorShape | null;
}
export interface SignatureDef {
  inputs: Record<string, TensorInfo>;
  outputs: Record<string, TensorInfo>;
  method_name: string;
}
export interface ModelSpec {
  name: string;
  version?: { value: number } | null;
  version_label?: string;
  signature_name?: string;
}
export interface PredictRequest {
  model_spec: ModelSpec | null;
  inputs: Record<string, TensorProto>;
  output_filter?: string[];
}
export interface PredictResponse {
  outputs: Record<string, TensorProto>;
  model_spec: ModelSpec | null;
}
export interface GetModelMetadataRequest {
  model_spec: ModelSpec | null;
  metadata_field: string[];
}
export interface GetModelMetadataResponse {
  model_spec: ModelSpec | null;
  metadata: Record<string, { type_url: string; value: Buffer }>;
}
export interface GetModelStatusRequest {
  model_spec: ModelSpec | null;
}
export interface ModelVersionStatus {
  version: number;
  state: string;
  status: { error_code: number; error_message: string };
}
export interface GetModelStatusResponse {
  model_version_status: ModelVersionStatus[];
}
export interface SignatureDefMap {
  signature_def: Record<string, SignatureDef>;
}

/** The one signature that TensorFlow Serving uses when a request names none. */
export const DEFAULT_SIGNATURE = 'serving_default';
export const SIGNATURE_DEF_FIELD = 'signature_def';
export const SIGNATURE_DEF_MAP_URL = 'type.googleapis.com/tensorflow.serving.SignatureDefMap';

/** The services and messages of TensorFlow Serving, with their encoders and decoders. */
export interface ServingProtocol {
  predictionService: ServiceDefinition;
  modelService: ServiceDefinition;
  predict: MethodDefinition<PredictRequest, PredictResponse>;
  getModelMetadata: MethodDefinition<GetModelMetadataRequest, GetModelMetadataResponse>;
  getModelStatus: MethodDefinition<GetModelStatusRequest, GetModelStatusResponse>;
  signatureDefMap: MessageTypeDefinition<SignatureDefMap, SignatureDefMap>;
}

/** Reads the .proto files beside this module. */
export function loadServingProtocol(): ServingProtocol {
  const file = assetPath(import.meta.url, 'serving.proto');
  const definitions = loadSync(file, {
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: false,
    includeDirs: [dirname(file)],
  });
  // The loader types every entry as "service, message or enum"; what each is stands in the .proto files beside this one.
  const predictionService = definitions['tensorflow.serving.PredictionService'] as ServiceDefinition;
  const modelService = definitions['tensorflow.serving.ModelService'] as ServiceDefinition;
  return {
    predictionService,
    modelService,
    predict: predictionService['Predict'] as ServingProtocol['predict'],
    getModelMetadata: predictionService['GetModelMetadata'] as ServingProtocol['getModelMetadata'],
    getModelStatus: modelService['GetModelStatus'] as ServingProtocol['getModelStatus'],
    signatureDefMap: definitions['tensorflow.serving.SignatureDefMap'] as ServingProtocol['signatureDefMap'],
  };
}
