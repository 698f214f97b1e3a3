import type { ClusterRole, PolicyRule, RbacV1Subject, Role, RoleRef } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { User } from '../authentication/user.js';
import type { Decision } from './authorizer.js';
import { CompiledRules } from './compiled-rules.js';

/** A role that bindings point to, whether it exists or not. */
class RoleSlot {
  readonly kind: string;
  readonly name: string;
  /** Bindings that point here. A slot that nobody points to and nothing is in is forgotten. */
  bindings = 0;
  #rules: readonly PolicyRule[] | undefined;
  #compiled: CompiledRules | undefined;

  constructor(kind: string, name: string) {
    this.kind = kind;
    this.name = name;
  }

  get exists(): boolean {
    return this.#rules !== undefined;
  }

  /** Undefined: the role does not exist. Compiled when first asked, since most roles of a cluster never are. */
  get rules(): CompiledRules | undefined {
    if (this.#rules !== undefined) this.#compiled ??= new CompiledRules(this.#rules);
    return this.#compiled;
  }

  set(rules: readonly PolicyRule[] | undefined): void {
    this.#rules = rules;
    this.#compiled = undefined;
  }
}

/** One binding as one of its subjects sees it. */
export interface Grant {
  readonly role: RoleSlot;
  /** The answer to whom it allows something, made once. */
  readonly decision: Decision;
  readonly bindingKey: string;
}

interface Grants {
  readonly cluster: Grant[];
  readonly namespaced: Map<string, Grant[]>;
}

export interface Binding {
  readonly metadata: KubernetesObject['metadata'];
  readonly roleRef: RoleRef;
  readonly subjects?: readonly RbacV1Subject[];
}

/**
 * Roles and bindings the other way round: from a user or group to what it is granted. Changes touch only the subjects of
 * the binding that changed, or one slot for a role, so a cluster of many bindings costs a request nothing.
 */
export class RbacIndex {
  readonly #roles = new Map<string, RoleSlot>();
  readonly #users = new Map<string, Grants>();
  readonly #groups = new Map<string, Grants>();
  readonly #bound = new Map<string, Binding>();

  setRole(role: Role | ClusterRole, isPresent: boolean): void {
    const { name, namespace } = role.metadata as KubernetesObject['metadata'];
    const slot = this.#slot(namespace === undefined ? 'ClusterRole' : 'Role', name, namespace);
    slot.set(isPresent ? (role.rules ?? []) : undefined);
    this.#forgetEmpty(slot, namespace);
  }

  setBinding(binding: Binding, isPresent: boolean): void {
    const { name, namespace } = binding.metadata;
    const key = `${namespace ?? ''}/${name}`;
    const before = this.#bound.get(key);
    if (before) this.#remove(before, key);
    if (!isPresent) return;
    this.#bound.set(key, binding);
    const role = this.#slot(binding.roleRef.kind, binding.roleRef.name, namespace);
    role.bindings += 1;
    for (const subject of binding.subjects ?? []) {
      const at = this.#grantsOf(subject, namespace);
      if (!at) continue;
      const grant: Grant = { role, bindingKey: key, decision: decisionOf(binding, subject) };
      if (namespace === undefined) at.cluster.push(grant);
      else append(at.namespaced, namespace, grant);
    }
  }

  /** The rules of a role; undefined when it does not exist. */
  rulesOf(kind: string, name: string, namespace: string | undefined): readonly PolicyRule[] | undefined {
    return this.#roles.get(slotKey(kind, name, namespace))?.rules?.source;
  }

  /** The first grant, those over the whole cluster first, that `wanted` accepts. */
  find(user: User, namespace: string | undefined, wanted: (grant: Grant) => boolean): Grant | undefined {
    const own = this.#users.get(user.name);
    const found = own && findIn(own, namespace, wanted);
    if (found) return found;
    for (const group of user.groups) {
      const grants = this.#groups.get(group);
      const shared = grants && findIn(grants, namespace, wanted);
      if (shared) return shared;
    }
    return undefined;
  }

  #slot(kind: string, name: string, namespace: string | undefined): RoleSlot {
    const key = slotKey(kind, name, namespace);
    let slot = this.#roles.get(key);
    if (!slot) this.#roles.set(key, (slot = new RoleSlot(kind, name)));
    return slot;
  }

  #forgetEmpty(slot: RoleSlot, namespace: string | undefined): void {
    if (!slot.exists && slot.bindings === 0) this.#roles.delete(slotKey(slot.kind, slot.name, namespace));
  }

  #grantsOf(subject: RbacV1Subject, bindingNamespace: string | undefined): Grants | undefined {
    const name = subjectName(subject, bindingNamespace);
    if (name === undefined) return undefined;
    const map = subject.kind === 'Group' ? this.#groups : this.#users;
    let grants = map.get(name);
    if (!grants) map.set(name, (grants = { cluster: [], namespaced: new Map() }));
    return grants;
  }

  #remove(binding: Binding, key: string): void {
    this.#bound.delete(key);
    const { namespace } = binding.metadata;
    const role = this.#slot(binding.roleRef.kind, binding.roleRef.name, namespace);
    role.bindings -= 1;
    this.#forgetEmpty(role, namespace);
    for (const subject of binding.subjects ?? []) {
      const name = subjectName(subject, namespace);
      const map = subject.kind === 'Group' ? this.#groups : this.#users;
      const grants = name === undefined ? undefined : map.get(name);
      if (!grants || name === undefined) continue;
      if (namespace === undefined) removeOf(grants.cluster, key);
      else {
        const list = grants.namespaced.get(namespace);
        if (list) removeOf(list, key);
        if (list?.length === 0) grants.namespaced.delete(namespace);
      }
      if (grants.cluster.length === 0 && grants.namespaced.size === 0) map.delete(name);
    }
  }
}

/** Roles live in the namespace of their binding, ClusterRoles in none. */
const slotKey = (kind: string, name: string, namespace: string | undefined): string =>
  kind === 'Role' ? `${namespace ?? ''}/${name}` : `/${name}`;

function subjectName(
  { kind, name, namespace }: RbacV1Subject,
  bindingNamespace: string | undefined,
): string | undefined {
  if (kind === 'User' || kind === 'Group') return name;
  if (kind !== 'ServiceAccount') return undefined;
  const home = namespace || bindingNamespace;
  return home ? `system:serviceaccount:${home}:${name}` : undefined;
}

function findIn(grants: Grants, namespace: string | undefined, wanted: (grant: Grant) => boolean): Grant | undefined {
  for (const grant of grants.cluster) if (wanted(grant)) return grant;
  if (namespace === undefined || grants.namespaced.size === 0) return undefined;
  return grants.namespaced.get(namespace)?.find(wanted);
}

function append(map: Map<string, Grant[]>, key: string, grant: Grant): void {
  const list = map.get(key);
  if (list) list.push(grant);
  else map.set(key, [grant]);
}

function removeOf(grants: Grant[], bindingKey: string): void {
  for (let i = grants.length - 1; i >= 0; i--) if (grants[i]?.bindingKey === bindingKey) grants.splice(i, 1);
}

function decisionOf({ metadata, roleRef }: Binding, subject: RbacV1Subject): Decision {
  const { name, namespace } = metadata;
  const binding =
    namespace === undefined ? `ClusterRoleBinding ${quoted(name)}` : `RoleBinding ${quoted(`${name}/${namespace}`)}`;
  const whom =
    subject.kind === 'ServiceAccount'
      ? `ServiceAccount ${quoted(`${subject.name}/${subject.namespace || (namespace ?? '')}`)}`
      : `${subject.kind} ${quoted(subject.name)}`;
  const reason = `RBAC: allowed by ${binding} of ${roleRef.kind} ${quoted(roleRef.name)} to ${whom}`;
  return Object.freeze({ verdict: 'allow', reason });
}

const quoted = (text: string): string => JSON.stringify(text);
