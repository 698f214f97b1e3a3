import type { ResourceDefinition } from '../registry/definition.js';
import { certificateSigningRequestDefinition } from './certificatesigningrequest.js';
import { configMapDefinition } from './configmap.js';
import { controllerRevisionDefinition } from './controllerrevision.js';
import { cronJobDefinition } from './cronjob.js';
import { daemonSetDefinition } from './daemonset.js';
import { deploymentDefinition } from './deployment.js';
import { endpointsDefinition } from './endpoints.js';
import { endpointSliceDefinition } from './endpointslice.js';
import { eventDefinition, eventsV1EventDefinition } from './event.js';
import { jobDefinition } from './job.js';
import { leaseDefinition } from './lease.js';
import { namespaceDefinition } from './namespace.js';
import { nodeDefinition } from './node.js';
import { podDefinition } from './pod.js';
import { priorityClassDefinition } from './priorityclass.js';
import { replicaSetDefinition } from './replicaset.js';
import { secretDefinition } from './secret.js';
import { serviceDefinition } from './service.js';
import { serviceAccountDefinition } from './serviceaccount.js';
import { statefulSetDefinition } from './statefulset.js';

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
] as unknown as readonly ResourceDefinition[];
