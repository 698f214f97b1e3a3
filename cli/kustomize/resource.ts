import type { AnyObject } from '../server-api.js';

/** By what an object was known at some layer. */
export interface Identity {
  readonly name: string;
  readonly namespace: string | undefined;
}

/** An object on its way through the layers, with all that it was called: others refer to it by a former name. */
export interface Resource {
  object: AnyObject;
  readonly identities: Identity[];
  /** Folders of the kustomizations that it went through, the innermost first. */
  readonly layers: string[];
  /** Its name gets a hash of its content, so that a change is a new object. */
  needsHash: boolean;
}

export const groupOf = ({ apiVersion }: AnyObject): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
export const versionOf = ({ apiVersion }: AnyObject): string => apiVersion.split('/').at(-1) ?? '';
export const nameOf = ({ metadata }: AnyObject): string => metadata.name ?? '';

export function newResource(object: AnyObject, needsHash = false): Resource {
  return { object, identities: [identityOf(object)], layers: [], needsHash };
}

export const identityOf = (object: AnyObject): Identity => ({
  name: nameOf(object),
  namespace: object.metadata.namespace,
});

/** Whether it is, or was, called so. Without a namespace any will do. */
export function wasCalled({ identities, object }: Resource, name: string, namespace?: string): boolean {
  return [...identities, identityOf(object)].some(
    (known) => known.name === name && (namespace === undefined || (known.namespace ?? 'default') === namespace),
  );
}

/** As kustomize writes an object in its messages. */
export function describe({ kind, ...object }: AnyObject): string {
  const group = groupOf({ kind, ...object });
  const { name = '', namespace } = object.metadata;
  return `${kind}.${versionOf({ kind, ...object })}.${group || '[noGrp]'}/${name}.${namespace ?? '[noNs]'}`;
}
