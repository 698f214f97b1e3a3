import { bootstrapSignerController } from './bootstrap/bootstrap-signer-controller.js';
import { tokenCleanerController } from './bootstrap/token-cleaner-controller.js';
import { csrApprovingController } from './certificate/csr-approving-controller.js';
import { csrCleanerController } from './certificate/csr-cleaner-controller.js';
import { csrSigningController } from './certificate/csr-signing-controller.js';
import { clusterRoleAggregationController } from './clusterrole/aggregation-controller.js';
import type { ControllerDefinition } from './context.js';
import { deploymentController } from './deployment/deployment-controller.js';
import { disruptionController } from './disruption/disruption-controller.js';
import { endpointsController } from './endpoints/endpoints-controller.js';
import { endpointSliceController } from './endpointslice/endpointslice-controller.js';
import { garbageCollectorController } from './garbage/garbage-collector-controller.js';
import { loadBalancerController } from './load-balancer/load-balancer-controller.js';
import { namespaceController } from './namespace/namespace-controller.js';
import { nodeIpamController } from './node/node-ipam-controller.js';
import { nodeLifecycleController } from './node/node-lifecycle-controller.js';
import { podGarbageController } from './pod/pod-garbage-controller.js';
import { replicaSetController } from './replicaset/replicaset-controller.js';
import { replicationController } from './replicaset/replication-controller.js';
import { resourceQuotaController } from './resource-quota/resource-quota-controller.js';
import { rootCaPublisher } from './serviceaccount/root-ca-publisher.js';
import { serviceCidrController } from './service-cidr/service-cidr-controller.js';
import { serviceAccountController } from './serviceaccount/serviceaccount-controller.js';
import { tokenSecretController } from './serviceaccount/token-secret-controller.js';
import {
  claimProtectionController,
  volumeProtectionController,
} from './storage-protection/storage-protection-controllers.js';

/** All controllers; a further one is one file and one line. */
export const controllers: readonly ControllerDefinition[] = [
  serviceAccountController,
  rootCaPublisher,
  tokenSecretController,
  csrApprovingController,
  csrSigningController,
  csrCleanerController,
  clusterRoleAggregationController,
  replicaSetController,
  replicationController,
  deploymentController,
  disruptionController,
  endpointSliceController,
  endpointsController,
  loadBalancerController,
  serviceCidrController,
  nodeIpamController,
  nodeLifecycleController,
  podGarbageController,
  namespaceController,
  bootstrapSignerController,
  tokenCleanerController,
  resourceQuotaController,
  claimProtectionController,
  volumeProtectionController,
  // Last: it watches what the others do not watch.
  garbageCollectorController,
];
