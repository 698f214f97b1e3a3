import { certificatesigningrequests } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const certificateSigningRequestDefinition = defineKind({
  resource: certificatesigningrequests,
  shortNames: ['csr'],
  subresources: ['status', 'approval'],
});
