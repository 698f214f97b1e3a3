import { getCondition, setCondition } from '../../shared/api/condition.js';
import type {
  Condition,
  LabelSelector,
  Pod,
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from '../../shared/api/generated/types.js';
import { stableJson } from '../../shared/api/hash.js';
import { resolveIntOrPercent } from '../../shared/api/int-or-string.js';
import { isPodReady, isPodTerminal } from '../../shared/api/pod.js';

/**
 * An eviction that the API server let through is expected to show in the pod within this time; after it the pod is taken to stay,
 * and its condition DisruptionTarget to be stale.
 */
export const deletionTimeoutMs = 120_000;

/** How many pods there should be, and how many of them healthy. */
export interface Expectation {
  readonly expectedPods: number;
  readonly desiredHealthy: number;
}

/** Whether the budget is a share of what the controllers of the pods ask for, and not of the pods that there are. */
export function isRelative({ spec }: PodDisruptionBudget): boolean {
  return spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string';
}

/** `total` is the number of pods, or the sum of the scales of their controllers where the budget {@link isRelative}. @throws IntOrStringError */
export function expectation({ spec }: PodDisruptionBudget, total: number): Expectation {
  const { maxUnavailable, minAvailable } = spec ?? {};
  if (maxUnavailable !== undefined) {
    const unavailable = resolveIntOrPercent(maxUnavailable, total, 'up');
    return { expectedPods: total, desiredHealthy: Math.max(0, total - unavailable) };
  }
  if (minAvailable === undefined) return { expectedPods: 0, desiredHealthy: 0 };
  return { expectedPods: total, desiredHealthy: resolveIntOrPercent(minAvailable, total, 'up') };
}

/** Evictions that are not confirmed yet. */
export interface Disruptions {
  /** Time of the eviction by the name of the pod. */
  readonly pending: Readonly<Record<string, string>>;
  /** Pods that were to be deleted and were not. */
  readonly overdue: readonly Pod[];
  /** When the next of the pending ones is given up, in milliseconds from now. */
  readonly recheckAfterMs: number | undefined;
}

/** Which of the evictions that the API server noted are still to be waited for. */
export function disruptions({ status }: PodDisruptionBudget, pods: readonly Pod[], nowMs: number): Disruptions {
  const pending: Record<string, string> = {};
  const overdue: Pod[] = [];
  let nextMs = Infinity;
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata;
    const at = status?.disruptedPods?.[name];
    if (at === undefined || deletionTimestamp) continue;
    const leftMs = Date.parse(at) + deletionTimeoutMs - nowMs;
    if (leftMs < 0) overdue.push(pod);
    else {
      pending[name] = at;
      nextMs = Math.min(nextMs, leftMs);
    }
  }
  return { pending, overdue, recheckAfterMs: Number.isFinite(nextMs) ? nextMs : undefined };
}

/** Pods that are ready and not about to go. */
export function countHealthy(pods: readonly Pod[], { pending }: Disruptions): number {
  return pods.filter((pod) => !pod.metadata.deletionTimestamp && !(pod.metadata.name in pending) && isPodReady(pod))
    .length;
}

/** The status that a look at the pods gives; undefined: it is there already. */
export function planStatus(
  budget: PodDisruptionBudget,
  { expectedPods, desiredHealthy }: Expectation,
  found: { readonly currentHealthy: number; readonly pending: Disruptions['pending'] },
  nowIso: string,
): PodDisruptionBudgetStatus | undefined {
  const { currentHealthy, pending } = found;
  // Without any expected pods nothing may go: the first may appear before anybody has counted them.
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const observedGeneration = budget.metadata.generation ?? 0;
  const condition: Condition = {
    type: 'DisruptionAllowed',
    status: disruptionsAllowed > 0 ? 'True' : 'False',
    reason: disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    observedGeneration,
    lastTransitionTime: nowIso,
  };
  const counts = { currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed, observedGeneration };
  const conditions = [...setCondition<Condition>(budget.status?.conditions, condition, nowIso)];
  const status = {
    ...counts,
    ...(Object.keys(pending).length > 0 ? { disruptedPods: { ...pending } } : {}),
    conditions,
  };
  return isTold(budget, status, condition) ? undefined : status;
}

function isTold({ status }: PodDisruptionBudget, next: PodDisruptionBudgetStatus, condition: Condition): boolean {
  if (!status) return false;
  const counts = [
    'currentHealthy',
    'desiredHealthy',
    'expectedPods',
    'disruptionsAllowed',
    'observedGeneration',
  ] as const;
  const present = getCondition(status.conditions, condition.type);
  return (
    counts.every((field) => (status[field] ?? 0) === (next[field] ?? 0)) &&
    stableJson(status.disruptedPods ?? {}) === stableJson(next.disruptedPods ?? {}) &&
    present?.status === condition.status &&
    present.reason === condition.reason
  );
}

/** The status when nothing could be counted: no pod may go. */
export function failSafe({ status }: PodDisruptionBudget, message: string, nowIso: string): PodDisruptionBudgetStatus {
  const condition: Condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'SyncFailed',
    message,
    lastTransitionTime: nowIso,
    ...(status?.observedGeneration === undefined ? {} : { observedGeneration: status.observedGeneration }),
  };
  const conditions = [...setCondition<Condition>(status?.conditions, condition, nowIso)];
  return { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, ...status, disruptionsAllowed: 0, conditions };
}

/** Milliseconds until the condition DisruptionTarget of a pod that stays is stale; undefined where it has none to lose. */
export function staleAfterMs({ metadata, status }: Pod, nowMs: number): number | undefined {
  const condition = getCondition(status?.conditions, 'DisruptionTarget');
  if (metadata.deletionTimestamp || condition?.status !== 'True') return undefined;
  // The kubelet takes its time, and what is over does not change any more.
  if (condition.reason === 'TerminationByKubelet' || isPodTerminal({ metadata, status } as Pod)) return undefined;
  return Math.max(0, Date.parse(condition.lastTransitionTime ?? '') + deletionTimeoutMs - nowMs);
}

/** As Go prints the type, which the text of an event has. */
export function selectorText(selector: LabelSelector | undefined): string {
  if (!selector) return 'nil';
  const entries = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const labels = entries.map(([key, value]) => `${key}: ${value},`).join('');
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`;
}
