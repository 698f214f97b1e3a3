import type { RbacV1Subject, RoleRef } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Column } from '../registry/definition.js';
import { RBAC_GROUP } from '../validation/rbac.js';
import { ageColumn, column, nameColumn, wideColumn } from './column.js';

interface Binding {
  roleRef: RoleRef;
  subjects?: RbacV1Subject[];
}

/** What RoleBindings and ClusterRoleBindings leave out most often. */
export function setBindingDefaults({ roleRef, subjects }: Binding): void {
  if (roleRef) roleRef.apiGroup ||= RBAC_GROUP;
  for (const subject of subjects ?? []) {
    if (!subject || (subject.kind !== 'User' && subject.kind !== 'Group')) continue;
    subject.apiGroup ||= RBAC_GROUP;
  }
}

/** Columns of both kinds of bindings. */
export function bindingColumns<T extends KubernetesObject & Binding>(): Column<T>[] {
  const names = (kind: string, text: (subject: RbacV1Subject) => string) => (binding: T) =>
    (binding.subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(text)
      .join(', ');
  return [
    nameColumn(),
    column('Role', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`, { description: 'The role that is granted.' }),
    ageColumn(),
    wideColumn(
      'Users',
      names('User', ({ name }) => name),
      { description: 'Users who hold the role.' },
    ),
    wideColumn(
      'Groups',
      names('Group', ({ name }) => name),
      { description: 'Groups whose members hold the role.' },
    ),
    wideColumn(
      'ServiceAccounts',
      names('ServiceAccount', ({ namespace = '', name }) => `${namespace}/${name}`),
      { description: 'ServiceAccounts that hold the role.' },
    ),
  ];
}
