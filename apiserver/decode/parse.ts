import { badRequest } from '../../shared/errors/bad-request.js';
import { ManifestError, readManifests } from '../../shared/manifest/manifest.js';
import { bodyTooLarge, maxBodyBytes, tooManyKeys } from './errors.js';
import { jsonFault } from './json-fault.js';
import { countKeys, findDuplicates, hasMoreKeysThan, scanJson } from './json-scan.js';

/** A body as a JSON value, not yet checked against a type. */
export interface Parsed {
  readonly value: unknown;
  /** What a strict reader refuses: `duplicate field "spec.replicas"`. */
  readonly strictFaults: readonly string[];
}

export interface ParseLimits {
  readonly maxBytes?: number;
  readonly maxDepth?: number;
}

/** Enough for any schema of a custom resource; far from where writing JSON overflows the stack. */
const defaultMaxDepth = 512;
/** The engine reads known keys quickly and learns new ones slowly: these take a tenth of a second. */
const maxDifferentKeys = 25_000;
/** YAML costs a hundred times more to read than JSON: these are more than 1,000 lines, and a tenth of a second. */
const maxYamlTokens = 10_000;
const maxYamlBytes = 1024 * 1024;
const maxStrictFaults = 100;

/** The text is not JSON or YAML; the message is that of the original's parser. */
export class SyntaxFault extends Error {
  override readonly name = 'SyntaxFault';
}

/**
 * Parses JSON within the limits. Own `__proto__` keys stay plain keys.
 * @throws SyntaxFault, or StatusError 413
 */
export function parseJson(bytes: Uint8Array, limits: ParseLimits = {}): Parsed {
  const { maxBytes = maxBodyBytes, maxDepth = defaultMaxDepth } = limits;
  if (bytes.length > maxBytes) throw bodyTooLarge(maxBytes);
  const scan = scanJson(bytes);
  if (scan.maxDepth > maxDepth) throw new SyntaxFault('exceeded max depth');
  if (scan.keys > maxDifferentKeys && hasMoreKeysThan(bytes, maxDifferentKeys)) throw tooManyKeys(maxDifferentKeys);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxFault(jsonFault(text));
  }
  const hasDuplicates = countKeys(value) < scan.keys;
  const duplicates = hasDuplicates ? findDuplicates(text, maxStrictFaults) : [];
  return { value, strictFaults: duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`) };
}

/**
 * Parses one document of YAML, or JSON: a body that starts with a brace is JSON, as kubectl sends it.
 * @throws SyntaxFault, or StatusError 413
 */
export function parseYaml(bytes: Uint8Array, limits: ParseLimits = {}): Parsed {
  if (firstByte(bytes) === 0x7b) return parseJson(bytes, limits);
  const maxBytes = Math.min(limits.maxBytes ?? maxBodyBytes, maxYamlBytes);
  if (bytes.length > maxBytes) throw bodyTooLarge(maxBytes);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const strictFaults: string[] = [];
  try {
    const documents = readManifests(text, {
      maxTokens: maxYamlTokens,
      onDuplicate: (key, { line }) => {
        if (strictFaults.length < maxStrictFaults) {
          strictFaults.push(`yaml: line ${line}: key ${JSON.stringify(key)} already set in map`);
        }
      },
    });
    // The rest of a stream is ignored, as by the original.
    return { value: documents[0]?.value, strictFaults };
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    const place = error.position ? `line ${error.position.line}: column ${error.position.column}: ` : '';
    throw new SyntaxFault(`yaml: ${place}${error.reason}`);
  }
}

/** The first byte that is no white space. */
const firstByte = (bytes: Uint8Array): number | undefined => bytes.find((byte) => byte > 0x20);

/**
 * Parses the body of a patch: JSON, or YAML for server-side apply.
 * @throws StatusError 400 or 413
 */
export function parsePatch(bytes: Uint8Array, isYaml: boolean, limits: ParseLimits = {}): Parsed {
  try {
    return isYaml ? parseYaml(bytes, limits) : parseJson(bytes, limits);
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    throw badRequest(`error decoding patch: ${error.message}`);
  }
}
