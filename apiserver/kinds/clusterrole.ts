import { clusterroles } from '../../shared/api/generated/resources.js';
import type { ClusterRole } from '../../shared/api/generated/types.js';
import { isPathSegmentName } from '../validation/names.js';
import { validateClusterRole } from '../validation/rbac.js';
import { createdAtColumn, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const clusterRoleDefinition = defineKind<ClusterRole>({
  resource: clusterroles,
  columns: [nameColumn(), createdAtColumn()],
  strategy: { validateName: isPathSegmentName, validate: validateClusterRole },
});
