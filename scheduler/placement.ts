import { NodeFilterCache, type NodeVerdicts } from './node-filter.js';
import type { NodeTable } from './node-table.js';
import type { PodInfo } from './pod-info.js';
import { type NamespaceLabels, topologyRules, type TopologyRules } from './topology.js';

/** Outcome of looking for a node: the node, or why each node was refused. */
export type Placement =
  { readonly node: string } | { readonly refusals: ReadonlyMap<string, readonly number[]>; readonly nodeCount: number };

export const portReason = "node(s) didn't have free ports for the requested pod ports";
export const tooManyPodsReason = 'Too many pods';
const insufficient = (resource: string): string => `Insufficient ${resource}`;

/** Weights of the original's default profile. */
const weights = { spread: 2, taints: 3, affinity: 2, podAffinity: 2 };

/** Finds nodes for pods. Looks at the table, changes nothing but its own cache. */
export class Placer {
  readonly #table: NodeTable;
  readonly #filters = new NodeFilterCache();
  readonly #namespaceLabels: NamespaceLabels;
  /** In [0, 1); decides between equally good nodes. */
  readonly #random: () => number;
  #feasible = new Int32Array(64);
  #scores = new Float64Array(64);

  constructor(table: NodeTable, options: { namespaceLabels: NamespaceLabels; random: () => number }) {
    this.#table = table;
    this.#namespaceLabels = options.namespaceLabels;
    this.#random = options.random;
  }

  place(info: PodInfo): Placement {
    const table = this.#table;
    if (this.#feasible.length < table.size) {
      this.#feasible = new Int32Array(table.generation.length);
      this.#scores = new Float64Array(table.generation.length);
    }
    const verdicts = this.#filters.verdicts(info, table);
    const rules = topologyRules(
      info,
      table,
      this.#namespaceLabels,
      (slot) => table.nodes[slot] !== undefined && verdicts.verdict[slot] === 0,
    );
    const count = this.#filter(info, verdicts, rules);
    if (count === 0) return { refusals: this.#refusals(info, verdicts, rules), nodeCount: table.nodeCount };
    if (count > 1) this.#score(info, count, verdicts, rules);
    const node = table.nodes[this.#feasible[count === 1 ? 0 : this.#best(count)] ?? 0];
    if (!node) throw new Error('a feasible slot has no node');
    return { node: node.metadata.name };
  }

  /** Fills #feasible; returns how many there are. The common case touches only typed arrays. */
  #filter(info: PodInfo, { verdict }: NodeVerdicts, rules: TopologyRules | undefined): number {
    const table = this.#table;
    const {
      allocatableMilliCpu,
      allocatableMemory,
      allocatablePods,
      requestedMilliCpu,
      requestedMemory,
      podCount,
      nodes,
    } = table;
    const { milliCpu, memoryBytes } = info;
    const isPlain = info.scalars.size === 0 && info.hostPorts.length === 0 && !rules;
    let count = 0;
    for (let slot = 0; slot < table.size; slot++) {
      if (verdict[slot] !== 0 || nodes[slot] === undefined) continue;
      if (at(podCount, slot) + 1 > at(allocatablePods, slot)) continue;
      if (milliCpu > 0 && milliCpu > at(allocatableMilliCpu, slot) - at(requestedMilliCpu, slot)) continue;
      if (memoryBytes > 0 && memoryBytes > at(allocatableMemory, slot) - at(requestedMemory, slot)) continue;
      if (!isPlain && this.#lateRefusals(info, slot, rules).length > 0) continue;
      this.#feasible[count++] = slot;
    }
    return count;
  }

  #lateRefusals(info: PodInfo, slot: number, rules: TopologyRules | undefined): string[] {
    const missing = this.#table.missingScalars(info, slot).map(insufficient);
    if (missing.length > 0) return missing;
    if (this.#table.hasPortConflict(info, slot)) return [portReason];
    const refusal = rules?.refusal(slot);
    return refusal === undefined ? [] : [refusal];
  }

  /** Reason -> slots, over all nodes; only made when no node will do. */
  #refusals(info: PodInfo, verdicts: NodeVerdicts, rules: TopologyRules | undefined): Map<string, number[]> {
    const table = this.#table;
    const refusals = new Map<string, number[]>();
    for (let slot = 0; slot < table.size; slot++) {
      if (table.nodes[slot] === undefined) continue;
      const verdict = verdicts.verdict[slot] ?? 0;
      const reasons = verdict === 0 ? this.#resourceRefusals(info, slot) : [verdicts.reasons[verdict] ?? ''];
      for (const reason of reasons.length > 0 ? reasons : this.#lateRefusals(info, slot, rules)) {
        const slots = refusals.get(reason);
        if (slots) slots.push(slot);
        else refusals.set(reason, [slot]);
      }
    }
    return refusals;
  }

  #resourceRefusals(info: PodInfo, slot: number): string[] {
    const t = this.#table;
    const reasons: string[] = [];
    if (at(t.podCount, slot) + 1 > at(t.allocatablePods, slot)) reasons.push(tooManyPodsReason);
    if (info.milliCpu > 0 && info.milliCpu > at(t.allocatableMilliCpu, slot) - at(t.requestedMilliCpu, slot))
      reasons.push(insufficient('cpu'));
    if (info.memoryBytes > 0 && info.memoryBytes > at(t.allocatableMemory, slot) - at(t.requestedMemory, slot))
      reasons.push(insufficient('memory'));
    return reasons;
  }

  /** LeastAllocated and BalancedAllocation, then what must be normalised over the feasible nodes. */
  #score(info: PodInfo, count: number, verdicts: NodeVerdicts, rules: TopologyRules | undefined): void {
    const t = this.#table;
    for (let i = 0; i < count; i++) {
      const slot = this.#feasible[i] ?? 0;
      const cpu = used(at(t.scoredMilliCpu, slot) + info.scoredMilliCpu, at(t.allocatableMilliCpu, slot));
      const memory = used(at(t.scoredMemory, slot) + info.scoredMemoryBytes, at(t.allocatableMemory, slot));
      const least = ((1 - cpu) * 100 + (1 - memory) * 100) / 2;
      const balanced = (1 - Math.abs(cpu - memory) / 2) * 100;
      this.#scores[i] = Math.trunc(least) + Math.trunc(balanced);
    }
    const spread = info.spreadKey === undefined ? undefined : t.spreadCounts(info.spreadKey);
    if (rules?.hasCrowd) this.#addReversed(count, weights.spread, (slot) => rules.crowd(slot));
    else if (spread) this.#addReversed(count, weights.spread, (slot) => spread.get(slot) ?? 0);
    if (verdicts.hasPreferences) {
      this.#addReversed(count, weights.taints, (slot) => at(verdicts.badTaints, slot));
      this.#addScaled(count, weights.affinity, (slot) => at(verdicts.affinityWeight, slot));
    }
    if (rules?.hasPreferences) this.#addScaled(count, weights.podAffinity, (slot) => rules.preference(slot));
  }

  /** Adds up to 100 x weight: most where the figure is largest. */
  #addScaled(count: number, weight: number, figure: (slot: number) => number): void {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < count; i++) {
      const value = figure(this.#feasible[i] ?? 0);
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    const base = Math.min(least, 0);
    if (most === base) return;
    for (let i = 0; i < count; i++)
      this.#scores[i] =
        (this.#scores[i] ?? 0) + (weight * 100 * (figure(this.#feasible[i] ?? 0) - base)) / (most - base);
  }

  /** Adds up to 100 x weight: most where the figure is smallest. */
  #addReversed(count: number, weight: number, figure: (slot: number) => number): void {
    let most = 0;
    for (let i = 0; i < count; i++) most = Math.max(most, figure(this.#feasible[i] ?? 0));
    if (most === 0) return;
    for (let i = 0; i < count; i++)
      this.#scores[i] = (this.#scores[i] ?? 0) + (weight * 100 * (most - figure(this.#feasible[i] ?? 0))) / most;
  }

  /** Index of the best score; chance decides between equals (reservoir sampling). */
  #best(count: number): number {
    let best = 0;
    let ties = 1;
    for (let i = 1; i < count; i++) {
      const difference = (this.#scores[i] ?? 0) - (this.#scores[best] ?? 0);
      if (difference > 0) {
        best = i;
        ties = 1;
      } else if (difference === 0 && this.#random() * ++ties < 1) best = i;
    }
    return best;
  }
}

const at = (column: Float64Array, slot: number): number => column[slot] ?? 0;
const used = (amount: number, allocatable: number): number =>
  allocatable <= 0 ? 1 : Math.min(1, amount / allocatable);
