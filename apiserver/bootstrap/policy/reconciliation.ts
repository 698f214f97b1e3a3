import type { ClusterRole, Role } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import { missingRules } from '../../authorization/rule-cover.js';
import type { Binding } from '../../authorization/rbac-index.js';
import { hasSameEncoding } from '../../registry/encoding.js';
import { AUTO_UPDATE, defaultMetadata, type DefaultBinding, type DefaultRole } from './default-role.js';

type StoredRole = (Role | ClusterRole) & KubernetesObject & { aggregationRule?: ClusterRole['aggregationRule'] };
type StoredBinding = Binding & KubernetesObject;

/** What to do with one default object. */
export type Reconciliation<T> =
  { readonly type: 'keep' } | { readonly type: 'create' | 'update' | 'recreate'; readonly object: T };

const keep = { type: 'keep' } as const;
const isProtected = ({ metadata }: KubernetesObject): boolean => metadata.annotations?.[AUTO_UPDATE] === 'false';

/** Permissions that a default role lacks are added; what an administrator gave it beyond them stays. As in the original. */
export function reconcileRole(expected: DefaultRole, existing: StoredRole | undefined): Reconciliation<StoredRole> {
  const { rules, aggregationRule } = expected;
  const metadata = defaultMetadata(expected);
  if (!existing) {
    const kind = expected.namespace === undefined ? 'ClusterRole' : 'Role';
    const object = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind,
      metadata,
      ...(aggregationRule ? { aggregationRule } : {}),
      ...(rules ? { rules: [...rules] } : {}),
    };
    return { type: 'create', object: structuredClone(object) };
  }
  if (isProtected(existing)) return keep;
  const next: StoredRole = { ...existing, metadata: mergedMetadata(existing, metadata) };
  // The rules of an aggregated role are its controller's.
  const missing = aggregationRule ? [] : missingRules(existing.rules ?? [], rules ?? []);
  if (missing.length > 0) next.rules = [...(existing.rules ?? []), ...missing];
  const selectors = existing.aggregationRule?.clusterRoleSelectors ?? [];
  const added = (aggregationRule?.clusterRoleSelectors ?? []).filter(
    (wanted) => !selectors.some((selector) => hasSameEncoding(selector, wanted)),
  );
  if (added.length > 0) next.aggregationRule = { clusterRoleSelectors: [...selectors, ...added] };
  return changed(existing, next);
}

/** Subjects that a default binding lacks are added. To whom it leads cannot be changed: a wrong one is made anew. */
export function reconcileBinding(
  expected: DefaultBinding,
  existing: StoredBinding | undefined,
): Reconciliation<StoredBinding> {
  const metadata = defaultMetadata(expected);
  const fresh = structuredClone({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: expected.namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata,
    roleRef: expected.roleRef,
    ...(expected.subjects.length > 0 ? { subjects: [...expected.subjects] } : {}),
  });
  if (!existing) return { type: 'create', object: fresh };
  if (isProtected(existing)) return keep;
  if (!hasSameEncoding(existing.roleRef, expected.roleRef)) return { type: 'recreate', object: fresh };
  const subjects = existing.subjects ?? [];
  const added = expected.subjects.filter((wanted) => !subjects.some((subject) => hasSameEncoding(subject, wanted)));
  const next: StoredBinding = {
    ...existing,
    metadata: mergedMetadata(existing, metadata),
    ...(added.length > 0 ? { subjects: [...subjects, ...added] } : {}),
  };
  return changed(existing, next);
}

/** What an administrator set stays. */
function mergedMetadata(
  existing: KubernetesObject,
  expected: KubernetesObject['metadata'],
): KubernetesObject['metadata'] {
  return {
    ...existing.metadata,
    labels: { ...expected.labels, ...existing.metadata.labels },
    annotations: { ...expected.annotations, ...existing.metadata.annotations },
  };
}

const changed = <T>(existing: T, next: T): Reconciliation<T> =>
  hasSameEncoding(existing, next) ? keep : { type: 'update', object: structuredClone(next) };
