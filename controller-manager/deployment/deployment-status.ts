import { getCondition } from '../../shared/api/condition.js';
import type { Deployment, DeploymentCondition, DeploymentStatus } from '../../shared/api/generated/types.js';
import { timestamp } from '../replicaset/plan-replicas.js';
import { maxUnavailable, progressDeadlineSeconds, replicasOf } from './deployment-fields.js';
import { allReplicaSets, sum, type RolloutModel } from './rollout-model.js';

export type Conditions = readonly DeploymentCondition[];
type NewCondition = Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>;

/** Sets a condition as the original does: nothing changes while status and reason stay; a message alone is no news. */
export function withCondition(conditions: Conditions, condition: NewCondition, nowMs: number): Conditions {
  const now = timestamp(nowMs);
  const present = getCondition(conditions, condition.type);
  if (present?.status === condition.status && present.reason === condition.reason) return conditions;
  const lastTransitionTime = present?.status === condition.status ? (present.lastTransitionTime ?? now) : now;
  const others = conditions.filter(({ type }) => type !== condition.type);
  return [...others, { ...condition, lastUpdateTime: now, lastTransitionTime }];
}

export function progressing(status: 'True' | 'False' | 'Unknown', reason: string, message: string): NewCondition {
  return { type: 'Progressing', status, reason, message };
}

/** Counts and the Available condition, from the ReplicaSets as the plan leaves them. */
export function deploymentStatus(model: RolloutModel, conditions: Conditions, nowMs: number): DeploymentStatus {
  const { deployment, current } = model;
  const all = allReplicaSets(model);
  const availableReplicas = sum(all, (r) => r.status.availableReplicas ?? 0);
  const hasMinimum = availableReplicas >= replicasOf(deployment) - maxUnavailable(deployment);
  const available = hasMinimum
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
  const { collisionCount } = deployment.status ?? {};
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum(all, (r) => r.status.replicas),
    updatedReplicas: current?.status.replicas ?? 0,
    readyReplicas: sum(all, (r) => r.status.readyReplicas ?? 0),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(all, (r) => r.replicas) - availableReplicas),
    terminatingReplicas: sum(all, (r) => r.status.terminatingReplicas ?? 0),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: [...withCondition(conditions, available, nowMs)],
  };
}

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const replicas = replicasOf(deployment);
  return (
    status.updatedReplicas === replicas &&
    status.replicas === replicas &&
    status.availableReplicas === replicas &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function isProgressing(before: DeploymentStatus, now: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(now) < old(before) ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function hasTimedOut(deployment: Deployment, status: DeploymentStatus, nowMs: number): boolean {
  const deadline = progressDeadlineSeconds(deployment);
  const condition = getCondition(status.conditions, 'Progressing');
  if (deadline === undefined || !condition || condition.reason === 'NewReplicaSetAvailable') return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  return Date.parse(condition.lastUpdateTime ?? '') + deadline * 1000 < nowMs;
}

/** The status with the conditions Progressing and ReplicaFailure of a rollout that goes on. */
export function rolloutStatus(model: RolloutModel, conditions: Conditions, nowMs: number): DeploymentStatus {
  const { deployment } = model;
  const hasDeadline = progressDeadlineSeconds(deployment) !== undefined;
  const start = hasDeadline ? conditions : conditions.filter(({ type }) => type !== 'Progressing');
  const status = deploymentStatus(model, start, nowMs);
  const present = getCondition(start, 'Progressing');
  const wasComplete = status.replicas === status.updatedReplicas && present?.reason === 'NewReplicaSetAvailable';
  let result: Conditions = status.conditions ?? [];
  if (hasDeadline && !wasComplete) result = progressConditions(model, status, result, nowMs);
  const failure = replicaFailure(model);
  result = failure ? withCondition(result, failure, nowMs) : result.filter(({ type }) => type !== 'ReplicaFailure');
  return { ...status, conditions: [...result] };
}

function progressConditions(
  model: RolloutModel,
  status: DeploymentStatus,
  conditions: Conditions,
  nowMs: number,
): Conditions {
  const { deployment, current } = model;
  const who = current ? `ReplicaSet "${current.name}"` : `Deployment "${deployment.metadata.name}"`;
  if (isComplete(deployment, status)) {
    const done = progressing('True', 'NewReplicaSetAvailable', `${who} has successfully progressed.`);
    return withCondition(conditions, done, nowMs);
  }
  if (isProgressing(deployment.status ?? {}, status)) {
    const present = getCondition(conditions, 'Progressing');
    const others = conditions.filter(({ type }) => type !== 'Progressing');
    const [made] = withCondition([], progressing('True', 'ReplicaSetUpdated', `${who} is progressing.`), nowMs);
    if (!made) return conditions;
    // The update time moves with every bit of progress: the deadline counts from the last one.
    const since = present?.status === 'True' ? present.lastTransitionTime : made.lastTransitionTime;
    return [...others, { ...made, ...(since ? { lastTransitionTime: since } : {}) }];
  }
  if (hasTimedOut(deployment, { ...status, conditions: [...conditions] }, nowMs)) {
    const late = progressing('False', 'ProgressDeadlineExceeded', `${who} has timed out progressing.`);
    return withCondition(conditions, late, nowMs);
  }
  return conditions;
}

function replicaFailure(model: RolloutModel): NewCondition | undefined {
  const candidates = model.current ? [model.current, ...model.old] : model.old;
  for (const { status } of candidates) {
    const failure = getCondition(status.conditions, 'ReplicaFailure');
    if (failure) {
      const { reason = '', message = '' } = failure;
      return { type: 'ReplicaFailure', status: failure.status, reason, message };
    }
  }
  return undefined;
}

/** When the deadline of a rollout that stands still passes, in milliseconds from now; undefined when none runs. */
export function deadlineInMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const deadline = progressDeadlineSeconds(deployment);
  const condition = getCondition(status.conditions, 'Progressing');
  if (deadline === undefined || !condition || isComplete(deployment, status)) return undefined;
  if (condition.reason === 'ProgressDeadlineExceeded' || condition.reason === 'NewReplicaSetAvailable')
    return undefined;
  const leftMs = Date.parse(condition.lastUpdateTime ?? '') + deadline * 1000 - nowMs;
  // One second more: times are kept in whole seconds.
  return Math.max(leftMs, 0) + 1000;
}
