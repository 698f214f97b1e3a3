import { isObject } from '../shared/api/json.js';
import { StatusError } from '../shared/errors/status-error.js';
import { jsonMergePatch } from '../shared/patch/json-merge-patch.js';
import { jsonPatch } from '../shared/patch/json-patch.js';
import { strategicMergePatch } from '../shared/patch/strategic-merge-patch.js';
import { Failure } from './cluster/failure.js';
import type { AnyObject } from './server-api.js';
import type { TypeTables } from './type-tables.js';

/** The patches that change a given object; server-side apply is none of them. */
export type PatchType = 'json' | 'merge' | 'strategic';

export const isPatchType = (text: string): text is PatchType =>
  text === 'json' || text === 'merge' || text === 'strategic';

/**
 * What the server would make of an object, for those that no server sees: of files (`--local`), and of what is only shown
 * (`--dry-run=client`). @throws Failure where the patch is refused, or leaves no object
 */
export function patchHere(object: AnyObject, patch: unknown, type: PatchType, types: TypeTables): AnyObject {
  const patched = here(() => patchedBy(object, patch, type, types));
  if (!isObject(patched)) {
    const form = Array.isArray(patched) ? 'array' : typeof patched;
    throw new Failure(`json: cannot unmarshal ${form} into Go value of type unstructured.detector`);
  }
  if (typeof patched['kind'] !== 'string' || patched['kind'] === '')
    throw new Failure(`Object 'Kind' is missing in '${JSON.stringify(sortedFields(patched))}'`);
  return patched as AnyObject;
}

function patchedBy(object: AnyObject, patch: unknown, type: PatchType, types: TypeTables): unknown {
  if (type === 'json') return jsonPatch(object, patch);
  if (type === 'merge') return jsonMergePatch(object, patch);
  const schema = types.typeOf(object);
  if (schema) return strategicMergePatch(object, patch, schema);
  const { apiVersion, kind } = object;
  throw new Failure(`strategic merge patch is not supported for ${apiVersion}, Kind=${kind} locally, try --type merge`);
}

/** Runs a patch that no server sees: what it refuses is a failure of ours. @throws Failure */
export function here<T>(patch: () => T): T {
  try {
    return patch();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const reason = (error.details?.causes?.[0]?.message ?? error.message).trimEnd();
    const [, missing] = /doc is missing key: (.*)$/s.exec(reason) ?? [];
    throw new Failure(missing === undefined ? reason : `Object to be patched is missing field (${missing})`);
  }
}

const sortedFields = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortedFields);
  if (!isObject(value)) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, inner]): [string, unknown] => [name, sortedFields(inner)]));
};
