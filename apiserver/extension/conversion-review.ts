import { getField, isObject, type JsonObject } from '../../shared/api/json.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { aggregateMessage } from '../validation/field-error.js';
import { validateAnnotations, validateLabels } from '../validation/object-meta.js';

/** What a conversion webhook got wrong, in the words of the original. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
}

const supported = ['v1', 'v1beta1'];

/** The first version of the review that the server knows, too. */
export function chooseReviewVersion(wanted: readonly string[]): string {
  const found = wanted.find((version) => supported.includes(version));
  if (found === undefined) throw new ConversionError('no supported conversion review versions');
  return found;
}

/** The body of a request; `objects` are bytes already, and stay so. */
export function conversionReview(
  version: string,
  uid: string,
  desiredAPIVersion: string,
  objects: readonly Buffer[],
): Buffer {
  const head = JSON.stringify({ kind: 'ConversionReview', apiVersion: `apiextensions.k8s.io/${version}` });
  const request = JSON.stringify({ uid, desiredAPIVersion });
  const parts: Buffer[] = [Buffer.from(`${head.slice(0, -1)},"request":${request.slice(0, -1)},"objects":[`)];
  objects.forEach((bytes, index) => {
    if (index > 0) parts.push(Buffer.from(','));
    parts.push(bytes);
  });
  parts.push(Buffer.from(']}}'));
  return Buffer.concat(parts);
}

/** The converted objects of an answer, as they came. */
export function readConversion(answer: unknown, version: string, uid: string): readonly unknown[] {
  const given: JsonObject = isObject(answer) ? answer : {};
  const apiVersion = `apiextensions.k8s.io/${version}`;
  const isTyped = given['apiVersion'] === apiVersion && given['kind'] === 'ConversionReview';
  if (version === 'v1' && !isTyped) {
    const got = `${textOf(given['apiVersion'])}, Kind=${textOf(given['kind'])}`;
    throw new ConversionError(`expected webhook response of ${apiVersion}, Kind=ConversionReview, got ${got}`);
  }
  const response = getField(given, 'response');
  if (!isObject(response)) throw new ConversionError('no response provided');
  // The older review did not ask for it.
  if (version === 'v1' && response['uid'] !== uid) {
    const got = JSON.stringify(textOf(response['uid']));
    throw new ConversionError(`expected response.uid=${JSON.stringify(uid)}, got ${got}`);
  }
  const result = isObject(response['result']) ? response['result'] : {};
  if (result['status'] !== 'Success') {
    const message = textOf(result['message']);
    throw new ConversionError(message || `response.result.status was '${textOf(result['status'])}', not 'Success'`);
  }
  const converted: unknown = response['convertedObjects'];
  return Array.isArray(converted) ? converted : [];
}

/**
 * Checks one converted object and gives it back the metadata of the original: a webhook decides about labels and
 * annotations, never about what and whose the object is.
 */
export function acceptConverted(
  converted: unknown,
  original: KubernetesObject,
  apiVersion: string,
  index: number,
): JsonObject {
  const wrong = (why: string): ConversionError =>
    new ConversionError(`returned invalid converted object at index ${index}: ${why}`);
  if (!isObject(converted)) throw wrong("Object 'Kind' is missing");
  if (converted['apiVersion'] !== apiVersion) {
    const got = textOf(converted['apiVersion']);
    throw wrong(`invalid groupVersion (expected ${apiVersion}, received ${got})`);
  }
  if (converted['kind'] !== original.kind) {
    throw wrong(`invalid kind (expected ${original.kind}, received ${textOf(converted['kind'])})`);
  }
  const metadata = getField(converted, 'metadata');
  if (metadata === undefined) throw invalidMetadata(index, 'missing metadata in converted object');
  if (!isObject(metadata)) {
    throw invalidMetadata(index, `invalid metadata of type ${goType(metadata)} in converted object`);
  }
  checkIdentity(metadata, original, wrong);
  return { ...converted, metadata: restored(metadata, original, index) };
}

const identity = [
  ['name', 'name'],
  ['namespace', 'namespace'],
  ['uid', 'UID'],
] as const;

function checkIdentity(metadata: JsonObject, original: KubernetesObject, wrong: (why: string) => Error): void {
  for (const [field, shown] of identity) {
    const expected = original.metadata[field] ?? '';
    const got = textOf(metadata[field]);
    if (expected !== got) throw wrong(`must have the same ${shown}: ${expected} != ${got}`);
  }
}

function restored(metadata: JsonObject, original: KubernetesObject, index: number): JsonObject {
  const result = structuredClone(original.metadata) as unknown as JsonObject;
  for (const field of ['labels', 'annotations'] as const) {
    const given = metadata[field];
    delete result[field];
    if (given === undefined || given === null) continue;
    result[field] = checkedMap(given, field, index);
  }
  return result;
}

function checkedMap(given: unknown, field: 'labels' | 'annotations', index: number): JsonObject {
  if (!isObject(given)) {
    throw invalidMetadata(index, `invalid metadata.${field} of type ${goType(given)} in converted object`);
  }
  for (const [key, value] of Object.entries(given)) {
    if (typeof value === 'string') continue;
    const why = `metadata.${field}[${key}] must be a string, but is ${goType(value)} in converted object`;
    throw invalidMetadata(index, why);
  }
  const validate = field === 'labels' ? validateLabels : validateAnnotations;
  const errors = validate(given as Record<string, string>, `metadata.${field}`);
  if (errors.length > 0) throw invalidMetadata(index, aggregateMessage(errors));
  return given;
}

const invalidMetadata = (index: number, why: string): ConversionError =>
  new ConversionError(`returned invalid metadata in object at index ${index}: ${why}`);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** How the original names what it did not expect. */
function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'string' ? 'string' : isObject(value) ? 'map[string]interface {}' : '<nil>';
}
