import { leases } from '../../shared/api/generated/resources.js';
import type { Lease, LeaseSpec } from '../../shared/api/generated/types.js';
import { append, forbidden, invalid, notNegative, type FieldError } from '../validation/field-error.js';
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
  strategy: { validate: ({ spec }) => validateSpec(spec ?? {}) },
});

function validateSpec({
  leaseDurationSeconds: seconds,
  leaseTransitions,
  strategy,
  preferredHolder,
}: LeaseSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (seconds !== undefined && seconds <= 0)
    errors.push(invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
  append(errors, notNegative('spec.leaseTransitions', leaseTransitions));
  if (preferredHolder && !strategy)
    errors.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
  return errors;
}
