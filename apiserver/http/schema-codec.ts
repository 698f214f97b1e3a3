import { isObject, type JsonObject } from '../../shared/api/json.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { badRequest, excerpt } from '../../shared/errors/bad-request.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { jsonMergePatch } from '../../shared/patch/json-merge-patch.js';
import { jsonPatch } from '../../shared/patch/json-patch.js';
import type { MergeSchema } from '../../shared/patch/merge-schema.js';
import { strategicMergePatch } from '../../shared/patch/strategic-merge-patch.js';
import { decodeBody, decodePatched, protobufMediaType, type DecodeOptions } from '../decode/decode.js';
import { mediaTypeOf, unsupportedMediaType } from '../decode/errors.js';
import { parseJson, parsePatch, parseYaml, SyntaxFault } from '../decode/parse.js';
import { MergeSchemas } from '../patch/merge-schemas.js';
import type { ProtobufCodec } from '../protobuf/codec.js';
import { goValueName } from '../schema/scalar.js';
import type { StructType } from '../schema/schema-type.js';
import type { Schemas } from '../schema/schemas.js';
import {
  customPatchTypes,
  type ExpectedKind,
  type ObjectCodec,
  type ParsedPatch,
  type PatchType,
} from './object-codec.js';
import type { WriteOptions } from '../registry/write-options.js';

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** Media types that say what kind of patch a body is. */
export const patchMediaTypes: readonly string[] = Object.keys(patchTypes);

type Options = Pick<WriteOptions, 'fieldValidation' | 'warn'>;

/** @throws StatusError 400 for what is no object */
function checkMergePatch(value: unknown): void {
  if (value === null) throw badRequest('Invalid JSON Patch');
  if (isObject(value)) return;
  const form = goValueName(value);
  throw badRequest(
    `error decoding patch: json: cannot unmarshal ${form} into Go value of type map[string]interface {}`,
  );
}

const operationFields = ['op', 'path', 'from', 'value'];

/**
 * Fields that no operation has.
 * @throws StatusError 400 for what is no list of operations
 */
function checkJsonPatch(value: unknown): string[] {
  const refuse = (given: unknown, type: string, place = 'value'): never => {
    const reason = `json: cannot unmarshal ${goValueName(given)} into Go ${place} of type ${type}`;
    throw badRequest(`error decoding patch: ${reason}`);
  };
  if (value === null) return [];
  if (!Array.isArray(value)) return refuse(value, '[]handlers.jsonPatchOp');
  return value.flatMap((operation: unknown, index) => {
    if (operation === null) return [];
    if (!isObject(operation)) return refuse(operation, 'handlers.jsonPatchOp');
    for (const name of ['op', 'path', 'from']) {
      const given = operation[name];
      if (given !== undefined && given !== null && typeof given !== 'string') {
        refuse(given, 'string', `struct field jsonPatchOp.${name}`);
      }
    }
    const odd = Object.keys(operation).filter((name) => !operationFields.includes(name));
    return odd.slice(0, 100).map((name) => `unknown field ${JSON.stringify(`[${index}].${excerpt(name, 256)}`)}`);
  });
}

/** Decodes bodies and applies patches along the structure of the kinds. */
export class SchemaCodec implements ObjectCodec {
  readonly #schemas: Schemas;
  readonly #mergeSchemas = new MergeSchemas();
  readonly #isKnownKind: (apiVersion: string, kind: string) => boolean;
  readonly #decodeProtobuf: (bytes: Uint8Array) => JsonObject;

  constructor(schemas: Schemas, protobuf: ProtobufCodec, isKnownKind: (apiVersion: string, kind: string) => boolean) {
    this.#schemas = schemas;
    this.#decodeProtobuf = (bytes) => protobuf.decode(bytes);
    this.#isKnownKind = isKnownKind;
  }

  decode(bytes: Buffer, contentType: string | undefined, expected: ExpectedKind, options: Options): KubernetesObject {
    const { object, warnings } = decodeBody(bytes, contentType, this.#options(expected, options));
    for (const warning of warnings) options.warn(warning);
    return object as unknown as KubernetesObject;
  }

  decodeOptions(bytes: Buffer, contentType: string | undefined): unknown {
    const expected = { apiVersion: 'v1', kind: 'DeleteOptions' };
    const decoded = decodeBody(bytes, contentType, {
      expected,
      structure: this.#schemas.type('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions'),
      fieldValidation: 'Ignore',
      // They come under the apiVersion of the group that they are sent to.
      acceptsAnyVersion: true,
      decodeProtobuf: this.#decodeProtobuf,
    });
    return decoded.object;
  }

  /** A body of any kind as it stands, unchecked: for the audit log. Undefined when it cannot be read. */
  readBody(bytes: Buffer, contentType: string | undefined): unknown {
    const type = mediaTypeOf(contentType);
    try {
      if (type === protobufMediaType) return this.#decodeProtobuf(bytes);
      return (type.endsWith('yaml') ? parseYaml(bytes) : parseJson(bytes)).value;
    } catch (error) {
      if (error instanceof SyntaxFault || error instanceof StatusError) return undefined;
      throw error;
    }
  }

  parsePatch(
    bytes: Buffer,
    contentType: string | undefined,
    { custom, fieldValidation = 'Warn' }: Parameters<ObjectCodec['parsePatch']>[2] = {},
  ): ParsedPatch {
    const type = patchTypes[mediaTypeOf(contentType)];
    if (!type || (custom && type === 'strategic')) {
      throw unsupportedMediaType(custom ? customPatchTypes : patchMediaTypes);
    }
    const { value, strictFaults } = parsePatch(bytes, type === 'apply');
    if (type === 'merge') checkMergePatch(value);
    if (type === 'json') return this.#jsonPatch(value, bytes, strictFaults, fieldValidation);
    return { type, value, text: bytes.toString('utf8'), faults: strictFaults };
  }

  /** Its form is looked at where anybody asks for strictness; the operations themselves when they are applied. */
  #jsonPatch(
    value: unknown,
    bytes: Buffer,
    faults: readonly string[],
    fieldValidation: WriteOptions['fieldValidation'],
  ): ParsedPatch {
    const unknown = fieldValidation === 'Ignore' ? [] : checkJsonPatch(value);
    const all = [...faults, ...unknown].map((fault) => `json patch ${fault}`);
    return { type: 'json', value, text: bytes.toString('utf8'), faults: all };
  }

  applyPatch(
    patch: ParsedPatch,
    current: KubernetesObject,
    expected: ExpectedKind,
    options: Options,
  ): KubernetesObject {
    const patched = this.#patched(patch, current, expected);
    const result = isObject(patched) ? patched : {};
    const decoded = decodePatched(result, patch.text, patch.faults, this.#options(expected, options));
    for (const warning of decoded.warnings) options.warn(warning);
    return decoded.object as unknown as KubernetesObject;
  }

  #patched({ type, value }: ParsedPatch, current: KubernetesObject, expected: ExpectedKind): unknown {
    switch (type) {
      case 'json':
        return jsonPatch(current, value);
      case 'merge':
        return jsonMergePatch(current, value);
      default:
        return strategicMergePatch(current as unknown as JsonObject, value, this.#mergeSchema(expected));
    }
  }

  #mergeSchema(expected: ExpectedKind): MergeSchema | undefined {
    const structure = this.#structure(expected);
    return structure && this.#mergeSchemas.of(structure);
  }

  #structure({ definition }: ExpectedKind): StructType | undefined {
    return definition === undefined ? undefined : this.#schemas.type(definition);
  }

  #options(expected: ExpectedKind, { fieldValidation }: Options): DecodeOptions {
    const structure = this.#structure(expected);
    // The kind of the path is known even where it is no resource of its own: TokenRequest, Scale, Binding ...
    const isKnownKind = (apiVersion: string, kind: string): boolean =>
      (apiVersion === expected.apiVersion && kind === expected.kind) || this.#isKnownKind(apiVersion, kind);
    const decodeProtobuf = this.#decodeProtobuf;
    const { custom } = expected;
    return {
      expected,
      fieldValidation,
      isKnownKind,
      ...(custom ? { read: custom.read } : { decodeProtobuf }),
      ...(structure ? { structure } : {}),
    };
  }
}
