import { getCondition } from '../../shared/api/condition.js';
import type { Deployment, DeploymentStatus, ReplicaSet } from '../../shared/api/generated/types.js';
import { progressDeadlineSeconds, isRollingUpdate, replicasOf, revisionHistoryLimit } from './deployment-fields.js';
import {
  deadlineInMs,
  deploymentStatus,
  isComplete,
  progressing,
  rolloutStatus,
  withCondition,
  type Conditions,
} from './deployment-status.js';
import { byCreation, revisionOf } from './revision.js';
import { currentSize, scaleCurrent, scaleOldDown } from './rolling.js';
import {
  currentRevision,
  ensureCurrent,
  isActive,
  refreshCurrent,
  resize,
  rolloutModel,
  type RolloutModel,
  type WorkingReplicaSet,
} from './rollout-model.js';
import { isScalingEvent, scale } from './scaling.js';

export interface RolloutInput {
  readonly deployment: Deployment;
  /** Those that it controls. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Whether pods of ReplicaSets other than the current one still run; only asked by Recreate. */
  readonly hasOldPods: (current: ReplicaSet | undefined) => boolean;
  readonly nowMs: number;
}

/** One step of a rollout. The step after it is planned when the ReplicaSets have answered. */
export interface RolloutPlan {
  /** The ReplicaSet of a template that has none yet. */
  readonly create: WorkingReplicaSet | undefined;
  /** ReplicaSets that differ from what they were. */
  readonly update: readonly WorkingReplicaSet[];
  readonly remove: readonly ReplicaSet[];
  /** Revision annotation that the Deployment must carry. */
  readonly revision: string | undefined;
  readonly status: DeploymentStatus;
  readonly requeueAfterMs: number | undefined;
}

/** Decides the next step of a Deployment. Pure: it works on copies. */
export function planRollout(input: RolloutInput): RolloutPlan {
  const { deployment, nowMs } = input;
  const model = rolloutModel(deployment, input.replicaSets);
  const conditions = pausedConditions(deployment, deployment.status?.conditions ?? [], nowMs);
  if (deployment.metadata.deletionTimestamp) {
    return finish(model, deploymentStatus(model, conditions, nowMs), [], nowMs);
  }
  if (deployment.spec?.paused || isScalingEvent(model)) {
    if (model.current) refreshCurrent(model, model.current);
    scale(model);
    const remove = deployment.spec?.paused ? outdated(model) : [];
    return finish(model, deploymentStatus(model, conditions, nowMs), remove, nowMs);
  }
  return isRollingUpdate(deployment) ? rollingUpdate(model, conditions, nowMs) : recreate(model, conditions, input);
}

function rollingUpdate(model: RolloutModel, conditions: Conditions, nowMs: number): RolloutPlan {
  const { current, isNew } = ensureCurrent(model, (made) => currentSize(model, made));
  const told = withOrigin(model, conditions, isNew, nowMs);
  if (!isNew) refreshCurrent(model, current);
  const changed = isNew || scaleCurrent(model, current) || scaleOldDown(model, current);
  return finishRollout(model, told, !changed, nowMs);
}

function recreate(model: RolloutModel, conditions: Conditions, input: RolloutInput): RolloutPlan {
  const { nowMs } = input;
  const active = model.old.filter(isActive);
  if (active.length > 0) {
    for (const replicaSet of active) resize(model, replicaSet, 0);
    return finishRollout(model, conditions, false, nowMs);
  }
  // Two versions must never run at the same time: wait for the last pod of the old ones.
  if (input.hasOldPods(model.current?.source)) return finishRollout(model, conditions, false, nowMs);
  const { current, isNew } = ensureCurrent(model, () => replicasOf(model.deployment));
  const told = withOrigin(model, conditions, isNew, nowMs);
  if (!isNew) refreshCurrent(model, current);
  const changed = isNew || scaleCurrent(model, current);
  return finishRollout(model, told, !changed, nowMs);
}

/** Says where the current ReplicaSet came from. */
function withOrigin(model: RolloutModel, conditions: Conditions, isNew: boolean, nowMs: number): Conditions {
  const name = model.current?.name ?? '';
  if (progressDeadlineSeconds(model.deployment) === undefined) return conditions;
  if (isNew) {
    const created = progressing('True', 'NewReplicaSetCreated', `Created new replica set "${name}"`);
    return withCondition(conditions, created, nowMs);
  }
  if (getCondition(conditions, 'Progressing')) return conditions;
  return withCondition(conditions, progressing('True', 'FoundNewReplicaSet', `Found new replica set "${name}"`), nowMs);
}

/** While paused the deadline does not count; after that it starts anew. */
function pausedConditions(deployment: Deployment, conditions: Conditions, nowMs: number): Conditions {
  if (progressDeadlineSeconds(deployment) === undefined) return conditions;
  const present = getCondition(conditions, 'Progressing');
  if (present?.reason === 'ProgressDeadlineExceeded') return conditions;
  const isMarked = present?.reason === 'DeploymentPaused';
  const isPaused = deployment.spec?.paused === true;
  if (isPaused === isMarked) return conditions;
  const condition = isPaused
    ? progressing('Unknown', 'DeploymentPaused', 'Deployment is paused')
    : progressing('Unknown', 'DeploymentResumed', 'Deployment is resumed');
  return withCondition(conditions, condition, nowMs);
}

/** Old ReplicaSets beyond revisionHistoryLimit, lowest revision first, as far as they are empty and settled. */
function outdated(model: RolloutModel): ReplicaSet[] {
  const limit = revisionHistoryLimit(model.deployment);
  if (limit === undefined) return [];
  const alive = model.old.flatMap(({ source }) => (source && !source.metadata.deletionTimestamp ? [source] : []));
  const excess = Math.max(0, alive.length - limit);
  return alive
    .toSorted((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b))
    .slice(0, excess)
    .filter(({ spec, status, metadata }) => {
      const isSettled = (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);
      return isSettled && (status?.replicas ?? 0) === 0 && (spec?.replicas ?? 1) === 0;
    });
}

function finishRollout(model: RolloutModel, conditions: Conditions, settled: boolean, nowMs: number): RolloutPlan {
  const remove = settled && isComplete(model.deployment, model.deployment.status ?? {}) ? outdated(model) : [];
  return finish(model, rolloutStatus(model, conditions, nowMs), remove, nowMs);
}

function finish(
  model: RolloutModel,
  status: DeploymentStatus,
  remove: readonly ReplicaSet[],
  nowMs: number,
): RolloutPlan {
  const { deployment, current, old } = model;
  const existing = [...old, ...(current?.source ? [current] : [])];
  return {
    create: current?.source ? undefined : current,
    update: existing.filter(differs),
    remove,
    revision: currentRevision(model),
    status,
    requeueAfterMs: deployment.spec?.paused ? undefined : deadlineInMs(deployment, status, nowMs),
  };
}

function differs({ source, replicas, annotations, minReadySeconds }: WorkingReplicaSet): boolean {
  const before = source?.metadata.annotations ?? {};
  return (
    replicas !== (source?.spec?.replicas ?? 1) ||
    minReadySeconds !== (source?.spec?.minReadySeconds ?? 0) ||
    Object.entries(annotations).some(([key, value]) => before[key] !== value)
  );
}
