import type { Node, NodeSelectorTerm, Taint } from '../shared/api/generated/types.js';
import { findUntolerated, tolerates } from '../shared/api/taint.js';
import { matchesNodeTerm } from './node-affinity.js';
import type { NodeTable } from './node-table.js';
import type { PodInfo } from './pod-info.js';

export const unschedulableReason = 'node(s) were unschedulable';
export const affinityReason = "node(s) didn't match Pod's node affinity/selector";
export const taintReason = 'node(s) had untolerated taint(s)';
const unschedulableTaint: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
const cachedSignatures = 256;

/** Why a node cannot take a pod as far as labels, taints and cordons decide; undefined when it can. */
function nodeRefusal(info: PodInfo, node: Node): string | undefined {
  const tolerations = info.pod.spec.tolerations ?? [];
  if (node.spec.unschedulable && !tolerations.some((t) => tolerates(t, unschedulableTaint))) return unschedulableReason;
  if (untoleratedTaint(info, node)) return taintReason;
  return matchesAffinity(info, node) ? undefined : affinityReason;
}

/** The taint that keeps the pod away. */
export const untoleratedTaint = (info: PodInfo, node: Node): Taint | undefined =>
  findUntolerated(node.spec.taints, info.pod.spec.tolerations ?? [], ['NoSchedule', 'NoExecute']);

/** Whether the node is one that the pod's selector and affinity ask for. */
export function matchesAffinity({ pod: { spec } }: PodInfo, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  if (Object.entries(spec.nodeSelector ?? {}).some(([key, value]) => labels[key] !== value)) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || required.nodeSelectorTerms.some((term: NodeSelectorTerm) => matchesNodeTerm(term, node));
}

/** Verdicts of {@link nodeRefusal} and preferences for one signature, per slot, renewed where a node's generation moved. */
export interface NodeVerdicts {
  /** 0: can take; else an index into `reasons`. */
  readonly verdict: Uint16Array;
  readonly reasons: string[];
  /** Weight of preferred node affinity. */
  readonly affinityWeight: Float64Array;
  /** Taints of effect PreferNoSchedule that are not tolerated. */
  readonly badTaints: Float64Array;
  hasPreferences: boolean;
  readonly generation: Uint32Array;
}

/** Keeps the verdicts of the latest signatures; pods made from one template share them. */
export class NodeFilterCache {
  readonly #bySignature = new Map<string, NodeVerdicts>();

  verdicts(info: PodInfo, table: NodeTable): NodeVerdicts {
    const known = this.#bySignature.get(info.signature);
    const verdicts = known && known.verdict.length >= table.size ? known : emptyVerdicts(table.generation.length);
    this.#bySignature.delete(info.signature);
    this.#bySignature.set(info.signature, verdicts);
    const oldest = this.#bySignature.keys().next();
    if (this.#bySignature.size > cachedSignatures && !oldest.done) this.#bySignature.delete(oldest.value);
    for (let slot = 0; slot < table.size; slot++) {
      if (verdicts.generation[slot] !== table.generation[slot]) judge(info, table, slot, verdicts);
    }
    return verdicts;
  }
}

function emptyVerdicts(length: number): NodeVerdicts {
  return {
    verdict: new Uint16Array(length),
    reasons: [''],
    affinityWeight: new Float64Array(length),
    badTaints: new Float64Array(length),
    hasPreferences: false,
    generation: new Uint32Array(length),
  };
}

function judge(info: PodInfo, table: NodeTable, slot: number, verdicts: NodeVerdicts): void {
  verdicts.generation[slot] = table.generation[slot] ?? 0;
  const node = table.nodes[slot];
  if (!node) return;
  const refusal = nodeRefusal(info, node);
  verdicts.verdict[slot] = refusal === undefined ? 0 : reasonIndex(verdicts.reasons, refusal);
  const preferred = info.pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const weight = preferred.filter((p) => matchesNodeTerm(p.preference, node)).reduce((sum, p) => sum + p.weight, 0);
  const bad = (node.spec.taints ?? []).filter(
    (t) => t.effect === 'PreferNoSchedule' && findUntolerated([t], info.pod.spec.tolerations, ['PreferNoSchedule']),
  ).length;
  verdicts.affinityWeight[slot] = weight;
  verdicts.badTaints[slot] = bad;
  verdicts.hasPreferences ||= weight > 0 || bad > 0;
}

function reasonIndex(reasons: string[], reason: string): number {
  const found = reasons.indexOf(reason);
  return found >= 0 ? found : reasons.push(reason) - 1;
}
