import { deploymentOwnAnnotations } from '../../shared/api/deployment.js';
import type { Deployment, PodTemplateSpec, ReplicaSet } from '../../shared/api/generated/types.js';
import { stableJson } from '../../shared/api/hash.js';
import {
  ANNOTATION_DEPLOYMENT_REVISION,
  ANNOTATION_REVISION_HISTORY,
  LABEL_POD_TEMPLATE_HASH,
} from '../../shared/api/well-known.js';

const maxHistoryLength = 2000;

/** Revision of a ReplicaSet or Deployment; 0 where there is none or it is not a number. */
export function revisionOf(object: { readonly metadata: { readonly annotations?: Record<string, string> } }): number {
  return parseRevision(object.metadata.annotations?.[ANNOTATION_DEPLOYMENT_REVISION]);
}

function parseRevision(text: string | undefined): number {
  const revision = Number(text ?? '0');
  return Number.isSafeInteger(revision) ? revision : 0;
}

/** The template as text, without the hash that the controller adds: equal texts are the same revision. */
export function templateText(template: PodTemplateSpec | undefined): string {
  if (!template) return '';
  const { [LABEL_POD_TEMPLATE_HASH]: _, ...labels } = template.metadata?.labels ?? {};
  const { creationTimestamp: _created, ...metadata } = template.metadata ?? {};
  return stableJson({ ...template, metadata: { ...metadata, labels } });
}

/** The oldest ReplicaSet with the Deployment's template: the one that the current revision uses. */
export function findNewReplicaSet(deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const wanted = templateText(deployment.spec?.template);
  return replicaSets.toSorted(byCreation).find((replicaSet) => templateText(replicaSet.spec?.template) === wanted);
}

/** Oldest first; the name decides between those of one second. */
export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const [x, y] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (x !== y) return x < y ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

/** Annotations of the new ReplicaSet: the Deployment's, and the revision with the history of earlier ones. */
export function newReplicaSetAnnotations(
  deployment: Deployment,
  present: Readonly<Record<string, string>>,
  newRevision: number,
): Record<string, string> {
  const annotations: Record<string, string> = { ...present };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!deploymentOwnAnnotations.has(key)) annotations[key] = value;
  }
  const oldText = present[ANNOTATION_DEPLOYMENT_REVISION];
  if (parseRevision(oldText) >= newRevision) return annotations;
  annotations[ANNOTATION_DEPLOYMENT_REVISION] = String(newRevision);
  if (oldText !== undefined) {
    annotations[ANNOTATION_REVISION_HISTORY] = appendHistory(present[ANNOTATION_REVISION_HISTORY], oldText);
  }
  return annotations;
}

/** A ReplicaSet that became current again remembers its earlier revisions; the oldest are dropped beyond the limit. */
function appendHistory(history: string | undefined, revision: string): string {
  const revisions = [...(history ? history.split(',') : []), revision];
  while (revisions.length > 1 && revisions.join(',').length > maxHistoryLength) revisions.shift();
  return revisions.join(',');
}
