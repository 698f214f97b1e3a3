import type { ObjectReader } from '../registry/object-reader.js';
import type { AdmissionPlugin } from './admission.js';
import { certificateRequester } from './certificate-requester.js';
import { defaultTolerationSeconds } from './default-toleration-seconds.js';
import { namespaceLifecycle } from './namespace-lifecycle.js';
import { nodeRestriction } from './node-restriction.js';
import { podSecurity } from './pod-security/pod-security.js';
import { priorityAdmission } from './priority.js';
import { serviceAccountAdmission } from './service-account.js';

/** The plugins that are always on, in the original's order. */
export function builtinPlugins(objects: ObjectReader, randomSuffix: () => string): readonly AdmissionPlugin[] {
  return [
    namespaceLifecycle(objects),
    serviceAccountAdmission({ objects, randomSuffix }),
    nodeRestriction(objects),
    podSecurity(objects),
    priorityAdmission(objects),
    defaultTolerationSeconds,
    certificateRequester,
  ];
}
