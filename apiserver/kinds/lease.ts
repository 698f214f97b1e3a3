import { leases } from '../../shared/api/generated/resources.js';
import type { Lease } from '../../shared/api/generated/types.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const leaseDefinition = defineKind<Lease>({
  resource: leases,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn(),
    column('Holder', ({ spec }) => spec?.holderIdentity ?? '', {
      description: 'holderIdentity contains the identity of the holder of a current lease.',
    }),
    ageColumn(),
  ],
});
