import type { LabelSelector, Pod, PodAffinityTerm, TopologySpreadConstraint } from '../shared/api/generated/types.js';
import { matchesSelector, type Selector, selectorOf, selectorOfMap } from '../shared/api/selector.js';
import type { NodeTable } from './node-table.js';
import type { PodInfo } from './pod-info.js';

export const podAffinityReason = "node(s) didn't match pod affinity rules";
export const podAntiAffinityReason = "node(s) didn't match pod anti-affinity rules";
export const existingAntiAffinityReason = "node(s) didn't satisfy existing pods anti-affinity rules";
export const spreadReason = "node(s) didn't match pod topology spread constraints";
export const spreadLabelReason = "node(s) didn't match pod topology spread constraints (missing required label)";

/** Labels of a namespace, for namespace selectors. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined;

/** What other pods' places mean for one pod: refusals and scores per slot. */
export interface TopologyRules {
  refusal(slot: number): string | undefined;
  /** Weight of preferred terms; may be negative. */
  preference(slot: number): number;
  readonly hasPreferences: boolean;
  /** For ScheduleAnyway constraints: the more pods a domain has, the larger; lower is better. */
  crowd(slot: number): number;
  readonly hasCrowd: boolean;
}

type Counts = ReadonlyMap<string, number>;

const labelOf = (table: NodeTable, slot: number, key: string): string | undefined => {
  const labels = table.nodes[slot]?.metadata.labels;
  return labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
};

function merged(
  selector: LabelSelector | undefined,
  pod: Pod,
  matchLabelKeys: readonly string[] | undefined,
): Selector {
  const base = selectorOf(selector);
  const labels = pod.metadata.labels ?? {};
  const picked = Object.fromEntries(
    (matchLabelKeys ?? []).flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])),
  );
  return { ...base, requirements: [...base.requirements, ...selectorOfMap(picked).requirements] };
}

class Term {
  readonly topologyKey: string;
  readonly #selector: Selector;
  readonly #namespaces: ReadonlySet<string>;
  readonly #namespaceSelector: Selector | undefined;
  readonly #labels: NamespaceLabels;

  constructor(term: PodAffinityTerm, owner: Pod, labels: NamespaceLabels) {
    this.topologyKey = term.topologyKey;
    this.#selector = merged(term.labelSelector, owner, term.matchLabelKeys);
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

function countByDomain(table: NodeTable, topologyKey: string, isCounted: (pod: Pod) => boolean): Map<string, number> {
  const counts = new Map<string, number>();
  for (let slot = 0; slot < table.size; slot++) {
    const domain = labelOf(table, slot, topologyKey);
    if (domain === undefined) continue;
    let count = 0;
    for (const { pod } of table.podsOf(slot)) if (!pod.metadata.deletionTimestamp && isCounted(pod)) count++;
    if (count > 0) counts.set(domain, (counts.get(domain) ?? 0) + count);
  }
  return counts;
}

interface Spread {
  readonly constraint: TopologySpreadConstraint;
  readonly counts: Map<string, number>;
  readonly least: number;
  /** 1 when the pod itself is counted. */
  readonly self: number;
}

/** `isEligible` tells the slots whose domains count: those that pass the node filters. */
function spreadOf(
  constraint: TopologySpreadConstraint,
  info: PodInfo,
  table: NodeTable,
  isEligible: (slot: number) => boolean,
): Spread {
  const selector = merged(constraint.labelSelector, info.pod, constraint.matchLabelKeys);
  const namespace = info.pod.metadata.namespace;
  const counts = countByDomain(
    table,
    constraint.topologyKey,
    (pod) => pod.metadata.namespace === namespace && matchesSelector(selector, pod.metadata.labels),
  );
  const domains = new Set<string>();
  for (let slot = 0; slot < table.size; slot++) {
    const domain = isEligible(slot) ? labelOf(table, slot, constraint.topologyKey) : undefined;
    if (domain !== undefined) domains.add(domain);
  }
  let least = domains.size > 0 && domains.size >= (constraint.minDomains ?? 1) ? Number.POSITIVE_INFINITY : 0;
  for (const domain of domains) least = Math.min(least, counts.get(domain) ?? 0);
  return { constraint, counts, least, self: matchesSelector(selector, info.pod.metadata.labels) ? 1 : 0 };
}

function spreadRefusal(spreads: readonly Spread[], table: NodeTable, slot: number): string | undefined {
  for (const { constraint, counts, least, self } of spreads) {
    const domain = labelOf(table, slot, constraint.topologyKey);
    if (domain === undefined) return spreadLabelReason;
    if ((counts.get(domain) ?? 0) + self - least > constraint.maxSkew) return spreadReason;
  }
  return undefined;
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

function affinityRefusal(
  required: readonly CountedTerm[],
  info: PodInfo,
  table: NodeTable,
  slot: number,
): string | undefined {
  const hasLabels = required.every(({ term }) => labelOf(table, slot, term.topologyKey) !== undefined);
  if (required.length > 0 && hasLabels && required.every((t) => countAt(table, slot, t) > 0)) return undefined;
  // The first of a group that wants to be together may go anywhere.
  const isFirst = hasLabels && required.every(({ term, counts }) => counts.size === 0 && term.matches(info.pod));
  return required.length === 0 || isFirst ? undefined : podAffinityReason;
}

/** Evaluates affinity, anti-affinity and spread of one pod against all placed pods; undefined when none of it applies. */
export function topologyRules(
  info: PodInfo,
  table: NodeTable,
  labels: NamespaceLabels,
  isEligible: (slot: number) => boolean,
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
  const repelling = [...table.antiAffine.values()].flatMap((existing) =>
    existing.info.requiredAntiAffinity.flatMap((t) => {
      const term = new Term(t, existing.info.pod, labels);
      return term.matches(info.pod)
        ? [{ key: t.topologyKey, domain: labelOf(table, existing.slot, t.topologyKey) }]
        : [];
    }),
  );
  const spreads = topologySpreadConstraints.map((c) => spreadOf(c, info, table, isEligible));
  const hard = spreads.filter((s) => s.constraint.whenUnsatisfiable === 'DoNotSchedule');
  const soft = spreads.filter((s) => s.constraint.whenUnsatisfiable === 'ScheduleAnyway');
  return {
    refusal: (slot) => {
      if (repelling.some(({ key, domain }) => domain !== undefined && labelOf(table, slot, key) === domain))
        return existingAntiAffinityReason;
      if (forbidden.some((t) => countAt(table, slot, t) > 0)) return podAntiAffinityReason;
      return affinityRefusal(required, info, table, slot) ?? spreadRefusal(hard, table, slot);
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
