import { getCondition } from '../../shared/api/condition.js';
import type { Pod } from '../../shared/api/generated/types.js';
import { isPodReady } from '../../shared/api/pod.js';
import { ANNOTATION_POD_DELETION_COST } from '../../shared/api/well-known.js';

const phaseOrder: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** How many active pods of the same application run beside a pod on its node. */
export type NodeLoad = (pod: Pod) => number;

/** Negative when `a` goes first. One comparison of the chain; 0 leaves it to the next. */
type Comparison = (a: Pod, b: Pod) => number;

/**
 * Sorts the pods that a scale-down deletes first to the front, as the original's ActivePodsWithRanks: unassigned before
 * assigned, pending before running, not ready before ready, cheap before dear, doubled up on a node before alone, ready
 * for a short time before long, many restarts before few, new before old. Times are compared by their magnitude, ties by uid.
 */
export function byDeletionOrder(nodeLoad: NodeLoad, nowMs: number): (a: Pod, b: Pod) => number {
  const age = (timeOf: (pod: Pod) => string | undefined): Comparison => {
    return (a, b) => compareAges(timeOf(a), timeOf(b), nowMs) || (timeOf(a) === timeOf(b) ? 0 : byUid(a, b));
  };
  const chain: Comparison[] = [
    (a, b) => Number(!!a.spec?.nodeName) - Number(!!b.spec?.nodeName),
    (a, b) => phase(a) - phase(b),
    (a, b) => Number(isPodReady(a)) - Number(isPodReady(b)),
    (a, b) => deletionCost(a) - deletionCost(b),
    (a, b) => nodeLoad(b) - nodeLoad(a),
    (a, b) => (isPodReady(a) && isPodReady(b) ? age(readySince)(a, b) : 0),
    (a, b) => maxRestarts(b) - maxRestarts(a),
    age((pod) => pod.metadata.creationTimestamp),
  ];
  return (a, b) => {
    for (const compare of chain) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}

const phase = (pod: Pod): number => phaseOrder[pod.status?.phase ?? 'Pending'] ?? 0;
const byUid = (a: Pod, b: Pod): number => (a.metadata.uid < b.metadata.uid ? -1 : 1);
const readySince = (pod: Pod): string | undefined => getCondition(pod.status?.conditions, 'Ready')?.lastTransitionTime;

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[ANNOTATION_POD_DELETION_COST] ?? '';
  return /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

function maxRestarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount));
}

/** Pods of about the same age (same power of two) are equal, so that not always the newest nodes lose theirs. */
function compareAges(a: string | undefined, b: string | undefined, nowMs: number): number {
  if (!a || !b) return Number(!!a) - Number(!!b);
  return magnitude(nowMs - Date.parse(a)) - magnitude(nowMs - Date.parse(b));
}

function magnitude(ageMs: number): number {
  if (ageMs < 0) return -1;
  // In nanoseconds, as the original measures.
  return ageMs === 0 ? 0 : Math.trunc(Math.log2(ageMs * 1e6));
}
