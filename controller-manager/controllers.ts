import { csrApprovingController } from './certificate/csr-approving-controller.js';
import { csrCleanerController } from './certificate/csr-cleaner-controller.js';
import { csrSigningController } from './certificate/csr-signing-controller.js';
import type { ControllerDefinition } from './context.js';
import { deploymentController } from './deployment/deployment-controller.js';
import { replicaSetController } from './replicaset/replicaset-controller.js';
import { rootCaPublisher } from './serviceaccount/root-ca-publisher.js';
import { serviceAccountController } from './serviceaccount/serviceaccount-controller.js';

/** All controllers; a further one is one file and one line. */
export const controllers: readonly ControllerDefinition[] = [
  serviceAccountController,
  rootCaPublisher,
  csrApprovingController,
  csrSigningController,
  csrCleanerController,
  replicaSetController,
  deploymentController,
];
