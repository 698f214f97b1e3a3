import { createCertificateAuthority, issueCertificate, type AlternativeNames, type KeyPair } from '../certificate.js';

/** What a server of a test shows, and the authority (PEM) that its clients trust. */
export interface ServingCertificate extends KeyPair {
  readonly ca: string;
}

const hour = 3_600_000;

/** A certificate that holds for an hour, by an authority that signs nothing else. Default: for this host's loopback. */
export async function servingCertificate(
  names: AlternativeNames = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] },
): Promise<ServingCertificate> {
  const validity = { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + hour) };
  const ca = await createCertificateAuthority({ subject: { commonName: 'test-ca' }, ...validity });
  const subject = { commonName: 'test-server' };
  return {
    ca: ca.certificate,
    ...(await issueCertificate(ca, { subject, usages: ['server'], ...names, ...validity })),
  };
}
