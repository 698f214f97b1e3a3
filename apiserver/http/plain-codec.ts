import type { KubernetesObject } from '../../shared/api/object.js';
import { badRequest } from '../registry/status-errors.js';
import type { ObjectCodec, PatchType } from './object-codec.js';

const types: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}

function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}

export const plainCodec: ObjectCodec = {
  decode: (bytes, _type, expected) => {
    const value = parse(bytes);
    if (typeof value !== 'object' || value === null) throw badRequest('the body is not an object');
    return { ...value, apiVersion: expected.apiVersion, kind: expected.kind } as KubernetesObject;
  },
  decodeOptions: (bytes) => parse(bytes),
  parsePatch: (bytes, contentType) => ({
    type: types[contentType?.split(';')[0] ?? ''] ?? 'merge',
    value: parse(bytes),
    text: bytes.toString('utf8'),
    faults: [],
  }),
  applyPatch: (patch, current) => merge(current, patch.value) as KubernetesObject,
};
