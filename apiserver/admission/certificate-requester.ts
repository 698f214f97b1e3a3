import type { CertificateSigningRequest } from '../../shared/api/generated/types.js';
import type { AdmissionPlugin } from './admission.js';

/** A CertificateSigningRequest says who made it; nobody can say that for himself. */
export const certificateRequester: AdmissionPlugin = {
  name: 'CertificateRequester',
  mutate: ({ definition, operation, subresource, object, oldObject, user }) => {
    const { group, resource } = definition.resource;
    if (group !== 'certificates.k8s.io' || resource !== 'certificatesigningrequests' || !object) return;
    const request = object as unknown as CertificateSigningRequest;
    if (operation === 'UPDATE' && oldObject && subresource === '') {
      request.spec = structuredClone((oldObject as unknown as CertificateSigningRequest).spec);
      return;
    }
    if (operation !== 'CREATE') return;
    request.spec.username = user.name;
    request.spec.groups = [...user.groups];
    if (user.uid === undefined) delete request.spec.uid;
    else request.spec.uid = user.uid;
    if (user.extra === undefined) delete request.spec.extra;
    else request.spec.extra = structuredClone(user.extra) as Record<string, string[]>;
  },
};
