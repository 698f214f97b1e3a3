import type { KubernetesObject } from '../../shared/api/object.js';

/**
 * The bytes of an object as they are stored and served. The resourceVersion is the revision of the write, so the bytes
 * of an object never change between the store, a GET, a LIST and a watch event.
 */
export function encodeObject(object: KubernetesObject, revision: number): Buffer {
  object.metadata.resourceVersion = String(revision);
  return encodeTyped(object);
}

/** JSON that begins with {@link typeMetaPrefix}, whatever the order of the object's own fields. */
export function encodeTyped({ kind, apiVersion, ...rest }: KubernetesObject): Buffer {
  return Buffer.from(typeMetaText(kind, apiVersion) + JSON.stringify(rest).slice(1));
}

const typeMetaText = (kind: string, apiVersion: string): string =>
  `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`;

/** How the bytes of each object of a kind begin: what the items of a list leave out, since the list says it. */
export function typeMetaPrefix({ kind, apiVersion }: { kind: string; apiVersion: string }): Buffer {
  return Buffer.from(typeMetaText(kind, apiVersion));
}

/** The bytes without their type: `{` and what follows the prefix. Objects of older stores may have another order of fields. */
export function withoutTypeMeta(bytes: Buffer): Buffer {
  const { kind: _, apiVersion: __, ...rest } = decodeObject(bytes);
  return Buffer.from(JSON.stringify(rest));
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
