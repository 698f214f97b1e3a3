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
  return Buffer.from(JSON.stringify({ kind, apiVersion, ...rest }));
}

/** How the bytes of each object of a kind begin: what the items of a list leave out, since the list says it. */
export function typeMetaPrefix({ kind, apiVersion }: { kind: string; apiVersion: string }): Buffer {
  return Buffer.from(`${JSON.stringify({ kind, apiVersion }).slice(0, -1)},`);
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

/**
 * Whether two objects would have the same JSON but for the order of keys: a field without a value is no field. Each update
 * asks twice, about whole objects: so it makes no lists of keys, which were a quarter of what an update left to collect.
 */
export function hasSameEncoding(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && hasSameItems(a, b);
  return !Array.isArray(b) && hasSameFields(a as Record<string, unknown>, b as Record<string, unknown>);
}

function hasSameItems(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) {
    if (!hasSameEncoding(left[index], right[index])) return false;
  }
  return true;
}

function hasSameFields(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  let fields = 0;
  for (const name in left) {
    if (left[name] === undefined) continue;
    if (!Object.hasOwn(right, name) || !hasSameEncoding(left[name], right[name])) return false;
    fields++;
  }
  for (const name in right) if (right[name] !== undefined) fields--;
  return fields === 0;
}
