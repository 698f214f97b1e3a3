import { isRollingUpdate, maxSurge, maxUnavailable, replicasOf } from './deployment-fields.js';
import { allReplicaSets, isActive, resize, sum, type RolloutModel, type WorkingReplicaSet } from './rollout-model.js';

/** Size of the current ReplicaSet in this step: as far as maxSurge allows. */
export function currentSize(model: RolloutModel, current: WorkingReplicaSet): number {
  const { deployment } = model;
  const replicas = replicasOf(deployment);
  if (!isRollingUpdate(deployment)) return replicas;
  const total = sum(allReplicaSets(model), (r) => r.replicas);
  const room = replicas + maxSurge(deployment) - total;
  if (room <= 0) return current.replicas;
  return current.replicas + Math.min(room, replicas - current.replicas);
}

/** Grows or shrinks the current ReplicaSet by one step. True when it changed. */
export function scaleCurrent(model: RolloutModel, current: WorkingReplicaSet): boolean {
  const replicas = replicasOf(model.deployment);
  if (current.replicas === replicas) return false;
  const size = current.replicas > replicas ? replicas : currentSize(model, current);
  return size !== current.replicas && resize(model, current, size);
}

/**
 * Shrinks the old ReplicaSets by as much as maxUnavailable allows: first pods that are not available anyway, then
 * available ones. Pods of the current ReplicaSet that are not available yet count as missing. True when one changed.
 */
export function scaleOldDown(model: RolloutModel, current: WorkingReplicaSet): boolean {
  const { deployment, old } = model;
  if (sum(old, (r) => r.replicas) === 0) return false;
  const minAvailable = replicasOf(deployment) - maxUnavailable(deployment);
  const currentUnavailable = current.replicas - (current.status.availableReplicas ?? 0);
  const room = sum(allReplicaSets(model), (r) => r.replicas) - minAvailable - currentUnavailable;
  if (room <= 0) return false;
  const cleaned = removeUnavailable(model, room);
  const removed = removeAvailable(model, minAvailable);
  return cleaned + removed > 0;
}

function removeUnavailable(model: RolloutModel, room: number): number {
  let total = 0;
  for (const replicaSet of model.old.filter(isActive)) {
    const unavailable = replicaSet.replicas - (replicaSet.status.availableReplicas ?? 0);
    const count = Math.min(room - total, unavailable);
    if (count <= 0) continue;
    resize(model, replicaSet, replicaSet.replicas - count);
    total += count;
  }
  return total;
}

function removeAvailable(model: RolloutModel, minAvailable: number): number {
  const available = sum(allReplicaSets(model).filter(isActive), (r) => r.status.availableReplicas ?? 0);
  let left = available - minAvailable;
  let total = 0;
  for (const replicaSet of model.old.filter(isActive)) {
    if (left <= 0) break;
    const count = Math.min(replicaSet.replicas, left);
    resize(model, replicaSet, replicaSet.replicas - count);
    left -= count;
    total += count;
  }
  return total;
}
