import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RbacV1Subject,
  Role,
  RoleBinding,
  RoleRef,
} from '../../shared/api/generated/types.js';
import { equal } from './equality.js';
import { append, invalid, invalidEach, notSupported, required, type FieldError } from './field-error.js';
import { validateLabelSelector } from './label-selector.js';
import { isDns1123Subdomain, isPathSegmentName } from './names.js';

export const RBAC_GROUP = 'rbac.authorization.k8s.io';

export function validateRole({ rules }: Role): FieldError[] {
  return validateRules(rules, true);
}

export function validateClusterRole({ rules, aggregationRule }: ClusterRole): FieldError[] {
  const errors = validateRules(rules, false);
  if (!aggregationRule) return errors;
  const path = 'aggregationRule.clusterRoleSelectors';
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    errors.push(required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
  }
  selectors.forEach((selector, i) => append(errors, validateLabelSelector(selector, `${path}[${i}]`)));
  return errors;
}

function validateRules(rules: readonly PolicyRule[] | undefined, isNamespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  (rules ?? []).forEach((rule, i) => append(errors, validateRule(rule, isNamespaced, `rules[${i}]`)));
  return errors;
}

function validateRule(rule: PolicyRule, isNamespaced: boolean, path: string): FieldError[] {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const errors: FieldError[] = [];
  if ((verbs ?? []).length === 0) errors.push(required(`${path}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    const at = `${path}.nonResourceURLs`;
    if (isNamespaced) errors.push(invalid(at, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
      errors.push(invalid(at, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'));
    }
    return errors;
  }
  if (apiGroups.length === 0) {
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  }
  if (resources.length === 0) {
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
  }
  return errors;
}

export const validateRoleBinding = (binding: RoleBinding): FieldError[] => validateBinding(binding, true);
export const validateClusterRoleBinding = (binding: ClusterRoleBinding): FieldError[] =>
  validateBinding(binding, false);

/** Who holds a role may change; which role it is may not: the check of who granted it would not have been made for the new one. */
export function validateRoleRefUpdate(next: { roleRef: RoleRef }, old: { roleRef: RoleRef }): FieldError[] {
  return equal(next.roleRef, old.roleRef) ? [] : [invalid('roleRef', next.roleRef, 'cannot change roleRef')];
}

function validateBinding(
  { roleRef, subjects }: { roleRef?: RoleRef; subjects?: RbacV1Subject[] },
  isNamespaced: boolean,
): FieldError[] {
  const { apiGroup = '', kind = '', name = '' } = roleRef ?? {};
  const errors: FieldError[] = [];
  if (apiGroup !== RBAC_GROUP) errors.push(notSupported('roleRef.apiGroup', apiGroup, [RBAC_GROUP]));
  const kinds = isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (!kinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind, kinds));
  if (name === '') errors.push(required('roleRef.name'));
  else append(errors, invalidEach('roleRef.name', name, isPathSegmentName(name)));
  (subjects ?? []).forEach((subject, i) => append(errors, validateSubject(subject, isNamespaced, `subjects[${i}]`)));
  return errors;
}

function validateSubject(subject: RbacV1Subject, isNamespaced: boolean, path: string): FieldError[] {
  const { kind, name, namespace = '', apiGroup = '' } = subject as Partial<RbacV1Subject>;
  const errors: FieldError[] = !name ? [required(`${path}.name`)] : [];
  switch (kind) {
    case 'ServiceAccount':
      if (name) append(errors, invalidEach(`${path}.name`, name, isDns1123Subdomain(name)));
      if (apiGroup !== '') errors.push(notSupported(`${path}.apiGroup`, apiGroup, ['']));
      if (!isNamespaced && namespace === '') errors.push(required(`${path}.namespace`));
      return errors;
    case 'User':
    case 'Group':
      if (apiGroup !== RBAC_GROUP) errors.push(notSupported(`${path}.apiGroup`, apiGroup, [RBAC_GROUP]));
      return errors;
    default:
      errors.push(notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
      return errors;
  }
}
