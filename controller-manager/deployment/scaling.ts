import { ANNOTATION_DESIRED_REPLICAS, ANNOTATION_MAX_REPLICAS } from '../../shared/api/well-known.js';
import { isRollingUpdate, maxSurge, replicasOf } from './deployment-fields.js';
import { allReplicaSets, isActive, resize, sum, type RolloutModel, type WorkingReplicaSet } from './rollout-model.js';

/** Whether spec.replicas changed since a ReplicaSet that has pods was sized. */
export function isScalingEvent(model: RolloutModel): boolean {
  return allReplicaSets(model)
    .filter(isActive)
    .some(({ annotations }) => {
      const desired = numberIn(annotations, ANNOTATION_DESIRED_REPLICAS);
      return desired !== undefined && desired !== replicasOf(model.deployment);
    });
}

/**
 * Sizes the ReplicaSets after a change of spec.replicas, also while a rollout is paused: the only one with pods gets all;
 * a finished rollout clears the old ones; in the middle of a rollout the change is spread in proportion.
 */
export function scale(model: RolloutModel): void {
  const replicas = replicasOf(model.deployment);
  const single = activeOrLatest(model);
  if (single) {
    resize(model, single, replicas);
    return;
  }
  if (isSaturated(model)) {
    for (const old of model.old.filter(isActive)) resize(model, old, 0);
    return;
  }
  if (isRollingUpdate(model.deployment)) scaleProportionally(model);
}

function activeOrLatest(model: RolloutModel): WorkingReplicaSet | undefined {
  const active = allReplicaSets(model).filter(isActive);
  if (active.length > 1) return undefined;
  return active[0] ?? model.current ?? model.old.at(-1);
}

function isSaturated({ deployment, current }: RolloutModel): boolean {
  const replicas = replicasOf(deployment);
  return (
    current !== undefined &&
    numberIn(current.annotations, ANNOTATION_DESIRED_REPLICAS) === replicas &&
    current.replicas === replicas &&
    current.status.availableReplicas === replicas
  );
}

/** The largest ReplicaSet also takes what rounding leaves over. */
function scaleProportionally(model: RolloutModel): void {
  const { deployment } = model;
  const active = allReplicaSets(model).filter(isActive);
  const replicas = replicasOf(deployment);
  const allowed = replicas > 0 ? replicas + maxSurge(deployment) : 0;
  const toAdd = allowed - sum(active, (r) => r.replicas);
  // Growing favours the newer of two equals, shrinking takes from the older one first.
  const newerFirst = toAdd > 0 ? 1 : -1;
  const ordered = active.toSorted(
    (a, b) =>
      b.replicas - a.replicas || newerFirst * (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0),
  );
  let added = 0;
  const sizes = ordered.map((replicaSet) => {
    const share = toAdd === 0 ? 0 : proportion(model, replicaSet, toAdd, added);
    added += share;
    return replicaSet.replicas + share;
  });
  ordered.forEach((replicaSet, i) => {
    const leftover = i === 0 && toAdd !== 0 ? toAdd - added : 0;
    resize(model, replicaSet, Math.max(0, (sizes[i] ?? 0) + leftover));
  });
}

function proportion(model: RolloutModel, replicaSet: WorkingReplicaSet, toAdd: number, added: number): number {
  if (replicaSet.replicas === 0 || toAdd === added) return 0;
  const share = fraction(model, replicaSet);
  const left = toAdd - added;
  return toAdd > 0 ? Math.min(share, left) : Math.max(share, left);
}

function fraction({ deployment }: RolloutModel, replicaSet: WorkingReplicaSet): number {
  if (replicasOf(deployment) === 0) return -replicaSet.replicas;
  const maxBefore = numberIn(replicaSet.annotations, ANNOTATION_MAX_REPLICAS) || deployment.status?.replicas || 0;
  if (maxBefore === 0) return 0;
  const maxNow = replicasOf(deployment) + maxSurge(deployment);
  return Math.round((replicaSet.replicas * maxNow) / maxBefore) - replicaSet.replicas;
}

function numberIn(annotations: Readonly<Record<string, string>>, key: string): number | undefined {
  const text = annotations[key];
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
