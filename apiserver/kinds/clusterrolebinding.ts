import { clusterrolebindings } from '../../shared/api/generated/resources.js';
import type { ClusterRoleBinding } from '../../shared/api/generated/types.js';
import { isPathSegmentName } from '../validation/names.js';
import { validateClusterRoleBinding, validateRoleRefUpdate } from '../validation/rbac.js';
import { defineKind } from './kind.js';
import { bindingColumns, setBindingDefaults } from './role-binding-fields.js';

export const clusterRoleBindingDefinition = defineKind<ClusterRoleBinding>({
  resource: clusterrolebindings,
  columns: bindingColumns(),
  strategy: {
    validateName: isPathSegmentName,
    defaults: setBindingDefaults,
    validate: validateClusterRoleBinding,
    validateUpdate: (next, old) => [...validateClusterRoleBinding(next), ...validateRoleRefUpdate(next, old)],
  },
});
