import type { Node } from '../shared/api/generated/types.js';
import { Fit, type Look } from './fit.js';
import { matchesAffinity, NodeFilterCache, untoleratedTaint, type NodeVerdicts } from './node-filter.js';
import type { OnStep } from './metrics.js';
import type { NodeTable } from './node-table.js';
import type { Nominations } from './nominations.js';
import type { PodInfo } from './pod-info.js';
import { type NamespaceLabels, TermCache, topologyRules, type TopologyRules } from './topology.js';
import type { VolumeCatalog, VolumeDecision } from './volume-catalog.js';
import { volumeRules } from './volume-rules.js';

/** No node will do. */
export interface Refused {
  /** Reason -> slots. */
  readonly refusals: ReadonlyMap<string, readonly number[]>;
  readonly nodeCount: number;
  /** Why no node was even looked at. */
  readonly problem?: string;
  /** What was found out about the pod; absent where no node was looked at. */
  readonly look?: Look;
}

/** Outcome of looking for a node: the node and what its volumes need first, or why each node was refused. */
export type Placement = { readonly node: string; readonly volumes?: VolumeDecision } | Refused;

export interface PlacerOptions {
  readonly namespaceLabels: NamespaceLabels;
  /** In [0, 1); decides between equally good nodes. */
  readonly random: () => number;
  readonly volumes: VolumeCatalog;
  readonly nominations: Nominations;
  /** Told of the steps of looking for a node. */
  readonly onStep: OnStep;
}

/** Weights of the original's default profile. */
const weights = { spread: 2, taints: 3, affinity: 2, podAffinity: 2 };

/** Finds nodes for pods. Looks at the table, changes nothing but its own cache. */
export class Placer {
  readonly #table: NodeTable;
  readonly #filters = new NodeFilterCache();
  readonly #options: PlacerOptions;
  readonly #nominations: Nominations;
  readonly #terms: TermCache;
  /** For looks at single slots, also by others. */
  readonly fit: Fit;
  #feasible = new Int32Array(64);
  #scores = new Float64Array(64);

  constructor(table: NodeTable, options: PlacerOptions) {
    this.#table = table;
    this.#options = options;
    this.#nominations = options.nominations;
    this.#terms = new TermCache(options.namespaceLabels);
    this.fit = new Fit(table, this.#nominations);
  }

  place(info: PodInfo): Placement {
    const table = this.#table;
    if (this.#feasible.length < table.size) {
      this.#feasible = new Int32Array(table.generation.length);
      this.#scores = new Float64Array(table.generation.length);
    }
    const startMs = performance.now();
    const volumes = info.claims.length > 0 ? volumeRules(info, this.#options.volumes, table) : undefined;
    const { nodeCount } = table;
    if (typeof volumes === 'string') {
      this.#options.onStep('PreFilter', performance.now() - startMs, 'Unschedulable');
      return { refusals: new Map(), nodeCount, problem: volumes };
    }
    const look: Look = { verdicts: this.#filters.verdicts(info, table), rules: this.#rules(info), volumes };
    this.#options.onStep('PreFilter', performance.now() - startMs, 'Success');
    const node = this.#nominated(info, look) ?? this.#bestNode(info, look);
    if (!node) return { refusals: this.#refusals(info, look), nodeCount, look };
    const decision = volumes?.decision(node);
    return { node: node.metadata.name, ...(decision ? { volumes: decision } : {}) };
  }

  #rules(info: PodInfo): TopologyRules | undefined {
    const { nodes } = this.#table;
    return topologyRules(info, this.#table, this.#terms, (slot, { honorsAffinity, honorsTaints }) => {
      const node = nodes[slot];
      if (!node || (honorsAffinity && !matchesAffinity(info, node))) return false;
      return !honorsTaints || !untoleratedTaint(info, node);
    });
  }

  /** The node that the pod has in view, if it can be had by now. */
  #nominated(info: PodInfo, look: Look): Node | undefined {
    const name = this.#nominations.isEmpty ? undefined : this.#nominations.nodeOf(info.key);
    const slot = name === undefined ? undefined : this.#table.slotOf(name);
    return slot !== undefined && this.fit.refusals(info, slot, look).length === 0 ? this.#table.nodes[slot] : undefined;
  }

  #bestNode(info: PodInfo, look: Look): Node | undefined {
    const { onStep } = this.#options;
    const startMs = performance.now();
    const count = this.#filter(info, look);
    const filteredMs = performance.now();
    onStep('Filter', filteredMs - startMs, count === 0 ? 'Unschedulable' : 'Success');
    if (count === 0) return undefined;
    if (count > 1) {
      this.#score(info, count, look.verdicts, look.rules);
      onStep('Score', performance.now() - filteredMs, 'Success');
    }
    const node = this.#table.nodes[this.#feasible[count === 1 ? 0 : this.#best(count)] ?? 0];
    if (!node) throw new Error('a feasible slot has no node');
    return node;
  }

  /** Fills #feasible; returns how many there are. The common case touches only typed arrays. */
  #filter(info: PodInfo, look: Look): number {
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
    const { verdict } = look.verdicts;
    const { milliCpu, memoryBytes } = info;
    const isPlain = info.scalars.size === 0 && info.hostPorts.length === 0 && !look.rules && !look.volumes;
    const isAlone = this.#nominations.isEmpty;
    let count = 0;
    for (let slot = 0; slot < table.size; slot++) {
      if (verdict[slot] !== 0 || nodes[slot] === undefined) continue;
      if (at(podCount, slot) + 1 > at(allocatablePods, slot)) continue;
      if (milliCpu > 0 && milliCpu > at(allocatableMilliCpu, slot) - at(requestedMilliCpu, slot)) continue;
      if (memoryBytes > 0 && memoryBytes > at(allocatableMemory, slot) - at(requestedMemory, slot)) continue;
      if (!isPlain && this.fit.lateRefusals(info, slot, look).length > 0) continue;
      if (!isAlone && this.fit.refusalsBeside(info, slot, look).length > 0) continue;
      this.#feasible[count++] = slot;
    }
    return count;
  }

  /** Reason -> slots, over all nodes; only made when no node will do. */
  #refusals(info: PodInfo, look: Look): Map<string, number[]> {
    const refusals = new Map<string, number[]>();
    for (let slot = 0; slot < this.#table.size; slot++) {
      if (this.#table.nodes[slot] === undefined) continue;
      for (const reason of this.fit.refusals(info, slot, look)) {
        const slots = refusals.get(reason);
        if (slots) slots.push(slot);
        else refusals.set(reason, [slot]);
      }
    }
    return refusals;
  }

  /** LeastAllocated, BalancedAllocation and ImageLocality, then what must be normalised over the feasible nodes. */
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
    const locality = t.images.scores(info.pod.spec, t.nodeCount);
    if (locality) {
      for (let i = 0; i < count; i++) this.#scores[i] = (this.#scores[i] ?? 0) + locality(this.#feasible[i] ?? 0);
    }
    const spread = info.spreadKey === undefined ? undefined : t.spreadCounts(info.spreadKey);
    if (rules?.hasCrowd) this.#addReversed(count, weights.spread, (slot) => rules.crowd(slot));
    else if (spread) this.#addReversed(count, weights.spread, (slot) => spread.get(slot) ?? 0);
    if (verdicts.hasPreferences) {
      this.#addReversed(count, weights.taints, (slot) => at(verdicts.badTaints, slot));
      this.#addScaled(count, weights.affinity, (slot) => at(verdicts.affinityWeight, slot));
    }
    if (rules?.hasPreferences) this.#addScaled(count, weights.podAffinity, (slot) => rules.preference(slot), true);
  }

  /** Adds up to 100 x weight: most where the figure is largest, none where it is zero, or the least of all. */
  #addScaled(count: number, weight: number, figure: (slot: number) => number, fromLeast = false): void {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < count; i++) {
      const value = figure(this.#feasible[i] ?? 0);
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    const base = fromLeast ? least : Math.min(least, 0);
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
    let top = Number.NEGATIVE_INFINITY;
    let ties = 0;
    for (let i = 0; i < count; i++) {
      const score = this.#scores[i] ?? 0;
      if (score > top) {
        top = score;
        ties = 1;
      } else if (score === top) ties++;
    }
    let skipped = Math.floor(this.#options.random() * ties);
    for (let i = 0; i < count; i++) if (this.#scores[i] === top && skipped-- === 0) return i;
    return 0;
  }
}

const at = (column: Float64Array, slot: number): number => column[slot] ?? 0;
const used = (amount: number, allocatable: number): number =>
  allocatable <= 0 ? 1 : Math.min(1, amount / allocatable);
