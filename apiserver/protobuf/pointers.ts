const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/**
 * Optional fields that are pointers in Go, so that their zero means something. All others are always on the wire, and
 * their zero means that they are not set. A name stands for all messages, unless one is named with it, if need be with
 * its group and version. That Go says the same of each is shown by `e2e/go-client.long.test.ts`.
 */
const pointers = words(`
  AzureDiskVolumeSource.fsType AzureDiskVolumeSource.kind AzureDiskVolumeSource.readOnly CSIVolumeSource.fsType
  CSIVolumeSource.readOnly CertificateSigningRequestSpec.signerName ClusterTrustBundleProjection.name
  ClusterTrustBundleProjection.signerName Container.restartPolicy CustomResourceSubresourceScale.labelSelectorPath
  DeviceAttribute.version DeviceTaintSelector.driver DeviceTaintSelector.pool Endpoint.hostname
  EphemeralContainerCommon.restartPolicy HorizontalPodAutoscalerStatus.observedGeneration HostPathVolumeSource.type
  IngressClassParametersReference.apiGroup IngressClassParametersReference.namespace IngressPortStatus.error
  LeaseSpec.strategy LocalVolumeSource.fsType MutatingWebhook.reinvocationPolicy NetworkPolicyPort.protocol
  OwnerReference.controller PersistentVolumeClaimSpec.storageClassName PodDNSConfigOption.value
  PodFailurePolicyOnExitCodesRequirement.containerName PortStatus.error Preconditions.resourceVersion
  Preconditions.uid ResourceHealth.message ResourcePoolStatusRequestSpec.limit ResourcePoolStatusRequestSpec.poolName
  RollingUpdateStatefulSetStrategy.partition ServiceReference.path TypedObjectReference.apiGroup
  TypedObjectReference.namespace Validation.reason ValidationRule.reason VolumeNodeResources.count
  activeDeadlineSeconds adminAccess allNodes allocateLoadBalancerNodePorts allocatedDevices allowMultipleAllocations
  allowPrivilegeEscalation allowVolumeExpansion
  apiextensions.v1beta1.CustomResourceDefinitionSpec.preserveUnknownFields appProtocol
  apps.v1beta1.StatefulSetStatus.observedGeneration attachRequired automountServiceAccountToken availableDevices
  averageUtilization backoffLimit backoffLimitPerIndex bindsToNode blockOwnerDeletion bool borrowingLimitPercent
  cachingMode capacity capacityKey collisionCount commonEncodingVersion completionMode completions
  core.v1.TypedLocalObjectReference.apiGroup currentAverageUtilization currentCPUUtilizationPercentage
  currentVolumeAttributesClassName defaultMode deletionGracePeriodSeconds device discovery.v1.EndpointPort.name
  discovery.v1.EndpointPort.protocol discovery.v1beta1.EndpointPort.name discovery.v1beta1.EndpointPort.protocol
  disruptionMode distinctAttribute enableServiceLinks endPort endpointsNamespace errorCode expirationSeconds
  extendedResourceName failedIndexes failedJobsHistoryLimit failurePolicy force fsGroup fsGroupChangePolicy
  fsGroupPolicy gmsaCredentialSpec gmsaCredentialSpecName gracePeriodSeconds holderIdentity hostProcess hostUsers
  hostnameOverride ignoreStoreReadErrorWithClusterBreakingPotential immutable ingressClassName initiatorName int
  internalTrafficPolicy ipFamilyPolicy ipMode leaseDurationSeconds leaseTransitions lendablePercent limitBytes
  loadBalancerClass localhostProfile lun managedBy manualSelector matchAttribute matchPolicy maxExpirationSeconds
  maxFailedIndexes maxItems maxLength maxProperties maximum minDomains minItems minLength minProperties minReplicas
  minimum mode mountPropagation multipleOf nodeAffinityPolicy nodeAllocatableUpdatePeriodSeconds nodeName
  nodeTaintsPolicy nominalConcurrencyShares optional optionalOldSelf orphanDependents parallelism
  parameterNotFoundAction pathType perDeviceNodeSelection persistentVolumeName podGroupName podInfoOnMount
  podReplacementPolicy poolCount port preemptionPolicy preferredHolder preventPodSchedulingIfMissing priority
  privileged procMount progressDeadlineSeconds propagationPolicy readOnlyRootFilesystem ready reclaimPolicy
  recursiveReadOnly recursiveReadOnlyMounts remainingItemCount replicas requiresRepublish resourceClaimName
  resourceClaimTemplateName resourceSliceCount revisionHistoryLimit runAsGroup runAsNonRoot runAsUser runAsUserName
  runtimeClassName scope seLinuxChangePolicy seLinuxMount secretNamespace selectPolicy sendInitialEvents service
  serviceAccountTokenInSecrets serving setHostnameAsFQDN shareID shareProcessNamespace sideEffects sinceSeconds
  stabilizationWindowSeconds started startingDeadlineSeconds stopSignal storageCapacity stream string succeededCount
  succeededIndexes successfulJobsHistoryLimit supplementalGroupsPolicy suspend tailLines targetAverageUtilization
  targetCPUUtilizationPercentage terminating terminatingReplicas terminationGracePeriodSeconds timeZone timeoutSeconds
  tolerationSeconds totalDevices trafficDistribution ttlSecondsAfterFinished unavailableDevices
  unhealthyPodEvictionPolicy url userNamespaces validationError volumeAttributesClassName volumeBindingMode volumeMode
  x-kubernetes-list-type x-kubernetes-map-type x-kubernetes-preserve-unknown-fields zone
`);

/** Of the same names, but no pointers in these messages. */
const values = words(`
  CustomResourceColumnDefinition.priority DeploymentStatus.replicas PodSpec.nodeName Probe.timeoutSeconds
  ScaleSpec.replicas resource.v1beta1.ResourceSliceSpec.allNodes resource.v1beta1.ResourceSliceSpec.nodeName
`);

/** Whether an optional field is a pointer in Go. @param message full name, e.g. `k8s.io.api.apps.v1.DeploymentSpec` */
export function isPointer(message: string, field: string): boolean {
  const parts = message.split('.');
  const names = [`${parts.at(-1)}.${field}`, `${parts.slice(-3).join('.')}.${field}`];
  if (names.some((name) => values.has(name))) return false;
  return pointers.has(field) || names.some((name) => pointers.has(name));
}
