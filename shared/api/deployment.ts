import {
  ANNOTATION_DEPLOYMENT_REVISION,
  ANNOTATION_DESIRED_REPLICAS,
  ANNOTATION_LAST_APPLIED,
  ANNOTATION_MAX_REPLICAS,
  ANNOTATION_REVISION_HISTORY,
} from './well-known.js';

/**
 * Annotations that tell of the Deployment or the ReplicaSet itself and not of what was deployed: a ReplicaSet does not take
 * them over, and a Deployment that goes back to a revision keeps its own.
 */
export const deploymentOwnAnnotations: ReadonlySet<string> = new Set([
  ANNOTATION_LAST_APPLIED,
  ANNOTATION_DEPLOYMENT_REVISION,
  ANNOTATION_REVISION_HISTORY,
  ANNOTATION_DESIRED_REPLICAS,
  ANNOTATION_MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);
