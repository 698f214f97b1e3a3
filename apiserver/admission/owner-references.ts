import type { OwnerReference } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Authorizer } from '../authorization/authorizer.js';
import type { ResourceDefinition } from '../registry/definition.js';
import { hasSameEncoding } from '../registry/encoding.js';
import { forbidden } from '../registry/status-errors.js';
import type { AdmissionPlugin, AdmissionRequest } from './admission.js';

/**
 * Whoever makes an object depend on others could have it deleted, and could keep its owners from being deleted: both
 * need the right to do so. Off unless it is asked for, as in the original.
 */
export function ownerReferencesPermission(
  authorizer: Pick<Authorizer, 'authorize'>,
  definitions: () => readonly ResourceDefinition[],
): AdmissionPlugin {
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    validate: (request) => {
      const { operation, object, oldObject, subresource, definition } = request;
      if ((operation !== 'CREATE' && operation !== 'UPDATE') || !object) return;
      if (definition.resource.resource === 'pods' && subresource === 'status') return;
      const [next, before] = [ownersOf(object), ownersOf(oldObject)];
      if (next.length === 0 && before.length === 0) return;
      if (hasSameEncoding(next, before)) return;
      return check(request, next, before, authorizer, definitions());
    },
  };
}

const ownersOf = (object: KubernetesObject | undefined): readonly OwnerReference[] =>
  object?.metadata?.ownerReferences ?? [];

async function check(
  request: AdmissionRequest,
  next: readonly OwnerReference[],
  before: readonly OwnerReference[],
  authorizer: Pick<Authorizer, 'authorize'>,
  definitions: readonly ResourceDefinition[],
): Promise<void> {
  const { user, definition, namespace, name } = request;
  const refuse = (why: string): Error => forbidden(definition.resource, name, why);
  const ask = async (verb: string, about: ResourceDefinition['resource'], subresource: string, of: string) => {
    const { group, version, resource, namespaced } = about;
    const where = namespaced ? namespace : undefined;
    const path = { isResourceRequest: true, path: '', namespace: where };
    return authorizer.authorize({ user, verb, group, version, resource, subresource, name: of, ...path });
  };
  // What one makes oneself one may also delete.
  if (request.operation === 'UPDATE') {
    const { verdict, reason } = await ask('delete', definition.resource, request.subresource, name);
    if (verdict !== 'allow') {
      throw refuse(`cannot set an ownerRef on a resource you can't delete: ${reason}, <nil>`);
    }
  }
  const blocking = new Set(before.filter(({ blockOwnerDeletion }) => blockOwnerDeletion).map(({ uid }) => uid));
  for (const owner of next) {
    if (owner.blockOwnerDeletion !== true || blocking.has(owner.uid)) continue;
    const found = definitions.find(
      ({ resource }) => resource.apiVersion === owner.apiVersion && resource.kind === owner.kind,
    );
    if (!found) {
      const why = `no matches for kind ${JSON.stringify(owner.kind)} in version ${JSON.stringify(owner.apiVersion)}`;
      throw refuse(
        `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${owner.apiVersion} Kind ${owner.kind}: ${why}`,
      );
    }
    const { verdict, reason } = await ask('update', found.resource, 'finalizers', owner.name);
    if (verdict !== 'allow') {
      throw refuse(
        `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${reason}, <nil>`,
      );
    }
  }
}
