import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import type { StatusError } from '../../shared/errors/status-error.js';
import type { CachedObject } from '../cache/cached-object.js';
import { invalid as invalidField } from '../validation/field-error.js';
import type { ResourceDefinition } from './definition.js';
import { conflict, invalid, modified } from './status-errors.js';
import type { DeleteOptions } from './write-options.js';

/** 409 of a request that names another object, or another state of it, than there is. */
export const preconditionFailed = (
  resource: Resource,
  name: string,
  field: 'UID' | 'ResourceVersion',
  wanted: string,
  found: string,
): StatusError =>
  conflict(
    resource,
    name,
    `Precondition failed: ${field} in precondition: ${wanted}, ${field} in object meta: ${found}`,
  );

/** Of a deletion, an eviction or a binding. Throws 409, which names the kind where others name the resource. */
export function checkPreconditions(
  { resource: { group, kind } }: ResourceDefinition,
  object: KubernetesObject,
  preconditions: DeleteOptions['preconditions'],
): void {
  const { uid, resourceVersion, name } = object.metadata;
  const differs = (field: string, wanted: string, found: string, why: string): StatusError => {
    const text = `the ${field} in the precondition (${wanted}) does not match the ${field} in record (${found})`;
    return conflict({ group, resource: kind }, name, `${text}. ${why}`);
  };
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) {
    throw differs('UID', preconditions.uid, uid, 'The object might have been deleted and then recreated');
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
    const why = 'The object might have been modified';
    throw differs('ResourceVersion', preconditions.resourceVersion, resourceVersion, why);
  }
}

/** Throws 409 when a given resourceVersion is not the current one. */
export function checkVersion(
  { resource }: ResourceDefinition,
  resourceVersion: string | undefined,
  shared: CachedObject,
): void {
  if (resourceVersion && resourceVersion !== String(shared.revision)) throw modified(resource, shared.name);
}

/** What an update says of the state that it takes the place of: 409 where it is another, 422 where it must say it. */
export function checkUpdated(definition: ResourceDefinition, next: KubernetesObject, shared: CachedObject): void {
  const { resource } = definition;
  const { resourceVersion, uid } = next.metadata;
  const currentUid = shared.object.metadata.uid;
  if (uid && uid !== currentUid) throw preconditionFailed(resource, shared.name, 'UID', uid, currentUid);
  if (resourceVersion && resourceVersion !== '0') checkVersion(definition, resourceVersion, shared);
  else if (!definition.allowUnconditionalUpdate) {
    throw invalid({ group: resource.group, kind: resource.resource }, shared.name, [
      invalidField('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
}
