import { rolebindings } from '../../shared/api/generated/resources.js';
import type { RoleBinding } from '../../shared/api/generated/types.js';
import { isPathSegmentName } from '../validation/names.js';
import { validateRoleBinding, validateRoleRefUpdate } from '../validation/rbac.js';
import { defineKind } from './kind.js';
import { bindingColumns, setBindingDefaults } from './role-binding-fields.js';

export const roleBindingDefinition = defineKind<RoleBinding>({
  resource: rolebindings,
  columns: bindingColumns(),
  strategy: {
    validateName: isPathSegmentName,
    defaults: setBindingDefaults,
    validate: validateRoleBinding,
    validateUpdate: (next, old) => [...validateRoleBinding(next), ...validateRoleRefUpdate(next, old)],
  },
});
