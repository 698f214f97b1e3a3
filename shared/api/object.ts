import type { ObjectMeta } from './generated/types.js';
import type { Resource } from './resource.js';

/** Any object of the API as it came from the server. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** An object before the server has filled its metadata: what `create` takes. `name` or `generateName` is set. */
export type Unsaved<T> = Omit<T, 'metadata' | 'apiVersion' | 'kind' | 'status'> & {
  apiVersion?: string;
  kind?: string;
  metadata: Partial<ObjectMeta>;
  status?: T extends { status?: infer S } ? S : never;
};

/** A list as the server answers it. */
export interface ObjectList<T> {
  apiVersion: string;
  kind: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

/** `namespace/name`, or `name` for cluster scope: the key of caches and workqueues. */
export function objectKey(object: { metadata: { name?: string; namespace?: string } }): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name ?? ''}` : (name ?? '');
}

/** Inverse of {@link objectKey}. */
export function splitKey(key: string): { namespace: string | undefined; name: string } {
  const slash = key.indexOf('/');
  return slash < 0
    ? { namespace: undefined, name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** apiVersion and kind of a resource, for objects under construction. */
export function typeMeta(resource: Resource): { apiVersion: string; kind: string } {
  return { apiVersion: resource.apiVersion, kind: resource.kind };
}
