import type { CertificateSigningRequest, Node } from '../../shared/api/generated/types.js';
import { isConditionTrue } from '../../shared/api/condition.js';
import {
  SIGNER_KUBE_API_CLIENT,
  SIGNER_KUBE_API_CLIENT_KUBELET,
  SIGNER_KUBELET_SERVING,
} from '../../shared/api/well-known.js';

/** What a PKCS#10 request asks for; see shared/pki. */
export interface RequestedIdentity {
  readonly subject: { readonly commonName: string; readonly organizations: readonly string[] };
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

export const isApproved = (csr: CertificateSigningRequest): boolean =>
  isConditionTrue(csr.status?.conditions, 'Approved') && !isDenied(csr);
export const isDenied = (csr: CertificateSigningRequest): boolean => isConditionTrue(csr.status?.conditions, 'Denied');
export const isFailed = (csr: CertificateSigningRequest): boolean => isConditionTrue(csr.status?.conditions, 'Failed');

const signers: ReadonlySet<string> = new Set([
  SIGNER_KUBE_API_CLIENT,
  SIGNER_KUBE_API_CLIENT_KUBELET,
  SIGNER_KUBELET_SERVING,
]);
export const isOurSigner = (signerName: string): boolean => signers.has(signerName);

const kubeletClientUsages = [
  ['client auth', 'digital signature'],
  ['client auth', 'digital signature', 'key encipherment'],
];
const kubeletServingUsages = [
  ['digital signature', 'server auth'],
  ['digital signature', 'key encipherment', 'server auth'],
];
const nodeGroup = 'system:nodes';
const nodePrefix = 'system:node:';

/** Why a request is not one that its signer signs, in the original's words; undefined when it is. */
export function signerObjection(csr: CertificateSigningRequest, requested: RequestedIdentity): string | undefined {
  const usages = csr.spec.usages ?? [];
  switch (csr.spec.signerName) {
    case SIGNER_KUBE_API_CLIENT:
      return usages.includes('client auth') && !usages.includes('server auth')
        ? undefined
        : 'usages did not match [client auth]';
    case SIGNER_KUBE_API_CLIENT_KUBELET:
      return (
        nodeSubjectObjection(requested) ?? clientObjection(requested) ?? usageObjection(usages, kubeletClientUsages)
      );
    case SIGNER_KUBELET_SERVING:
      return (
        nodeSubjectObjection(requested) ?? servingObjection(requested) ?? usageObjection(usages, kubeletServingUsages)
      );
    default:
      return `signerName ${csr.spec.signerName} is not ours`;
  }
}

function nodeSubjectObjection({ subject }: RequestedIdentity): string | undefined {
  if (subject.organizations.length !== 1 || subject.organizations[0] !== nodeGroup) {
    return 'subject organization is not system:nodes';
  }
  return subject.commonName.startsWith(nodePrefix) && subject.commonName.length > nodePrefix.length
    ? undefined
    : 'subject common name does not begin with system:node:';
}

function clientObjection({ dnsNames, ipAddresses, emailAddresses, uris }: RequestedIdentity): string | undefined {
  if (dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (ipAddresses.length > 0) return 'IP subjectAltNames are not allowed';
  if (emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  return uris.length > 0 ? 'URI subjectAltNames are not allowed' : undefined;
}

function servingObjection({ dnsNames, ipAddresses, emailAddresses, uris }: RequestedIdentity): string | undefined {
  if (dnsNames.length + ipAddresses.length === 0) return 'DNS or IP subjectAltName is required';
  if (emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  return uris.length > 0 ? 'URI subjectAltNames are not allowed' : undefined;
}

function usageObjection(usages: readonly string[], allowed: readonly string[][]): string | undefined {
  const given = [...new Set(usages)].sort().join(',');
  return allowed.some((set) => set.join(',') === given)
    ? undefined
    : `usages did not match ${JSON.stringify(allowed[0])}`;
}

/** What is granted without asking people, and which right the requester needs for it; undefined: no more than it is. */
export interface AutoApproval {
  readonly message: string;
  /** Subresource of certificatesigningrequests that the requester must be allowed to create. */
  readonly permission?: 'nodeclient' | 'selfnodeclient';
}

/**
 * The automatic approval of a request, or undefined to leave it to people. A machine that joins gets a node's client
 * certificate and a node renews its own, where RBAC allows it; a node gets a serving certificate for its name and for
 * addresses that no other node has.
 */
export function autoApproval(
  csr: CertificateSigningRequest,
  requested: RequestedIdentity,
  nodes: readonly Node[],
): AutoApproval | undefined {
  if (signerObjection(csr, requested) !== undefined) return undefined;
  const { signerName, username = '', groups = [] } = csr.spec;
  const isSelf = username === requested.subject.commonName;
  if (signerName === SIGNER_KUBE_API_CLIENT_KUBELET) {
    return isSelf
      ? {
          message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
          permission: 'selfnodeclient',
        }
      : { message: 'Auto approving kubelet client certificate after SubjectAccessReview.', permission: 'nodeclient' };
  }
  if (signerName !== SIGNER_KUBELET_SERVING || !isSelf || !groups.includes(nodeGroup)) return undefined;
  const nodeName = username.slice(nodePrefix.length);
  return mayServe(nodeName, requested, nodes)
    ? { message: 'Auto approving kubelet serving certificate of the node itself.' }
    : undefined;
}

function mayServe(nodeName: string, requested: RequestedIdentity, nodes: readonly Node[]): boolean {
  const own = nodes.find(({ metadata }) => metadata.name === nodeName)?.status?.addresses?.map((a) => a.address) ?? [];
  const foreign = new Set(
    nodes
      .filter(({ metadata }) => metadata.name !== nodeName)
      .flatMap(({ metadata, status }) => [metadata.name, ...(status?.addresses ?? []).map((a) => a.address)]),
  );
  // Nodes of one machine share its host name: what a node itself reports is its own too.
  const isFree = (name: string): boolean => own.includes(name) || name === nodeName || !foreign.has(name);
  const isOwnName = (name: string): boolean => name === nodeName || own.includes(name) || name === 'localhost';
  return requested.ipAddresses.every(isFree) && requested.dnsNames.every((name) => isOwnName(name));
}
