import type { Pod, PodAffinityTerm } from '../shared/api/generated/types.js';
import { matchesSelector, type Selector, selectorOf } from '../shared/api/selector.js';
import type { NodeTable } from './node-table.js';
import type { PodInfo } from './pod-info.js';
import { add, countByDomain, type Counts, labelOf, merged } from './topology-domain.js';
import { leastOf, type NodeEligibility, spreadOf, spreadRefusal } from './topology-spread.js';

export const podAffinityReason = "node(s) didn't match pod affinity rules";
export const podAntiAffinityReason = "node(s) didn't match pod anti-affinity rules";
export const existingAntiAffinityReason = "node(s) didn't satisfy existing pods anti-affinity rules";

/** Labels of a namespace, for namespace selectors. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined;

/** What other pods' places mean for one pod: refusals and scores per slot. */
export interface TopologyRules {
  refusal(slot: number): string | undefined;
  /** Takes one more or one less pod on a slot into account, for a look at what would be. */
  count(other: PodInfo, slot: number, sign: 1 | -1): void;
  /** Weight of preferred terms; may be negative. */
  preference(slot: number): number;
  readonly hasPreferences: boolean;
  /** For ScheduleAnyway constraints: the more pods a domain has, the larger; lower is better. */
  crowd(slot: number): number;
  readonly hasCrowd: boolean;
}

class Term {
  readonly topologyKey: string;
  readonly #selector: Selector;
  readonly #namespaces: ReadonlySet<string>;
  readonly #namespaceSelector: Selector | undefined;
  readonly #labels: NamespaceLabels;

  constructor(term: PodAffinityTerm, owner: Pod, labels: NamespaceLabels) {
    this.topologyKey = term.topologyKey;
    this.#selector = merged(term, owner);
    this.#namespaceSelector = term.namespaceSelector ? selectorOf(term.namespaceSelector) : undefined;
    const own =
      (term.namespaces ?? []).length === 0 && !this.#namespaceSelector ? [owner.metadata.namespace ?? ''] : [];
    this.#namespaces = new Set([...(term.namespaces ?? []), ...own]);
    this.#labels = labels;
  }

  matches(pod: Pod): boolean {
    const namespace = pod.metadata.namespace ?? '';
    const isInside =
      this.#namespaces.has(namespace) ||
      (this.#namespaceSelector !== undefined && matchesSelector(this.#namespaceSelector, this.#labels(namespace)));
    return isInside && matchesSelector(this.#selector, pod.metadata.labels);
  }

  /** Matching pods per topology domain. */
  counts(table: NodeTable): Counts {
    return countByDomain(table, this.topologyKey, (pod) => this.matches(pod));
  }
}

interface CountedTerm {
  readonly term: Term;
  readonly counts: Counts;
  readonly weight: number;
}

const countAt = (table: NodeTable, slot: number, { term, counts }: CountedTerm): number => {
  const domain = labelOf(table, slot, term.topologyKey);
  return domain === undefined ? 0 : (counts.get(domain) ?? 0);
};

function isEmpty(counts: Counts): boolean {
  for (const count of counts.values()) if (count > 0) return false;
  return true;
}

function affinityRefusal(
  required: readonly CountedTerm[],
  info: PodInfo,
  table: NodeTable,
  slot: number,
): string | undefined {
  const hasLabels = required.every(({ term }) => labelOf(table, slot, term.topologyKey) !== undefined);
  if (required.length > 0 && hasLabels && required.every((t) => countAt(table, slot, t) > 0)) return undefined;
  // The first of a group that wants to be together may go anywhere.
  const isFirst = hasLabels && required.every(({ term, counts }) => isEmpty(counts) && term.matches(info.pod));
  return required.length === 0 || isFirst ? undefined : podAffinityReason;
}

/** Domains from which placed pods keep the pod away, by the key of the placed pod. */
class Repulsion {
  readonly #domains = new Map<string, readonly { readonly key: string; readonly domain: string | undefined }[]>();
  readonly #info: PodInfo;
  readonly #table: NodeTable;
  readonly #labels: NamespaceLabels;

  constructor(info: PodInfo, table: NodeTable, labels: NamespaceLabels) {
    this.#info = info;
    this.#table = table;
    this.#labels = labels;
    for (const existing of table.antiAffine.values()) this.add(existing.info, existing.slot);
  }

  add(other: PodInfo, slot: number): void {
    const domains = other.requiredAntiAffinity
      .filter((term) => new Term(term, other.pod, this.#labels).matches(this.#info.pod))
      .map(({ topologyKey }) => ({ key: topologyKey, domain: labelOf(this.#table, slot, topologyKey) }));
    if (domains.length > 0) this.#domains.set(other.key, domains);
  }

  remove(other: PodInfo): void {
    this.#domains.delete(other.key);
  }

  reaches(slot: number): boolean {
    for (const domains of this.#domains.values()) {
      if (domains.some(({ key, domain }) => domain !== undefined && labelOf(this.#table, slot, key) === domain))
        return true;
    }
    return false;
  }
}

/** Evaluates affinity, anti-affinity and spread of one pod against all placed pods; undefined when none of it applies. */
export function topologyRules(
  info: PodInfo,
  table: NodeTable,
  labels: NamespaceLabels,
  isEligible: NodeEligibility,
): TopologyRules | undefined {
  if (!info.hasTopologyRules && table.antiAffine.size === 0) return undefined;
  const { affinity, topologySpreadConstraints = [] } = info.pod.spec;
  const counted = (term: PodAffinityTerm, weight: number): CountedTerm => {
    const made = new Term(term, info.pod, labels);
    return { term: made, counts: made.counts(table), weight };
  };
  const required = (affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((t) =>
    counted(t, 0),
  );
  const forbidden = info.requiredAntiAffinity.map((t) => counted(t, 0));
  const preferred = [
    ...(affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) =>
      counted(p.podAffinityTerm, p.weight),
    ),
    ...(affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) =>
      counted(p.podAffinityTerm, -p.weight),
    ),
  ];
  const repulsion = new Repulsion(info, table, labels);
  const spreads = topologySpreadConstraints.map((c) => spreadOf(c, info, table, isEligible));
  const hard = spreads.filter((s) => s.constraint.whenUnsatisfiable === 'DoNotSchedule');
  const soft = spreads.filter((s) => s.constraint.whenUnsatisfiable === 'ScheduleAnyway');
  let leasts: readonly number[] | undefined;
  return {
    refusal: (slot) => {
      leasts ??= hard.map(leastOf);
      const refusal = spreadRefusal(hard, leasts, table, slot) ?? affinityRefusal(required, info, table, slot);
      if (refusal !== undefined) return refusal;
      if (forbidden.some((t) => countAt(table, slot, t) > 0)) return podAntiAffinityReason;
      return repulsion.reaches(slot) ? existingAntiAffinityReason : undefined;
    },
    count: (other, slot, sign) => {
      for (const { term, counts } of [...required, ...forbidden])
        if (term.matches(other.pod)) add(counts, labelOf(table, slot, term.topologyKey), sign);
      for (const { constraint, counts, isCounted, isEligible: takesPart } of hard)
        if (takesPart(slot) && isCounted(other.pod)) add(counts, labelOf(table, slot, constraint.topologyKey), sign);
      leasts = undefined;
      if (sign === 1) repulsion.add(other, slot);
      else repulsion.remove(other);
    },
    preference: (slot) => preferred.reduce((sum, t) => sum + t.weight * countAt(table, slot, t), 0),
    hasPreferences: preferred.length > 0,
    crowd: (slot) =>
      soft.reduce(
        (sum, s) =>
          sum + (s.counts.get(labelOf(table, slot, s.constraint.topologyKey) ?? '') ?? 0) / s.constraint.maxSkew,
        0,
      ),
    hasCrowd: soft.length > 0,
  };
}
