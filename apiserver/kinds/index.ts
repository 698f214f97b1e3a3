import type { ResourceDefinition } from '../registry/definition.js';
import {
  mutatingAdmissionPolicyBindingDefinition,
  mutatingAdmissionPolicyDefinition,
  validatingAdmissionPolicyBindingDefinition,
  validatingAdmissionPolicyDefinition,
} from './admission-policies.js';
import {
  mutatingWebhookConfigurationDefinition,
  validatingWebhookConfigurationDefinition,
} from './admission-webhooks.js';
import { certificateSigningRequestDefinition } from './certificatesigningrequest.js';
import { clusterRoleDefinition } from './clusterrole.js';
import { clusterRoleBindingDefinition } from './clusterrolebinding.js';
import { configMapDefinition } from './configmap.js';
import { controllerRevisionDefinition } from './controllerrevision.js';
import { cronJobDefinition } from './cronjob.js';
import { csiDriverDefinition } from './csidriver.js';
import { csiNodeDefinition } from './csinode.js';
import { csiStorageCapacityDefinition } from './csistoragecapacity.js';
import { customResourceDefinitionDefinition } from './customresourcedefinition.js';
import { daemonSetDefinition } from './daemonset.js';
import { deploymentDefinition } from './deployment.js';
import { endpointsDefinition } from './endpoints.js';
import { endpointSliceDefinition } from './endpointslice.js';
import { eventDefinition, eventsV1EventDefinition } from './event.js';
import { horizontalPodAutoscalerDefinition } from './horizontalpodautoscaler.js';
import { ingressClassDefinition, ingressDefinition } from './ingress.js';
import { ipAddressDefinition, serviceCidrDefinition } from './ipaddress.js';
import { jobDefinition } from './job.js';
import { leaseDefinition } from './lease.js';
import { limitRangeDefinition } from './limitrange.js';
import { namespaceDefinition } from './namespace.js';
import { networkPolicyDefinition } from './networkpolicy.js';
import { nodeDefinition } from './node.js';
import { persistentVolumeDefinition } from './persistentvolume.js';
import { persistentVolumeClaimDefinition } from './persistentvolumeclaim.js';
import { podDefinition } from './pod.js';
import { podDisruptionBudgetDefinition } from './poddisruptionbudget.js';
import { priorityClassDefinition } from './priorityclass.js';
import { replicaSetDefinition } from './replicaset.js';
import { deviceClassDefinition } from './deviceclass.js';
import { resourceClaimDefinition } from './resourceclaim.js';
import { resourceClaimTemplateDefinition } from './resourceclaimtemplate.js';
import { resourceSliceDefinition } from './resourceslice.js';
import { resourceQuotaDefinition } from './resourcequota.js';
import { replicationControllerDefinition } from './replicationcontroller.js';
import { podTemplateDefinition } from './podtemplate.js';
import { flowSchemaDefinition } from './flowschema.js';
import { priorityLevelConfigurationDefinition } from './prioritylevelconfiguration.js';
import { apiServiceDefinition } from './apiservice.js';
import { runtimeClassDefinition } from './runtimeclass.js';
import { roleDefinition } from './role.js';
import { roleBindingDefinition } from './rolebinding.js';
import { secretDefinition } from './secret.js';
import { serviceDefinition } from './service.js';
import { serviceAccountDefinition } from './serviceaccount.js';
import { statefulSetDefinition } from './statefulset.js';
import { storageClassDefinition } from './storageclass.js';
import { volumeAttachmentDefinition } from './volumeattachment.js';
import { volumeAttributesClassDefinition } from './volumeattributesclass.js';
import { servedVersions } from './versions/index.js';

/**
 * Every kind that the server serves. The registry gives each function only objects of its own kind, hence the one cast:
 * the type of the objects is forgotten here and nowhere else.
 */
export const definitions = [
  namespaceDefinition,
  nodeDefinition,
  podDefinition,
  serviceDefinition,
  endpointsDefinition,
  configMapDefinition,
  secretDefinition,
  serviceAccountDefinition,
  eventDefinition,
  replicaSetDefinition,
  deploymentDefinition,
  statefulSetDefinition,
  daemonSetDefinition,
  controllerRevisionDefinition,
  jobDefinition,
  cronJobDefinition,
  leaseDefinition,
  endpointSliceDefinition,
  eventsV1EventDefinition,
  priorityClassDefinition,
  certificateSigningRequestDefinition,
  limitRangeDefinition,
  resourceQuotaDefinition,
  runtimeClassDefinition,
  persistentVolumeDefinition,
  persistentVolumeClaimDefinition,
  storageClassDefinition,
  volumeAttributesClassDefinition,
  volumeAttachmentDefinition,
  csiDriverDefinition,
  csiNodeDefinition,
  csiStorageCapacityDefinition,
  horizontalPodAutoscalerDefinition,
  podDisruptionBudgetDefinition,
  ingressDefinition,
  ingressClassDefinition,
  networkPolicyDefinition,
  ipAddressDefinition,
  serviceCidrDefinition,
  mutatingWebhookConfigurationDefinition,
  validatingWebhookConfigurationDefinition,
  validatingAdmissionPolicyDefinition,
  validatingAdmissionPolicyBindingDefinition,
  mutatingAdmissionPolicyDefinition,
  mutatingAdmissionPolicyBindingDefinition,
  roleDefinition,
  roleBindingDefinition,
  clusterRoleDefinition,
  clusterRoleBindingDefinition,
  replicationControllerDefinition,
  podTemplateDefinition,
  flowSchemaDefinition,
  priorityLevelConfigurationDefinition,
  apiServiceDefinition,
  deviceClassDefinition,
  resourceClaimDefinition,
  resourceClaimTemplateDefinition,
  resourceSliceDefinition,
  customResourceDefinitionDefinition,
  ...servedVersions,
] as unknown as readonly ResourceDefinition[];
