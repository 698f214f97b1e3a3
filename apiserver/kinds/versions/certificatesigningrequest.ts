import type { ResourceDefinition } from '../../registry/definition.js';
import { LEGACY_SIGNER } from '../../validation/certificate.js';
import { certificateSigningRequestDefinition, certificateStrategy } from '../certificatesigningrequest.js';
import { readSigningRequest, type RequestedIdentity } from './signing-request.js';
import { member, members, olderVersion, type VersionChange } from './served-version.js';

const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet';
const KUBELET_SERVING = 'kubernetes.io/kubelet-serving';

/** Conditions once had no status, and a request needed not say what for, nor who shall sign. */
const unstated: VersionChange = {
  toStored: (request) => {
    const spec = member(request, 'spec');
    if (spec) {
      spec['usages'] ??= ['digital signature', 'key encipherment'];
      spec['signerName'] ??= signerOf(spec['request'], spec['usages']);
    }
    for (const condition of members(member(request, 'status'), 'conditions')) condition['status'] ??= 'True';
  },
  strategy: certificateStrategy(true),
};

/** Who signs what kubelets ask for is known by its contents; all else is nobody's in particular. */
function signerOf(request: unknown, usages: unknown): string {
  const asked = typeof request === 'string' ? readSigningRequest(request) : undefined;
  if (!asked || !isOfNode(asked) || !Array.isArray(usages)) return LEGACY_SIGNER;
  const given = new Set<unknown>(usages);
  const isFor = (usage: string): boolean =>
    given.has('digital signature') &&
    given.has(usage) &&
    [...given].every((one) => one === 'digital signature' || one === 'key encipherment' || one === usage);
  const { dnsNames, ipAddresses, otherNames } = asked;
  if (otherNames > 0) return LEGACY_SIGNER;
  const names = dnsNames + ipAddresses;
  if (names === 0 && isFor('client auth')) return KUBELET_CLIENT;
  return names > 0 && isFor('server auth') ? KUBELET_SERVING : LEGACY_SIGNER;
}

const isOfNode = ({ commonName, organizations }: RequestedIdentity): boolean =>
  organizations.length === 1 && organizations[0] === 'system:nodes' && commonName.startsWith('system:node:');

export const olderCertificateVersions: readonly ResourceDefinition[] = [
  olderVersion(
    certificateSigningRequestDefinition as unknown as ResourceDefinition,
    'certificates.k8s.io/v1beta1',
    { deprecated: '1.19', removed: '1.22' },
    unstated,
  ),
];
