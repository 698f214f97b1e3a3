import type { CertificateSigningRequest } from '../../shared/api/generated/types.js';
import type { RequestedIdentity } from './plan-approval.js';

/** The PEM text of a request; its field is base64. */
export const requestPem = (csr: CertificateSigningRequest): string =>
  Buffer.from(csr.spec.request, 'base64').toString('utf8');

/** What the request asks for; undefined when it is malformed. Loads the certificate code, which is slow to load, when first needed. */
export async function readRequest(csr: CertificateSigningRequest): Promise<RequestedIdentity | undefined> {
  const { parseSigningRequest } = await import('../../shared/pki/certificate.js');
  try {
    return await parseSigningRequest(requestPem(csr));
  } catch {
    // The API server validates requests; what slips through is left to people, who see that nobody approves it.
    return undefined;
  }
}
