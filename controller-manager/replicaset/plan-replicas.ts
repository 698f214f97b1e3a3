import { getCondition, removeCondition, setCondition } from '../../shared/api/condition.js';
import type { Pod, ReplicaSetCondition, ReplicaSetStatus } from '../../shared/api/generated/types.js';
import { isPodActive, isPodAvailable, isPodReady, isPodTerminal } from '../../shared/api/pod.js';
import { byDeletionOrder, type NodeLoad } from './deletion-rank.js';
import type { Replicated } from './replicated-kind.js';

/** More are not created or deleted in one pass. */
const burstReplicas = 500;

/** What to do about the number of pods. */
export type ReplicasPlan =
  | { readonly action: 'none' }
  | { readonly action: 'create'; readonly count: number }
  | { readonly action: 'delete'; readonly pods: readonly Pod[] };

/** Compares the active pods with spec.replicas. `pods` are those that the owner controls. */
export function planReplicas(owner: Replicated, pods: readonly Pod[], nodeLoad: NodeLoad, nowMs: number): ReplicasPlan {
  const active = pods.filter(isPodActive);
  const difference = active.length - (owner.spec?.replicas ?? 1);
  if (difference === 0 || owner.metadata.deletionTimestamp) return { action: 'none' };
  if (difference < 0) return { action: 'create', count: Math.min(-difference, burstReplicas) };
  const count = Math.min(difference, burstReplicas);
  if (count === active.length) return { action: 'delete', pods: active };
  return { action: 'delete', pods: active.toSorted(byDeletionOrder(nodeLoad, nowMs)).slice(0, count) };
}

/** A failed attempt to change the number of pods. */
export interface ReplicasFailure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
}

/** The status that the pods give; `failure` is that of this pass. */
export function replicasStatus(
  owner: Replicated,
  pods: readonly Pod[],
  failure: ReplicasFailure | undefined,
  nowMs: number,
): ReplicaSetStatus {
  const active = pods.filter(isPodActive);
  const templateLabels = Object.entries(owner.spec?.template?.metadata?.labels ?? {});
  const isFullyLabeled = (pod: Pod): boolean =>
    templateLabels.every(([key, value]) => pod.metadata.labels?.[key] === value);
  const ready = active.filter(isPodReady);
  const minReadySeconds = owner.spec?.minReadySeconds ?? 0;
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(isFullyLabeled).length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isPodAvailable(pod, minReadySeconds, nowMs)).length,
    terminatingReplicas: pods.filter((pod) => pod.metadata.deletionTimestamp && !isPodTerminal(pod)).length,
    observedGeneration: owner.metadata.generation ?? 0,
    conditions: [...conditions(owner.status?.conditions, failure, nowMs)],
  };
}

function conditions(
  present: readonly ReplicaSetCondition[] | undefined,
  failure: ReplicasFailure | undefined,
  nowMs: number,
): readonly ReplicaSetCondition[] {
  if (!failure) return removeCondition(present, 'ReplicaFailure');
  if (getCondition(present, 'ReplicaFailure')) return present ?? [];
  const condition = { type: 'ReplicaFailure', status: 'True', reason: failure.reason, message: failure.message };
  return setCondition<ReplicaSetCondition>(present, condition, timestamp(nowMs));
}

/** When the next ready pod becomes available, in milliseconds from now; undefined when none is waiting. */
export function nextAvailabilityMs(owner: Replicated, pods: readonly Pod[], nowMs: number): number | undefined {
  const minReadyMs = (owner.spec?.minReadySeconds ?? 0) * 1000;
  if (minReadyMs === 0) return undefined;
  const waits = pods
    .filter((pod) => isPodActive(pod) && isPodReady(pod))
    .map(
      (pod) => Date.parse(getCondition(pod.status?.conditions, 'Ready')?.lastTransitionTime ?? '') + minReadyMs - nowMs,
    )
    .filter((waitMs) => waitMs > 0);
  return waits.length === 0 ? undefined : Math.min(...waits);
}

/** RFC 3339 in whole seconds: the API's Time. */
export function timestamp(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
