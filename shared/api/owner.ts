import type { OwnerReference } from './generated/types.js';
import type { KubernetesObject } from './object.js';
import type { Resource } from './resource.js';

type Owned = { readonly metadata: { readonly ownerReferences?: readonly OwnerReference[] } };

/** The reference that a controller puts on what it makes: managing, and blocking the owner's foreground deletion. */
export function controllerReference(owner: KubernetesObject, resource: Resource): OwnerReference {
  return {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The one owner that manages the object. */
export function controllerOf(object: Owned): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

export function isControlledBy(object: Owned, owner: { readonly metadata: { readonly uid: string } }): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}
