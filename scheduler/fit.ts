import type { NodeVerdicts } from './node-filter.js';
import type { NodeTable } from './node-table.js';
import type { Nominations } from './nominations.js';
import type { PodInfo } from './pod-info.js';
import type { TopologyRules } from './topology.js';
import type { VolumeRules } from './volume-rules.js';

export const portReason = "node(s) didn't have free ports for the requested pod ports";
export const tooManyPodsReason = 'Too many pods';
export const insufficient = (resource: string): string => `Insufficient ${resource}`;

/** What is found out once for a pod before nodes are looked at. */
export interface Look {
  readonly verdicts: NodeVerdicts;
  readonly rules: TopologyRules | undefined;
  readonly volumes: VolumeRules | undefined;
}

/** Whether the pod fits on slots of the table as it is; the filters in the original's order, the first that refuses counts. */
export class Fit {
  readonly #table: NodeTable;
  readonly #nominations: Nominations;

  constructor(table: NodeTable, nominations: Nominations) {
    this.#table = table;
    this.#nominations = nominations;
  }

  /** Why the slot cannot take the pod; empty when it can, also beside the pods that have it in view. */
  refusals(info: PodInfo, slot: number, look: Look): string[] {
    const reasons = this.#refusals(info, slot, look);
    return reasons.length > 0 ? reasons : this.refusalsBeside(info, slot, look);
  }

  /** Why pods that matter as much or more, and have the slot in view, leave no room there. */
  refusalsBeside(info: PodInfo, slot: number, look: Look): string[] {
    const node = this.#table.nodes[slot]?.metadata.name;
    if (this.#nominations.isEmpty || node === undefined) return [];
    const others = [...this.#nominations.on(node)].filter(
      (other) => other.key !== info.key && other.priority >= info.priority && !this.#table.has(other.key),
    );
    for (const other of others) this.#count(other, node, slot, look, 1);
    try {
      return others.length > 0 ? this.#refusals(info, slot, look) : [];
    } finally {
      for (const other of others) this.#count(other, node, slot, look, -1);
    }
  }

  /** What is left to be checked of a slot whose labels, pods, CPU and memory suit. */
  lateRefusals(info: PodInfo, slot: number, { rules, volumes }: Look): string[] {
    if (this.#table.hasPortConflict(info, slot)) return [portReason];
    const missing = this.#table.missingScalars(info, slot).map(insufficient);
    if (missing.length > 0) return missing;
    return this.#outerRefusals(slot, rules, volumes);
  }

  #refusals(info: PodInfo, slot: number, { verdicts, rules, volumes }: Look): string[] {
    const verdict = verdicts.verdict[slot] ?? 0;
    if (verdict !== 0) return [verdicts.reasons[verdict] ?? ''];
    if (this.#table.hasPortConflict(info, slot)) return [portReason];
    const missing = this.#resourceRefusals(info, slot);
    return missing.length > 0 ? missing : this.#outerRefusals(slot, rules, volumes);
  }

  #outerRefusals(slot: number, rules: TopologyRules | undefined, volumes: VolumeRules | undefined): string[] {
    const node = volumes ? this.#table.nodes[slot] : undefined;
    const reasons = node ? (volumes?.refusals(node) ?? []) : [];
    if (reasons.length > 0) return reasons;
    const refusal = rules?.refusal(slot);
    return refusal === undefined ? [] : [refusal];
  }

  #resourceRefusals(info: PodInfo, slot: number): string[] {
    const t = this.#table;
    const reasons: string[] = [];
    if (at(t.podCount, slot) + 1 > at(t.allocatablePods, slot)) reasons.push(tooManyPodsReason);
    if (info.milliCpu > 0 && info.milliCpu > at(t.allocatableMilliCpu, slot) - at(t.requestedMilliCpu, slot))
      reasons.push(insufficient('cpu'));
    if (info.memoryBytes > 0 && info.memoryBytes > at(t.allocatableMemory, slot) - at(t.requestedMemory, slot))
      reasons.push(insufficient('memory'));
    return [...reasons, ...t.missingScalars(info, slot).map(insufficient)];
  }

  #count(other: PodInfo, node: string, slot: number, { rules }: Look, sign: 1 | -1): void {
    if (sign === 1) this.#table.addPod(other, node);
    else this.#table.removePod(other.key);
    rules?.count(other, slot, sign);
  }
}

const at = (column: Float64Array, slot: number): number => column[slot] ?? 0;
