import { clusterrolebindings, clusterroles, rolebindings, roles } from '../../shared/api/generated/resources.js';
import type { ClusterRole, PolicyRule, Role } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import type { User } from '../authentication/user.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { noOpinion, type Attributes, type Authorizer, type Decision, type KnownRules } from './authorizer.js';
import { RbacIndex, type Binding, type Grant } from './rbac-index.js';

/** Allows what Roles, ClusterRoles and their bindings give, as they stand at this moment: it hears every change of them. */
export class RbacAuthorizer implements Authorizer {
  readonly #index = new RbacIndex();

  constructor(objects: ObjectReader) {
    const follow = <T>(resource: Resource<T>, take: (object: T & KubernetesObject, isPresent: boolean) => void): void =>
      objects.follow(resource, take);
    const role = (object: Role | ClusterRole, isPresent: boolean): void => this.#index.setRole(object, isPresent);
    const binding = (object: Binding, isPresent: boolean): void => this.#index.setBinding(object, isPresent);
    follow(clusterroles, role);
    follow(roles, role);
    follow(clusterrolebindings, binding);
    follow(rolebindings, binding);
  }

  authorize(attributes: Attributes): Decision {
    const { user, isResourceRequest } = attributes;
    // Paths outside the resources lie in no namespace: only bindings over the whole cluster speak of them.
    const namespace = isResourceRequest ? attributes.namespace : undefined;
    const found = this.#index.find(user, namespace, ({ role }) => role.rules?.allows(attributes) === true);
    return found ? found.decision : this.#refusal(user, namespace);
  }

  rulesFor(user: User, namespace: string | undefined): KnownRules {
    const rules: PolicyRule[] = [];
    const missing: string[] = [];
    this.#index.find(user, namespace, (grant) => {
      if (grant.role.rules) for (const rule of grant.role.rules.source) rules.push(rule);
      else missing.push(missingRole(grant));
      return false;
    });
    return { rules, ...(missing.length > 0 ? { incomplete: together(missing) } : {}) };
  }

  /** The rules of a role; undefined when it does not exist. */
  rulesOf(kind: string, name: string, namespace: string | undefined): readonly PolicyRule[] | undefined {
    return this.#index.rulesOf(kind, name, namespace);
  }

  /** A binding to a role that is not there is worth telling to whom it was meant for. */
  #refusal(user: User, namespace: string | undefined): Decision {
    let missing: string[] | undefined;
    this.#index.find(user, namespace, (grant) => {
      if (!grant.role.exists) (missing ??= []).push(missingRole(grant));
      return false;
    });
    return missing ? { verdict: 'noOpinion', reason: `RBAC: ${together(missing)}` } : noOpinion;
  }
}

const missingRole = ({ role }: Grant): string =>
  `${role.kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(role.name)} not found`;

function together(errors: readonly string[]): string {
  const distinct = [...new Set(errors)];
  return distinct.length === 1 ? (distinct[0] ?? '') : `[${distinct.join(', ')}]`;
}
