import { serviceaccounts } from '../../shared/api/generated/resources.js';
import type { ServiceAccount } from '../../shared/api/generated/types.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const serviceAccountDefinition = defineKind<ServiceAccount>({
  resource: serviceaccounts,
  shortNames: ['sa'],
  subresources: ['token'],
  columns: [
    nameColumn(),
    column('Secrets', ({ secrets }) => (secrets ?? []).length, { description: 'How many secrets pods may use.' }),
    ageColumn(),
  ],
});
