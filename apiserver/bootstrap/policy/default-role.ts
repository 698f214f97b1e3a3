import type { ClusterRole, PolicyRule, RbacV1Subject, RoleRef } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import { RBAC_GROUP } from '../../validation/rbac.js';

/** A role that every cluster has. Without a namespace it is a ClusterRole. */
export interface DefaultRole {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly rules?: readonly PolicyRule[];
  readonly aggregationRule?: ClusterRole['aggregationRule'];
}

/** A binding that every cluster has. */
export interface DefaultBinding {
  readonly name: string;
  readonly namespace?: string;
  readonly roleRef: RoleRef;
  readonly subjects: readonly RbacV1Subject[];
}

export const user = (name: string): RbacV1Subject => ({ kind: 'User', apiGroup: RBAC_GROUP, name });
export const group = (name: string): RbacV1Subject => ({ kind: 'Group', apiGroup: RBAC_GROUP, name });
export const account = (name: string, namespace = 'kube-system'): RbacV1Subject => ({
  kind: 'ServiceAccount',
  name,
  namespace,
});
const clusterRoleRef = (name: string): RoleRef => ({ apiGroup: RBAC_GROUP, kind: 'ClusterRole', name });
export const roleRef = (name: string): RoleRef => ({ apiGroup: RBAC_GROUP, kind: 'Role', name });

/** Binds a ClusterRole, by default under its own name. */
export const bindCluster = (role: string, subjects: readonly RbacV1Subject[], name = role): DefaultBinding => ({
  name,
  roleRef: clusterRoleRef(role),
  subjects,
});

/** By this annotation an administrator keeps an object from being brought back to its default. */
export const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate';

export const defaultMetadata = (
  given: Pick<DefaultRole, 'name' | 'namespace' | 'labels'>,
): KubernetesObject['metadata'] =>
  ({
    name: given.name,
    ...(given.namespace === undefined ? {} : { namespace: given.namespace }),
    labels: { ...given.labels, 'kubernetes.io/bootstrapping': 'rbac-defaults' },
    annotations: { [AUTO_UPDATE]: 'true' },
  }) as unknown as KubernetesObject['metadata'];
