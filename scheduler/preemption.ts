import type { PodDisruptionBudget } from '../shared/api/generated/types.js';
import { getCondition } from '../shared/api/condition.js';
import { matchesSelector, selectorOf } from '../shared/api/selector.js';
import { summarize } from './explanation.js';
import { insufficient, type Fit, type Look } from './fit.js';
import type { NodeTable } from './node-table.js';
import type { Refused } from './placement.js';
import type { PodInfo } from './pod-info.js';
import { isPreemptible } from './wake.js';

/** Pods to be evicted from a node so that another finds room there. */
export interface Preemption {
  readonly node: string;
  /** The most important first. */
  readonly victims: readonly PodInfo[];
}

/** Nobody is evicted. */
export interface NoPreemption {
  /** In the original's words, after `preemption: `. */
  readonly message: string;
  /** Whether the pod has no node in view any more: also without others it fits nowhere. */
  readonly isHopeless: boolean;
}

export interface PreemptionWorld {
  readonly table: NodeTable;
  readonly fit: Fit;
  readonly budgets: readonly PodDisruptionBudget[];
  /** Node that the pod has in view already. */
  readonly nominated: string | undefined;
  /** In [0, 1); where to begin among thousands of nodes. */
  readonly random: () => number;
}

interface Candidate extends Preemption {
  /** Victims whose budget does not allow their end. */
  readonly violations: number;
}

const notHelpful = 'Preemption is not helpful for scheduling';
const noVictims = 'No preemption victims found for incoming pod';
/** As many candidates are compared: a tenth of the nodes, and at least so many. */
const leastCandidates = 100;

/**
 * Which pods should make room for one that no node takes as things are. The table is looked at as if pods were gone, and is as
 * before when this returns. Candidates are compared as the original does: budgets broken, priority of the most important victim,
 * sum of priorities, number, and how lately the most important ones were started.
 */
export function planPreemption(info: PodInfo, refused: Refused, world: PreemptionWorld): Preemption | NoPreemption {
  if (info.pod.spec.preemptionPolicy === 'Never')
    return { message: 'not eligible due to preemptionPolicy=Never.', isHopeless: false };
  const slots = slotsThatMayHelp(info, refused, world.table);
  if (isRoomOnItsWay(info, slots, world))
    return { message: 'not eligible due to a terminating pod on the nominated node.', isHopeless: false };
  const counts = new Map<string, number>();
  if (slots.length < refused.nodeCount) counts.set(notHelpful, refused.nodeCount - slots.length);
  const candidates = refused.look ? findCandidates(info, refused.look, slots, { ...world, counts }) : [];
  const best = candidates.reduce<Candidate | undefined>((a, b) => (a && compare(a, b) <= 0 ? a : b), undefined);
  return best ?? { message: summarize(refused.nodeCount, counts), isHopeless: true };
}

/** Slots that refuse the pod only for what other pods take up. */
function slotsThatMayHelp(info: PodInfo, { refusals }: Refused, table: NodeTable): number[] {
  const may = new Map<number, boolean>();
  for (const [reason, slots] of refusals) {
    for (const slot of slots) {
      const could = isPreemptible(reason) && !isTooLarge(info, reason, table, slot);
      may.set(slot, could && may.get(slot) !== false);
    }
  }
  return [...may].filter(([, could]) => could).map(([slot]) => slot);
}

/** Whether even the empty node would have too little. */
function isTooLarge(info: PodInfo, reason: string, table: NodeTable, slot: number): boolean {
  if (reason === insufficient('cpu')) return info.milliCpu > (table.allocatableMilliCpu[slot] ?? 0);
  if (reason === insufficient('memory')) return info.memoryBytes > (table.allocatableMemory[slot] ?? 0);
  return [...info.scalars].some(
    ([name, amount]) => reason === insufficient(name) && amount > table.allocatableScalar(name, slot),
  );
}

/** Pods that were evicted for this one have not ended yet. */
function isRoomOnItsWay(info: PodInfo, slots: readonly number[], { table, nominated }: PreemptionWorld): boolean {
  const slot = nominated === undefined ? undefined : table.slotOf(nominated);
  if (slot === undefined || !slots.includes(slot)) return false;
  return [...table.podsOf(slot)].some((other) => other.priority < info.priority && isPreempted(other));
}

function isPreempted({ pod }: PodInfo): boolean {
  const target = getCondition(pod.status?.conditions, 'DisruptionTarget');
  return (
    pod.metadata.deletionTimestamp !== undefined &&
    target?.status === 'True' &&
    target.reason === 'PreemptionByScheduler'
  );
}

function findCandidates(
  info: PodInfo,
  look: Look,
  slots: readonly number[],
  world: PreemptionWorld & { readonly counts: Map<string, number> },
): Candidate[] {
  const { table, counts, random } = world;
  const note = (reason: string, times = 1): void => void counts.set(reason, (counts.get(reason) ?? 0) + times);
  if (!table.hasPodsBelow(info.priority)) {
    if (slots.length > 0) note(noVictims, slots.length);
    return [];
  }
  const wanted = Math.max(leastCandidates, Math.floor(slots.length / 10));
  const offset = Math.floor(random() * slots.length);
  const found: Candidate[] = [];
  for (let i = 0; i < slots.length; i++) {
    if (found.length >= wanted && found.some(({ violations }) => violations === 0)) break;
    const result = dryRun(info, look, slots[(offset + i) % slots.length] ?? 0, world);
    if (Array.isArray(result)) for (const reason of result) note(reason);
    else found.push(result);
  }
  return found;
}

/** The fewest and least important pods of a slot whose end makes room; reasons when there are none. */
function dryRun(info: PodInfo, look: Look, slot: number, world: PreemptionWorld): Candidate | string[] {
  const { table, fit, budgets } = world;
  const node = table.nodes[slot]?.metadata.name ?? '';
  const gone = new Set([...table.podsOf(slot)].filter((other) => other.priority < info.priority));
  if (gone.size === 0) return [noVictims];
  const remove = (other: PodInfo): void => {
    table.removePod(other.key);
    look.rules?.count(other, slot, -1);
    gone.add(other);
  };
  const restore = (other: PodInfo): void => {
    table.addPod(other, node);
    look.rules?.count(other, slot, 1);
    gone.delete(other);
  };
  const lower = [...gone].sort(byImportance);
  try {
    for (const other of lower) remove(other);
    const reasons = fit.refusals(info, slot, look);
    if (reasons.length > 0) return reasons;
    const { violating, others } = splitByBudget(lower, budgets);
    let violations = 0;
    for (const other of [...violating, ...others]) {
      restore(other);
      if (fit.refusals(info, slot, look).length === 0) continue;
      remove(other);
      if (violating.includes(other)) violations++;
    }
    return { node, victims: [...gone].sort(byImportance), violations };
  } finally {
    for (const other of gone) restore(other);
  }
}

/** The more important first: higher priority, then longer at work. Equals by name, so that the same pods give the same plan. */
const byImportance = (a: PodInfo, b: PodInfo): number =>
  b.priority - a.priority || startedMs(a) - startedMs(b) || (a.key < b.key ? -1 : 1);
/** A pod that has not begun is the latest. */
const startedMs = ({ pod }: PodInfo): number =>
  pod.status?.startTime === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(pod.status.startTime);

/** Which of the pods would, in this order, exceed what their budgets allow. */
function splitByBudget(
  pods: readonly PodInfo[],
  budgets: readonly PodDisruptionBudget[],
): { violating: PodInfo[]; others: PodInfo[] } {
  const left = budgets.map(({ metadata, spec, status }) => ({
    namespace: metadata.namespace,
    selector: selectorOf(spec?.selector),
    processed: status?.disruptedPods ?? {},
    allowed: status?.disruptionsAllowed ?? 0,
  }));
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const info of pods) {
    const { name, namespace, labels } = info.pod.metadata;
    let isViolated = false;
    for (const budget of left) {
      if (budget.namespace !== namespace || budget.selector.requirements.length === 0) continue;
      if (!matchesSelector(budget.selector, labels) || Object.hasOwn(budget.processed, name)) continue;
      if (--budget.allowed < 0) isViolated = true;
    }
    (isViolated ? violating : others).push(info);
  }
  return { violating, others };
}

/** Below zero: `a` is the lesser evil. Of equals the first stays. */
function compare(a: Candidate, b: Candidate): number {
  return (
    a.violations - b.violations ||
    highest(a) - highest(b) ||
    sumOf(a) - sumOf(b) ||
    a.victims.length - b.victims.length ||
    earliestOfHighest(b) - earliestOfHighest(a)
  );
}

const highest = ({ victims }: Candidate): number => victims[0]?.priority ?? 0;
/** Shifted above zero, so that many pods of a negative priority weigh more than few. */
const sumOf = ({ victims }: Candidate): number => victims.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0);
const earliestOfHighest = (candidate: Candidate): number =>
  Math.min(...candidate.victims.filter(({ priority }) => priority === highest(candidate)).map(startedMs));
