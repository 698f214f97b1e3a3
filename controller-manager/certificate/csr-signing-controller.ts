import { certificatesigningrequests } from '../../shared/api/generated/resources.js';
import type { CertificateSigningRequest, CertificateSigningRequestStatus } from '../../shared/api/generated/types.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import type { Usage } from '../../shared/pki/certificate.js';
import {
  newController,
  together,
  type ControllerContext,
  type ControllerDefinition,
  type Runnable,
} from '../context.js';
import { timestamp } from '../replicaset/plan-replicas.js';
import { isApproved, isFailed, isOurSigner, signerObjection } from './plan-approval.js';
import { readRequest, requestPem } from './request.js';

const yearMs = 365 * 24 * 3600 * 1000;
/** Clocks of nodes may be behind ours by so much. */
const backdateMs = 5 * 60 * 1000;
const minLifeMs = 600 * 1000;
/** A shorter life is given whole, counted from now; of a longer one the backdating is taken off. */
const shortLifeMs = 8 * 3600 * 1000;

/** Signs approved requests with the cluster's authority. */
export const csrSigningController: ControllerDefinition = {
  name: 'certificatesigningrequest-signing-controller',
  build: (context: ControllerContext): Runnable => {
    const { signer } = context.options;
    if (!signer) return together();
    const client = context.client('certificate-controller');
    const requests = context.informers.informer(certificatesigningrequests);
    const controller = newController(context, {
      name: 'csrsigning',
      informers: [requests],
      workers: 2,
      reconcile: async (key, signal) => {
        const csr = requests.lister.get(key);
        if (!csr || csr.status?.certificate || !isApproved(csr) || isFailed(csr)) return;
        if (!isOurSigner(csr.spec.signerName)) return;
        const status = await signedStatus(csr, signer, context.clock.now());
        try {
          await client.updateStatus(
            certificatesigningrequests,
            { ...csr, status: { ...csr.status, ...status } },
            { signal },
          );
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      },
    });
    requests.addHandler({
      onAdd: ({ metadata }) => controller.queue.add(metadata.name),
      onUpdate: (_, { metadata }) => controller.queue.add(metadata.name),
    });
    return controller;
  },
};

/** The certificate, or the condition Failed with what the signer objects to. */
async function signedStatus(
  csr: CertificateSigningRequest,
  signer: { certificate: string; key: string },
  nowMs: number,
): Promise<CertificateSigningRequestStatus> {
  const requested = await readRequest(csr);
  const objection = requested ? signerObjection(csr, requested) : 'the request is not a valid PKCS#10 request';
  if (objection !== undefined) {
    const now = timestamp(nowMs);
    const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: objection };
    const conditions = csr.status?.conditions ?? [];
    return { conditions: [...conditions, { ...failed, lastUpdateTime: now, lastTransitionTime: now }] };
  }
  const { signRequest } = await import('../../shared/pki/certificate.js');
  const lifeMs = Math.max(minLifeMs, Math.min(yearMs, (csr.spec.expirationSeconds ?? Infinity) * 1000));
  const pem = await signRequest(signer, requestPem(csr), {
    usages: usagesOf(csr),
    ...validity(nowMs, lifeMs),
  });
  return { certificate: Buffer.from(pem).toString('base64') };
}

export const validity = (nowMs: number, lifeMs: number): { readonly notBefore: Date; readonly notAfter: Date } => ({
  notBefore: new Date(nowMs - backdateMs),
  notAfter: new Date(nowMs + lifeMs - (lifeMs < shortLifeMs ? 0 : backdateMs)),
});

function usagesOf(csr: CertificateSigningRequest): Usage[] {
  const usages = csr.spec.usages ?? [];
  return [
    ...(usages.includes('client auth') ? (['client'] as const) : []),
    ...(usages.includes('server auth') ? (['server'] as const) : []),
  ];
}
