import { roles } from '../../shared/api/generated/resources.js';
import type { Role } from '../../shared/api/generated/types.js';
import { isPathSegmentName } from '../validation/names.js';
import { validateRole } from '../validation/rbac.js';
import { createdAtColumn, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const roleDefinition = defineKind<Role>({
  resource: roles,
  columns: [nameColumn(), createdAtColumn()],
  strategy: { validateName: isPathSegmentName, validate: validateRole },
});
