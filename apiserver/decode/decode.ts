import { isObject, type JsonObject } from '../../shared/api/json.js';
import { badRequest, excerpt } from '../../shared/errors/bad-request.js';
import { StatusError, type StatusCause } from '../../shared/errors/status-error.js';
import { invalid } from '../registry/status-errors.js';
import { goValueName } from '../schema/scalar.js';
import type { StructType } from '../schema/schema-type.js';
import { checkStructure, StructureError, type Structured } from '../schema/structure.js';
import { invalid as invalidField } from '../validation/field-error.js';
import { bodyTooLarge, maxBodyBytes, mediaTypeOf, summarizeBody, unsupportedMediaType } from './errors.js';
import { parseJson, parseYaml, SyntaxFault, type Parsed } from './parse.js';

/** What is done about fields that a type lacks and keys that stand twice. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface DecodeOptions {
  /** What the request's path is about; also what a body without apiVersion and kind is taken for. */
  readonly expected: { readonly apiVersion: string; readonly kind: string };
  /** Structure of the kind; absent: any object (custom resources are checked by their own schema). */
  readonly structure?: StructType;
  /** Takes the place of the structure where that is not a compiled one: a body must then say what it is. */
  readonly read?: (object: JsonObject) => Structured;
  /** Default: Warn, as in the original. */
  readonly fieldValidation?: FieldValidation;
  readonly maxBytes?: number;
  /** Take any apiVersion: DeleteOptions come under that of the group they are sent to. */
  readonly acceptsAnyVersion?: boolean;
  /** Tells kinds that exist, but not here, from kinds that do not exist. Default: every kind exists. */
  readonly isKnownKind?: (apiVersion: string, kind: string) => boolean;
  /** Decodes `application/vnd.kubernetes.protobuf`; without it that media type is refused. */
  readonly decodeProtobuf?: (bytes: Uint8Array) => JsonObject;
}

export interface Decoded {
  /** apiVersion and kind are set. */
  readonly object: JsonObject;
  /** Texts for Warning headers. */
  readonly warnings: readonly string[];
}

/** Makes the error for a body that is refused. */
type Refusal = (reason: string, causes?: readonly StatusCause[]) => StatusError;

const jsonMediaType = 'application/json';
const yamlMediaType = 'application/yaml';
export const protobufMediaType = 'application/vnd.kubernetes.protobuf';

/**
 * Decodes the body of a create or update.
 * @throws StatusError 400, 413 or 415 with the original's messages
 */
export function decodeBody(bytes: Uint8Array, contentType: string | undefined, options: DecodeOptions): Decoded {
  const { expected, maxBytes = maxBodyBytes } = options;
  if (bytes.length > maxBytes) throw bodyTooLarge(maxBytes);
  const parsed = parse(bytes, contentType, options);
  const object = identify(parsed.value, bytes, options);
  return check(object, parsed.strictFaults, options, (reason, causes) =>
    cannotBeHandled(object, expected.kind, reason, causes),
  );
}

/**
 * Checks the outcome of a patch, which is read as a body would be.
 * @param shown the outcome or the patch, for the message
 * @param faults what a strict reader found in the patch itself
 * @throws StatusError 422
 */
export function decodePatched(
  object: JsonObject,
  shown: string,
  faults: readonly string[],
  options: DecodeOptions,
): Decoded {
  const refusal = (reason: string): StatusError => {
    const message = `Invalid value: ${JSON.stringify(excerpt(shown))}: ${excerpt(reason, 16_384)}`;
    return new StatusError(422, 'Invalid', ` "" is invalid: patch: ${message}`, {
      causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }],
    });
  };
  if (!options.read) {
    // A patch cannot make another kind of an object.
    const { apiVersion, kind } = options.expected;
    return check(Object.assign(object, { apiVersion, kind }), faults, options, refusal);
  }
  if (object['kind'] === undefined || object['kind'] === '') {
    throw refusal(`Object 'Kind' is missing in '${excerpt(JSON.stringify(object))}'`);
  }
  const decoded = check(object, faults, options, refusal);
  refuseOtherKind(object, options);
  return decoded;
}

function parse(bytes: Uint8Array, contentType: string | undefined, options: DecodeOptions): Parsed {
  try {
    switch (mediaTypeOf(contentType)) {
      case '':
      case jsonMediaType:
        return parseJson(bytes, options);
      case yamlMediaType:
        return parseYaml(bytes, options);
      case protobufMediaType:
        if (options.decodeProtobuf) return { value: options.decodeProtobuf(bytes), strictFaults: [] };
    }
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    throw unrecognized(`couldn't get version/kind; json parse error: ${error.message}`, bytes, options);
  }
  throw unsupportedMediaType([jsonMediaType, yamlMediaType, ...(options.decodeProtobuf ? [protobufMediaType] : [])]);
}

const unrecognized = (reason: string, bytes: Uint8Array, { expected }: DecodeOptions): StatusError =>
  badRequest(
    `the object provided is unrecognized (must be of type ${expected.kind}): ${reason} (${summarizeBody(bytes)})`,
  );

/** Completes apiVersion and kind, and makes sure that they are those of the path. */
function identify(value: unknown, bytes: Uint8Array, options: DecodeOptions): JsonObject {
  const { expected, isKnownKind = () => true } = options;
  if (!isObject(value)) throw unrecognized(notAnObject(value), bytes, options);
  for (const name of ['apiVersion', 'kind']) {
    const given = value[name] ?? '';
    if (typeof given !== 'string') {
      const reason = `json: cannot unmarshal ${typeof given} into Go struct field .${name} of type string`;
      throw unrecognized(`couldn't get version/kind; json parse error: ${reason}`, bytes, options);
    }
  }
  if (options.read) return identifyCustom(value, bytes, options);
  const apiVersion = (value['apiVersion'] as string | null | undefined) || expected.apiVersion;
  const kind = (value['kind'] as string | null | undefined) || expected.kind;
  const object =
    value['apiVersion'] && value['kind'] ? value : Object.assign({ apiVersion, kind }, value, { apiVersion, kind });
  if (!isKnownKind(apiVersion, kind)) {
    const reason = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`;
    throw cannotBeHandled(object, expected.kind, `${reason} in scheme "pkg/api/legacyscheme/scheme.go:30"`);
  }
  if (kind !== expected.kind) {
    const from = `${versionOf(apiVersion)}.${kind}`;
    const to = `${groupOf(expected.apiVersion)}.${expected.kind}`;
    throw cannotBeHandled(object, expected.kind, `converting (${from}) to (${to}): unknown conversion`);
  }
  if (apiVersion !== expected.apiVersion && !options.acceptsAnyVersion) {
    throw otherVersion(apiVersion, expected.apiVersion);
  }
  return object;
}

function notAnObject(value: unknown): string {
  const head = "couldn't get version/kind; json parse error:";
  if (value === undefined) return `${head} unexpected end of JSON input`;
  if (value === null) return "Object 'Kind' is missing in 'null'";
  const form = Array.isArray(value) ? 'array' : goValueName(value);
  const type =
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  return `${head} json: cannot unmarshal ${form} into Go value of type ${type}`;
}

/** Nothing is taken for a custom resource that does not say that it is one. */
function identifyCustom(value: JsonObject, bytes: Uint8Array, options: DecodeOptions): JsonObject {
  const { expected, fieldValidation = 'Warn' } = options;
  const { apiVersion = '', kind = '' } = value as { readonly apiVersion?: string; readonly kind?: string };
  if (kind === '') {
    const reason = `Object 'Kind' is missing in '${excerpt(Buffer.from(bytes).toString('utf8'))}'`;
    if (fieldValidation !== 'Ignore') throw unrecognized(reason, bytes, options);
    throw cannotBeHandled({ ...expected }, expected.kind, reason);
  }
  if (apiVersion.split('/').length > 2) {
    throw unrecognized(`unexpected GroupVersion string: ${excerpt(apiVersion, 256)}`, bytes, options);
  }
  if (apiVersion !== expected.apiVersion) throw otherVersion(apiVersion, expected.apiVersion);
  refuseOtherKind(value, options);
  return value;
}

const otherVersion = (given: string, expected: string): StatusError =>
  badRequest(
    `the API version in the data (${excerpt(given, 256)}) does not match the expected API version (${expected})`,
  );

/** @throws StatusError 422 where a custom resource would become another kind of object */
function refuseOtherKind(object: JsonObject, { expected }: DecodeOptions): void {
  const name = isObject(object['metadata']) ? object['metadata']['name'] : undefined;
  const faults = (['kind', 'apiVersion'] as const)
    .filter((field) => object[field] !== expected[field])
    .map((field) => invalidField(field, object[field], `must be ${expected[field]}`));
  if (faults.length === 0) return;
  const group = String(object['apiVersion']).includes('/') ? String(object['apiVersion']).split('/', 1)[0] : '';
  throw invalid({ group: group ?? '', kind: String(object['kind']) }, typeof name === 'string' ? name : '', faults);
}

const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.lastIndexOf('/') + 1);
/** Name of the Go package of a group's own types. */
const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split(/[./]/, 1)[0] ?? '') : 'core';

function cannotBeHandled(
  object: JsonObject,
  expectedKind: string,
  reason: string,
  causes: readonly StatusCause[] = [],
): StatusError {
  const version = JSON.stringify(excerpt(versionOf(String(object['apiVersion'])), 256));
  const kind = excerpt(String(object['kind']), 256);
  const message = `${kind} in version ${version} cannot be handled as a ${expectedKind}: ${excerpt(reason, 16_384)}`;
  return causes.length === 0 ? badRequest(message) : new StatusError(400, 'BadRequest', message, { causes });
}

function check(object: JsonObject, faults: readonly string[], options: DecodeOptions, refusal: Refusal): Decoded {
  const { structure, read, fieldValidation = 'Warn' } = options;
  const reader = read ?? (structure && ((value: JsonObject) => checkStructure(value, structure)));
  const structured = reader ? structureOf(object, reader, refusal) : { object, unknown: [], suggestions: new Map() };
  if (fieldValidation === 'Ignore') return { object: structured.object, warnings: [] };
  const strict = [...faults, ...structured.unknown.map((path) => `unknown field ${JSON.stringify(excerpt(path))}`)];
  if (strict.length > 0 && fieldValidation === 'Strict') {
    throw refusal(`strict decoding error: ${strict.join(', ')}`, unknownFieldCauses(structured));
  }
  return { object: structured.object, warnings: strict };
}

/** Beyond the original, whose message stays as it is: each unknown field, and what was probably meant. */
function unknownFieldCauses({ unknown, suggestions }: Pick<Structured, 'unknown' | 'suggestions'>): StatusCause[] {
  return unknown.map((field) => {
    const meant = suggestions.get(field);
    const message = meant === undefined ? 'unknown field' : `unknown field, did you mean ${JSON.stringify(meant)}?`;
    return { reason: 'FieldValueInvalid', message, field: excerpt(field) };
  });
}

function structureOf(object: JsonObject, read: (object: JsonObject) => Structured, refusal: Refusal): Structured {
  try {
    return read(object);
  } catch (error) {
    if (!(error instanceof StructureError)) throw error;
    throw refusal(error.message, wrongValueCauses(error));
  }
}

/** Beyond the original, whose message often does not say where. */
function wrongValueCauses({ message, field }: StructureError): StatusCause[] {
  return field === undefined
    ? []
    : [{ reason: 'FieldValueInvalid', message: excerpt(message, 1024), field: excerpt(field) }];
}
