import { resourcequotas } from '../../shared/api/generated/resources.js';
import type { ResourceQuota } from '../../shared/api/generated/types.js';
import {
  validateQuotaStatus,
  validateResourceQuota,
  validateResourceQuotaUpdate,
} from '../validation/resource-quota.js';
import { ageColumn, column, nameColumn } from './column.js';
import { canonicalizeQuantities } from './container-defaults.js';
import { defineKind } from './kind.js';

export const resourceQuotaDefinition = defineKind<ResourceQuota>({
  resource: resourcequotas,
  shortNames: ['quota'],
  subresources: ['status'],
  columns: [
    nameColumn(),
    column('Request', (quota) => amounts(quota, false), {
      description: 'Request represents a minimum amount of cpu/memory that a container may consume.',
    }),
    column('Limit', (quota) => amounts(quota, true), {
      description:
        'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
    }),
    ageColumn(),
  ],
  strategy: {
    defaults: (quota) => {
      const { status } = quota;
      canonicalizeQuantities((quota.spec ??= {}).hard);
      canonicalizeQuantities(status?.hard);
      canonicalizeQuantities(status?.used);
    },
    prepareForCreate: (quota) => {
      quota.status = {};
    },
    validate: validateResourceQuota,
    validateUpdate: validateResourceQuotaUpdate,
    validateStatusUpdate: validateQuotaStatus,
  },
});

/** `cpu: 1/4, pods: 2/10`: what is used of what there is, limits or everything else. */
function amounts({ status }: ResourceQuota, ofLimits: boolean): string {
  return Object.keys(status?.hard ?? {})
    .filter((name) => name.startsWith('limits.') === ofLimits)
    .sort()
    .map((name) => `${name}: ${status?.used?.[name] ?? '0'}/${status?.hard?.[name] ?? '0'}`)
    .join(', ');
}
