import { certificatesigningrequests } from '../../shared/api/generated/resources.js';
import type { Client } from '../../shared/client/client.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { AlternativeNames, KeyPair, Subject } from '../../shared/pki/certificate.js';

export interface CertificateWanted extends AlternativeNames {
  readonly signerName: string;
  readonly usages: readonly string[];
  readonly subject: Subject;
}
export interface RequestOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called when the answer takes its time. */
  readonly onWaiting?: (name: string) => void;
}

const timeoutMs = 15 * 60_000;
const tellAfterMs = 5_000;

/** Makes a key, has the cluster certify it (a CertificateSigningRequest), and waits for the certificate. */
export async function requestCertificate(wanted: CertificateWanted, options: RequestOptions): Promise<KeyPair> {
  const { client, signal } = options;
  // Loading it takes a third of a second, and most starts need no certificate.
  const { createSigningRequest } = await import('../../shared/pki/certificate.js');
  const { subject, dnsNames = [], ipAddresses = [], signerName, usages } = wanted;
  const { request, key } = await createSigningRequest({ subject, dnsNames, ipAddresses });
  const created = await client.create(
    certificatesigningrequests,
    {
      metadata: { generateName: 'csr-' },
      spec: { request: Buffer.from(request).toString('base64'), signerName, usages: [...usages] },
    },
    { signal },
  );
  return { key, certificate: await waitForCertificate(created.metadata.name ?? '', options) };
}

async function waitForCertificate(name: string, options: RequestOptions): Promise<string> {
  const { client, clock, signal, onWaiting } = options;
  const startMs = clock.monotonic();
  let hasTold = false;
  for (let delayMs = 50; clock.monotonic() - startMs < timeoutMs; delayMs = Math.min(delayMs * 1.5, 2_000)) {
    const { status } = await client.get(certificatesigningrequests, name, undefined, { signal });
    if (status?.certificate) return Buffer.from(status.certificate, 'base64').toString('utf8');
    const refused = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed');
    if (refused) {
      throw new Error(
        `certificate signing request ${name} was ${refused.type.toLowerCase()}: ${refused.message ?? ''}`,
      );
    }
    if (!hasTold && clock.monotonic() - startMs > tellAfterMs) {
      hasTold = true;
      onWaiting?.(name);
    }
    await clock.sleep(delayMs, signal);
  }
  throw new Error(
    `certificate signing request ${name} was not approved and signed within ${timeoutMs / 60_000} minutes`,
  );
}
