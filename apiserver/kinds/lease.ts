import { leases } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const leaseDefinition = defineKind({
  resource: leases,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
});
