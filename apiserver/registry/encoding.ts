import type { KubernetesObject } from '../../shared/api/object.js';

/**
 * The bytes of an object as they are stored and served. The resourceVersion is the revision of the write, so the bytes
 * of an object never change between the store, a GET, a LIST and a watch event.
 */
export function encodeObject(object: KubernetesObject, revision: number): Buffer {
  object.metadata.resourceVersion = String(revision);
  return Buffer.from(JSON.stringify(object));
}

/** A private copy, free to be changed, of what the bytes say. */
export function decodeObject<T extends KubernetesObject = KubernetesObject>(bytes: Buffer): T {
  return JSON.parse(bytes.toString('utf8')) as T;
}

/** Whether two objects would have the same JSON but for the order of keys: a field without a value is no field. */
export function hasSameEncoding(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => hasSameEncoding(item, b[index]));
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const isCovered = Object.keys(left).every((name) => {
    const other = Object.hasOwn(right, name) ? right[name] : undefined;
    return hasSameEncoding(left[name], other);
  });
  return isCovered && Object.keys(right).every((name) => right[name] === undefined || Object.hasOwn(left, name));
}
