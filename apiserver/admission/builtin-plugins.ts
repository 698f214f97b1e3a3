import type { MetricsRegistry } from '../../shared/metrics/registry.js';
import type { Authorizer } from '../authorization/authorizer.js';
import type { ResourceDefinition } from '../registry/definition.js';
import type { ObjectReader } from '../registry/object-reader.js';
import type { AdmissionPlugin } from './admission.js';
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificate-plugins.js';
import { certificateRequester } from './certificate-requester.js';
import { defaultIngressClass } from './default-ingress-class.js';
import { defaultTolerationSeconds, type DefaultTolerations } from './default-toleration-seconds.js';
import { deviceAdminAccess } from './device-admin-access.js';
import { limitRanger } from './limit-ranger.js';
import { namespaceLifecycle } from './namespace-lifecycle.js';
import { nodeRestriction } from './node-restriction.js';
import { ownerReferencesPermission } from './owner-references.js';
import type { PodSecurityConfiguration } from './pod-security/configuration.js';
import { podResizeValidator } from './pod-resize-validator.js';
import { PodSecurityMetrics } from './pod-security/pod-security-metrics.js';
import { podSecurity } from './pod-security/pod-security.js';
import { priorityAdmission } from './priority.js';
import { runtimeClassAdmission } from './runtime-class.js';
import { serviceAccountAdmission } from './service-account.js';
import { defaultStorageClass, persistentVolumeClaimResize, storageObjectInUseProtection } from './storage-plugins.js';
import { taintNodesByCondition } from './taint-nodes-by-condition.js';

export interface BuiltinOptions {
  readonly objects: ObjectReader;
  readonly definitions: () => readonly ResourceDefinition[];
  readonly authorizer: Authorizer;
  readonly randomSuffix: () => string;
  readonly podSecurity?: PodSecurityConfiguration | undefined;
  readonly metrics: MetricsRegistry;
  readonly tolerations?: DefaultTolerations | undefined;
}

/** Plugins that are off unless they are asked for by name, as in the original. */
export const offByDefault: readonly string[] = ['OwnerReferencesPermissionEnforcement'];

/** The plugins that know by themselves, in the original's order. */
export function builtinPlugins(options: BuiltinOptions): readonly AdmissionPlugin[] {
  const { objects, definitions, authorizer, randomSuffix } = options;
  return [
    namespaceLifecycle(objects),
    limitRanger(objects),
    serviceAccountAdmission({ objects, randomSuffix }),
    nodeRestriction(objects),
    taintNodesByCondition,
    podSecurity(objects, new PodSecurityMetrics(options.metrics), options.podSecurity),
    priorityAdmission(objects),
    defaultTolerationSeconds(options.tolerations),
    defaultStorageClass(objects),
    storageObjectInUseProtection,
    ownerReferencesPermission(authorizer, definitions),
    persistentVolumeClaimResize(objects),
    runtimeClassAdmission(objects),
    podResizeValidator(objects),
    deviceAdminAccess(objects),
    certificateRequester,
    certificateApproval(authorizer),
    certificateSigning(authorizer),
    certificateSubjectRestriction,
    defaultIngressClass(objects),
  ];
}
