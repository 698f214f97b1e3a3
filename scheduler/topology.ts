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
  /** Weight of the pod's preferred terms, and of those of placed pods that are about it; may be negative. */
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

interface Leaning {
  readonly term: Term;
  readonly weight: number;
}

/** Makes terms, and keeps those of placed pods: each is asked about every pod that comes. */
export class TermCache {
  readonly #labels: NamespaceLabels;
  readonly #repelling = new WeakMap<PodInfo, readonly Term[]>();
  readonly #leanings = new WeakMap<PodInfo, readonly Leaning[]>();

  constructor(labels: NamespaceLabels) {
    this.#labels = labels;
  }

  make(term: PodAffinityTerm, owner: Pod): Term {
    return new Term(term, owner, this.#labels);
  }

  repelling(info: PodInfo): readonly Term[] {
    const known = this.#repelling.get(info);
    if (known) return known;
    const terms = info.requiredAntiAffinity.map((term) => this.make(term, info.pod));
    this.#repelling.set(info, terms);
    return terms;
  }

  leanings(info: PodInfo): readonly Leaning[] {
    const known = this.#leanings.get(info);
    if (known) return known;
    const made = info.leanings.map(({ weight, podAffinityTerm }) => {
      return { weight, term: this.make(podAffinityTerm, info.pod) };
    });
    this.#leanings.set(info, made);
    return made;
  }
}

/** How many placed pods keep the pod away from a domain, by the key of its label. */
class Repulsion {
  readonly #counts = new Map<string, Counts>();
  readonly #info: PodInfo;
  readonly #table: NodeTable;
  readonly #terms: TermCache;

  constructor(info: PodInfo, table: NodeTable, terms: TermCache) {
    this.#info = info;
    this.#table = table;
    this.#terms = terms;
    for (const existing of table.antiAffine.values()) this.count(existing.info, existing.slot, 1);
  }

  count(other: PodInfo, slot: number, sign: 1 | -1): void {
    for (const term of this.#terms.repelling(other)) {
      if (!term.matches(this.#info.pod)) continue;
      const counts = this.#counts.get(term.topologyKey) ?? new Map<string, number>();
      this.#counts.set(term.topologyKey, counts);
      add(counts, labelOf(this.#table, slot, term.topologyKey), sign);
    }
  }

  reaches(slot: number): boolean {
    for (const [key, counts] of this.#counts) {
      const domain = labelOf(this.#table, slot, key);
      if (domain !== undefined && (counts.get(domain) ?? 0) > 0) return true;
    }
    return false;
  }
}

/** How much placed pods want the pod near, by the key of a label and its value. */
function leaningsTowards({ pod }: PodInfo, table: NodeTable, terms: TermCache): ReadonlyMap<string, Counts> {
  const weights = new Map<string, Counts>();
  for (const { info, slot } of table.leaning.values()) {
    for (const { term, weight } of terms.leanings(info)) {
      if (!term.matches(pod)) continue;
      const ofKey: Counts = weights.get(term.topologyKey) ?? new Map<string, number>();
      weights.set(term.topologyKey, ofKey);
      add(ofKey, labelOf(table, slot, term.topologyKey), weight);
    }
  }
  return weights;
}

/** Evaluates affinity, anti-affinity and spread of one pod against all placed pods; undefined when none of it applies. */
export function topologyRules(
  info: PodInfo,
  table: NodeTable,
  terms: TermCache,
  isEligible: NodeEligibility,
): TopologyRules | undefined {
  const { antiAffine, leaning } = table;
  if (!info.hasTopologyRules && antiAffine.size === 0 && leaning.size === 0) return undefined;
  const { affinity, topologySpreadConstraints = [] } = info.pod.spec;
  const counted = (term: PodAffinityTerm, weight: number): CountedTerm => {
    const made = terms.make(term, info.pod);
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
  const repulsion = new Repulsion(info, table, terms);
  const wanted = leaningsTowards(info, table, terms);
  const wantedAt = (slot: number): number => {
    let sum = 0;
    for (const [key, weights] of wanted) sum += weights.get(labelOf(table, slot, key) ?? '') ?? 0;
    return sum;
  };
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
      repulsion.count(other, slot, sign);
    },
    preference: (slot) => preferred.reduce((sum, t) => sum + t.weight * countAt(table, slot, t), wantedAt(slot)),
    hasPreferences: preferred.length > 0 || wanted.size > 0,
    crowd: (slot) =>
      soft.reduce(
        (sum, s) =>
          sum + (s.counts.get(labelOf(table, slot, s.constraint.topologyKey) ?? '') ?? 0) / s.constraint.maxSkew,
        0,
      ),
    hasCrowd: soft.length > 0,
  };
}
