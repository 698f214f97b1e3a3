import { Failure } from '../cluster/failure.js';
import type { FoundObject } from '../found-objects.js';

export interface SubjectFlags {
  user?: readonly string[];
  group?: readonly string[];
  serviceaccount?: readonly string[];
}

interface Subject {
  readonly kind: string;
  readonly apiGroup?: string;
  readonly name: string;
  readonly namespace?: string;
}

/** The subjects that the flags name. @throws Failure for a ServiceAccount without its namespace, and where there are none. */
export function subjectsOf({ user = [], group = [], serviceaccount = [] }: SubjectFlags): Subject[] {
  if (user.length + group.length + serviceaccount.length === 0) {
    throw new Failure('you must specify at least one value of user, group or serviceaccount');
  }
  const apiGroup = 'rbac.authorization.k8s.io';
  return [
    ...user.map((name) => ({ kind: 'User', apiGroup, name })),
    ...group.map((name) => ({ kind: 'Group', apiGroup, name })),
    ...serviceaccount.map(serviceAccount),
  ];
}

function serviceAccount(text: string): Subject {
  const [namespace = '', name, ...more] = text.split(':');
  const form = 'serviceaccount must be <namespace>:<name>';
  if (name === undefined || more.length > 0) throw new Failure(form);
  if (namespace === '') throw new Failure(`${form}, namespace must be specified`);
  if (name === '') throw new Failure(`${form}, name must be specified`);
  return { kind: 'ServiceAccount', name, namespace };
}

/** The patch that adds subjects to a binding; undefined when it has them all. @throws Failure where it is none. */
export function subjectPatch(target: FoundObject, added: readonly Subject[]): object | undefined {
  const { type, name, object } = target;
  if (type.kind !== 'RoleBinding' && type.kind !== 'ClusterRoleBinding') {
    throw new Failure(`${type.resource}/${name} setting subjects is only supported for RoleBinding/ClusterRoleBinding`);
  }
  const before = (object['subjects'] as Subject[] | undefined) ?? [];
  const isSame = (a: Subject, b: Subject): boolean =>
    a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '');
  const missing = added.filter((each) => !before.some((one) => isSame(one, each)));
  return missing.length === 0 ? undefined : { subjects: [...before, ...missing] };
}
