import type { Deployment, ReplicaSet, ReplicaSetStatus } from '../../shared/api/generated/types.js';
import { shortHash } from '../../shared/api/hash.js';
import {
  ANNOTATION_DEPLOYMENT_REVISION,
  ANNOTATION_DESIRED_REPLICAS,
  ANNOTATION_MAX_REPLICAS,
} from '../../shared/api/well-known.js';
import { maxSurge, replicasOf } from './deployment-fields.js';
import { byCreation, findNewReplicaSet, newReplicaSetAnnotations, revisionOf } from './revision.js';

/** A ReplicaSet while a plan is made: as it is, and as it shall be. */
export interface WorkingReplicaSet {
  /** Undefined: it does not exist yet. */
  readonly source: ReplicaSet | undefined;
  readonly name: string;
  readonly createdAt: string;
  readonly status: ReplicaSetStatus;
  replicas: number;
  annotations: Record<string, string>;
  minReadySeconds: number;
}

/** The ReplicaSets of one Deployment as a plan changes them. */
export interface RolloutModel {
  readonly deployment: Deployment;
  /** The one of the current template; undefined until it is made. */
  current: WorkingReplicaSet | undefined;
  /** All others, oldest first. */
  readonly old: readonly WorkingReplicaSet[];
}

export function rolloutModel(deployment: Deployment, replicaSets: readonly ReplicaSet[]): RolloutModel {
  const current = findNewReplicaSet(deployment, replicaSets);
  const old = replicaSets.filter((replicaSet) => replicaSet !== current).toSorted(byCreation);
  return { deployment, current: current && working(current), old: old.map(working) };
}

function working(source: ReplicaSet): WorkingReplicaSet {
  return {
    source,
    name: source.metadata.name,
    createdAt: source.metadata.creationTimestamp,
    status: source.status ?? { replicas: 0 },
    replicas: source.spec?.replicas ?? 1,
    annotations: { ...source.metadata.annotations },
    minReadySeconds: source.spec?.minReadySeconds ?? 0,
  };
}

export function allReplicaSets(model: RolloutModel): WorkingReplicaSet[] {
  return model.current ? [...model.old, model.current] : [...model.old];
}

export const isActive = (replicaSet: WorkingReplicaSet): boolean => replicaSet.replicas > 0;

export function sum(replicaSets: readonly WorkingReplicaSet[], of: (r: WorkingReplicaSet) => number): number {
  return replicaSets.reduce((total, replicaSet) => total + of(replicaSet), 0);
}

/** Sets the size, and notes for which size of the Deployment it was chosen: a later change of that is a scaling. */
export function resize(model: RolloutModel, replicaSet: WorkingReplicaSet, replicas: number): boolean {
  const { deployment } = model;
  const changed = replicaSet.replicas !== replicas;
  replicaSet.replicas = replicas;
  replicaSet.annotations[ANNOTATION_DESIRED_REPLICAS] = String(replicasOf(deployment));
  replicaSet.annotations[ANNOTATION_MAX_REPLICAS] = String(replicasOf(deployment) + maxSurge(deployment));
  return changed;
}

/** Name and `pod-template-hash` of the ReplicaSet for the Deployment's template. */
export function templateHash(deployment: Deployment): string {
  return shortHash(deployment.spec?.template, deployment.status?.collisionCount);
}

/** Brings revision, copied annotations and minReadySeconds of the current ReplicaSet up to date. */
export function refreshCurrent(model: RolloutModel, current: WorkingReplicaSet): void {
  const { deployment, old } = model;
  const newRevision = 1 + Math.max(0, ...old.map(({ source }) => (source ? revisionOf(source) : 0)));
  current.annotations = newReplicaSetAnnotations(deployment, current.annotations, newRevision);
  current.minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
}

/** Adds the ReplicaSet of the current template to the model where there is none. */
export function ensureCurrent(
  model: RolloutModel,
  sizeOf: (made: WorkingReplicaSet) => number,
): { current: WorkingReplicaSet; isNew: boolean } {
  if (model.current) return { current: model.current, isNew: false };
  const { deployment } = model;
  const current: WorkingReplicaSet = {
    source: undefined,
    name: `${deployment.metadata.name}-${templateHash(deployment)}`,
    createdAt: '',
    status: { replicas: 0 },
    replicas: 0,
    annotations: {},
    minReadySeconds: 0,
  };
  model.current = current;
  refreshCurrent(model, current);
  resize(model, current, sizeOf(current));
  return { current, isNew: true };
}

/** The revision that the Deployment itself carries: that of its current ReplicaSet. */
export function currentRevision(model: RolloutModel): string | undefined {
  return model.current?.annotations[ANNOTATION_DEPLOYMENT_REVISION];
}
