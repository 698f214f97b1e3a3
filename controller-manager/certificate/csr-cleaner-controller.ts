import { X509Certificate } from 'node:crypto';
import { certificatesigningrequests } from '../../shared/api/generated/resources.js';
import type { CertificateSigningRequest } from '../../shared/api/generated/types.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { periodic, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { isApproved, isDenied, isFailed } from './plan-approval.js';

const hourMs = 3600 * 1000;

/** Removes requests that are done with: decided an hour ago, undecided for a day, or whose certificate has expired. */
export const csrCleanerController: ControllerDefinition = {
  name: 'certificatesigningrequest-cleaner-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('certificate-controller');
    const requests = context.informers.informer(certificatesigningrequests);
    return periodic(context, 'csrcleaner', hourMs, async (signal) => {
      await requests.waitForSync(signal);
      for (const csr of requests.lister.list()) {
        if (!isOutdated(csr, context.clock.now())) continue;
        const { name, uid } = csr.metadata;
        await client
          .delete(certificatesigningrequests, name, undefined, { preconditions: { uid }, signal })
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
      }
    });
  },
};

/** Exported for its test. */
export function isOutdated(csr: CertificateSigningRequest, nowMs: number): boolean {
  const ageMs = nowMs - Date.parse(csr.metadata.creationTimestamp);
  if (hasExpired(csr, nowMs)) return true;
  if (isApproved(csr) || isDenied(csr) || isFailed(csr)) {
    const decided = Math.max(...(csr.status?.conditions ?? []).map((c) => Date.parse(c.lastUpdateTime ?? '') || 0));
    return nowMs - decided > hourMs;
  }
  return ageMs > 24 * hourMs;
}

function hasExpired(csr: CertificateSigningRequest, nowMs: number): boolean {
  const { certificate } = csr.status ?? {};
  if (!certificate) return false;
  try {
    return Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo) < nowMs;
  } catch {
    return false; // not a certificate: another signer's business
  }
}
