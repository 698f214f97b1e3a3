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
