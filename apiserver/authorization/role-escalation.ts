import type { ClusterRole, PolicyRule, Role } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { AdmissionRequest } from '../admission/admission.js';
import type { User } from '../authentication/user.js';
import { hasSameEncoding } from '../registry/encoding.js';
import { forbidden } from '../registry/status-errors.js';
import { RBAC_GROUP } from '../validation/rbac.js';
import { PRIVILEGED_GROUP, type Attributes, type Authorizer } from './authorizer.js';
import type { RbacAuthorizer } from './rbac-authorizer.js';
import type { Binding } from './rbac-index.js';
import { compactRules, describeRule, missingRules, quotedList } from './rule-cover.js';

const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/**
 * Nobody gives away what he does not have: who writes a role must hold its rules, or may `escalate` it; who writes a binding
 * must hold the rules of its role, or may `bind` it. Runs before admission, as in the original.
 */
export class RoleEscalation {
  readonly #authorizer: Authorizer;
  readonly #rbac: RbacAuthorizer;

  constructor(authorizer: Authorizer, rbac: RbacAuthorizer) {
    this.#authorizer = authorizer;
    this.#rbac = rbac;
  }

  /** Undefined when there is nothing to wait for. Throws or rejects with 403. */
  check(request: AdmissionRequest): Promise<void> | undefined {
    const { object, oldObject, user } = request;
    const { group, resource } = request.definition.resource;
    if (group !== RBAC_GROUP || !object || user.groups.includes(PRIVILEGED_GROUP)) return undefined;
    // The garbage collector takes owners and finalizers away from what it could never grant.
    if (oldObject && changesOnlyOwnership(object, oldObject)) return undefined;
    return resource.endsWith('bindings')
      ? this.#checkBinding(request, object as unknown as Binding)
      : this.#checkRole(request, object as unknown as Role & KubernetesObject);
  }

  async #checkRole(request: AdmissionRequest, role: Role & KubernetesObject): Promise<void> {
    const { resource } = request.definition;
    const { name, namespace } = role.metadata;
    if (await this.#may(request.user, 'escalate', resource.resource, namespace, name)) return;
    // Not checked yet: verbs may be missing.
    const wanted = (role.rules ?? []).map((rule: Partial<PolicyRule>) => ({ ...rule, verbs: rule.verbs ?? [] }));
    this.#confirm(request, wanted, namespace);
    const hasAggregation = (given: KubernetesObject | undefined): boolean =>
      ((given as unknown as ClusterRole | undefined)?.aggregationRule?.clusterRoleSelectors ?? []).length > 0;
    if (!hasAggregation(request.object) && !hasAggregation(request.oldObject)) return;
    // Such a role grows with roles that somebody else writes later.
    if (missingRules(this.#rulesOf(request.user, namespace), everything).length > 0) {
      throw forbidden(resource, name, 'must have cluster-admin privileges to use the aggregationRule');
    }
  }

  async #checkBinding(request: AdmissionRequest, { metadata, roleRef }: Binding): Promise<void> {
    const { kind, name } = roleRef ?? {};
    const { namespace } = metadata;
    // Validation tells what is wrong with other kinds.
    if (kind !== 'ClusterRole' && !(kind === 'Role' && namespace !== undefined)) return;
    const isCluster = kind === 'ClusterRole';
    if (await this.#may(request.user, 'bind', isCluster ? 'clusterroles' : 'roles', namespace, name)) return;
    const rules = this.#rbac.rulesOf(kind, name, namespace);
    if (!rules) {
      const resource = isCluster ? 'clusterroles' : 'roles';
      const message = `${resource}.${RBAC_GROUP} ${JSON.stringify(name)} not found`;
      throw new StatusError(404, 'NotFound', message, { name, group: RBAC_GROUP, kind: resource });
    }
    this.#confirm(request, rules, namespace);
  }

  async #may(
    user: User,
    verb: string,
    resource: string,
    namespace: string | undefined,
    name: string,
  ): Promise<boolean> {
    const attributes: Attributes = {
      user,
      verb,
      isResourceRequest: true,
      group: RBAC_GROUP,
      version: '*',
      resource,
      subresource: '',
      namespace,
      name,
      path: '',
    };
    return (await this.#authorizer.authorize(attributes)).verdict === 'allow';
  }

  #rulesOf(user: User, namespace: string | undefined): readonly PolicyRule[] {
    return this.#rbac.rulesFor(user, namespace).rules;
  }

  #confirm(request: AdmissionRequest, wanted: readonly PolicyRule[], namespace: string | undefined): void {
    const { user, definition, object } = request;
    const { rules, incomplete } = this.#rbac.rulesFor(user, namespace);
    const missing = missingRules(rules, wanted);
    if (missing.length === 0) return;
    const described = [...new Set(compactRules(missing).map(describeRule))].sort();
    const why =
      `user ${JSON.stringify(user.name)} (groups=${quotedList(user.groups)}) is attempting to grant RBAC permissions ` +
      `not currently held:\n${described.join('\n')}`;
    const unresolved = incomplete === undefined ? '' : `; resolution errors: [${incomplete}]`;
    throw forbidden(definition.resource, object?.metadata.name ?? '', why + unresolved);
  }
}

function changesOnlyOwnership(next: KubernetesObject, old: KubernetesObject): boolean {
  const rest = (object: KubernetesObject): object => {
    const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _fields, ...metadata } = object.metadata;
    return { ...object, metadata: { ...metadata, resourceVersion: undefined } };
  };
  return hasSameEncoding(rest(next), rest(old));
}
