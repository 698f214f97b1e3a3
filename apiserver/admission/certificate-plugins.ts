import type { CertificateSigningRequest } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Authorizer } from '../authorization/authorizer.js';
import { hasSameEncoding } from '../registry/encoding.js';
import { forbidden } from '../registry/status-errors.js';
import type { AdmissionPlugin, AdmissionRequest } from './admission.js';
import { isFor } from './resource-match.js';

const group = 'certificates.k8s.io';
const clientSigner = 'kubernetes.io/kube-apiserver-client';
const masters = 'system:masters';

type Request = CertificateSigningRequest & KubernetesObject;
type Asks = Pick<Authorizer, 'authorize'>;

/** Whoever approves must be allowed to for that signer, by its name or for all signers of its domain. */
export const certificateApproval = (authorizer: Asks): AdmissionPlugin => ({
  name: 'CertificateApproval',
  validate: (request) => {
    if (request.operation !== 'UPDATE' || !isFor(request, group, 'certificatesigningrequests', 'approval')) return;
    return assertMay('approve', request, authorizer);
  },
});

/** Whoever signs, or says that signing failed, likewise. */
export const certificateSigning = (authorizer: Asks): AdmissionPlugin => ({
  name: 'CertificateSigning',
  validate: (request) => {
    if (request.operation !== 'UPDATE' || !isFor(request, group, 'certificatesigningrequests', 'status')) return;
    const { status } = request.object as unknown as Request;
    const { status: before } = request.oldObject as unknown as Request;
    const isUnchanged =
      status?.certificate === before?.certificate &&
      hasSameEncoding(status?.conditions ?? [], before?.conditions ?? []);
    if (isUnchanged) return;
    return assertMay('sign', request, authorizer);
  },
});

async function assertMay(verb: 'approve' | 'sign', request: AdmissionRequest, authorizer: Asks): Promise<void> {
  const { signerName } = (request.oldObject as unknown as Request).spec;
  const domain = `${signerName.split('/', 1)[0] ?? ''}/*`;
  for (const name of [signerName, domain]) {
    const { verdict } = await authorizer.authorize({
      user: request.user,
      verb,
      isResourceRequest: true,
      group,
      version: '*',
      resource: 'signers',
      subresource: '',
      namespace: undefined,
      name,
      path: '',
    });
    if (verdict === 'allow') return;
  }
  const why = `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`;
  throw forbidden(request.definition.resource, request.name, why);
}

/** Nobody gets a certificate that makes him an administrator whatever the rules say. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  validate: (request) => {
    if (request.operation !== 'CREATE' || !isFor(request, group, 'certificatesigningrequests')) return;
    if ((request.object as unknown as Request).spec.signerName !== clientSigner) return;
    return assertNoMasters(request);
  },
};

async function assertNoMasters(request: AdmissionRequest): Promise<void> {
  const refuse = (why: string): Error => forbidden(request.definition.resource, request.name, why);
  const text = Buffer.from((request.object as unknown as Request).spec.request, 'base64').toString('utf8');
  // Only this needs to read certificates, and what reads them is slow to load.
  const { parseSigningRequest } = await import('../../shared/pki/certificate.js');
  let groups: readonly string[];
  try {
    groups = (await parseSigningRequest(text)).subject.organizations;
  } catch (error) {
    throw refuse(`failed to parse CSR: ${(error as Error).message}`);
  }
  if (groups.includes(masters)) {
    throw refuse(`use of ${clientSigner} signer with ${masters} group is not allowed`);
  }
}
