import { humanDuration } from '../../shared/api/duration.js';
import { certificatesigningrequests } from '../../shared/api/generated/resources.js';
import type { CertificateSigningRequest } from '../../shared/api/generated/types.js';
import { ageColumn, column, nameColumn, orNone } from './column.js';
import { defineKind } from './kind.js';

export const certificateSigningRequestDefinition = defineKind<CertificateSigningRequest>({
  resource: certificatesigningrequests,
  shortNames: ['csr'],
  subresources: ['status', 'approval'],
  columns: [
    nameColumn(),
    ageColumn(),
    column('SignerName', ({ spec }) => orNone(spec.signerName), { description: 'Who shall sign the request.' }),
    column('Requestor', ({ spec }) => spec.username ?? '', { description: 'The user who made the request.' }),
    column(
      'RequestedDuration',
      ({ spec }) => (spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000)),
      { description: 'How long the certificate shall be valid.' },
    ),
    column('Condition', conditionText, { description: 'How far the request has come.' }),
  ],
  selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName },
});

function conditionText({ status }: CertificateSigningRequest): string {
  const has = (type: string): boolean => (status?.conditions ?? []).some((condition) => condition.type === type);
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return `${decision}${has('Failed') ? ',Failed' : ''}${status?.certificate ? ',Issued' : ''}`;
}
