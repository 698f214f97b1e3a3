import type { Pod, TopologySpreadConstraint } from '../shared/api/generated/types.js';
import { matchesSelector } from '../shared/api/selector.js';
import type { NodeTable } from './node-table.js';
import type { PodInfo } from './pod-info.js';
import { countByDomain, type Counts, labelOf, merged } from './topology-domain.js';

export const spreadReason = "node(s) didn't match pod topology spread constraints";
export const spreadLabelReason = "node(s) didn't match pod topology spread constraints (missing required label)";

/** Whether a slot's node is one that the pod could be meant for. */
export type NodeEligibility = (
  slot: number,
  policies: { readonly honorsAffinity: boolean; readonly honorsTaints: boolean },
) => boolean;

/** One constraint, and how the pods that it counts lie. */
export interface Spread {
  readonly constraint: TopologySpreadConstraint;
  readonly counts: Counts;
  /** Domains that take part, with pods or without. */
  readonly domains: ReadonlySet<string>;
  /** 1 when the pod itself is counted. */
  readonly self: number;
  readonly isCounted: (pod: Pod) => boolean;
  readonly isEligible: (slot: number) => boolean;
}

/** Pods on their way out do not count here, unlike in affinity: the skew is about what will be. */
export function spreadOf(
  constraint: TopologySpreadConstraint,
  info: PodInfo,
  table: NodeTable,
  isNodeEligible: NodeEligibility,
): Spread {
  const { topologyKey, nodeAffinityPolicy = 'Honor', nodeTaintsPolicy = 'Ignore' } = constraint;
  const selector = merged(constraint, info.pod);
  const namespace = info.pod.metadata.namespace;
  const isCounted = ({ metadata }: Pod): boolean =>
    !metadata.deletionTimestamp && metadata.namespace === namespace && matchesSelector(selector, metadata.labels);
  const policies = { honorsAffinity: nodeAffinityPolicy === 'Honor', honorsTaints: nodeTaintsPolicy === 'Honor' };
  const isEligible = (slot: number): boolean => isNodeEligible(slot, policies);
  const domains = new Set<string>();
  for (let slot = 0; slot < table.size; slot++) {
    const domain = isEligible(slot) ? labelOf(table, slot, topologyKey) : undefined;
    if (domain !== undefined) domains.add(domain);
  }
  const counts = countByDomain(table, topologyKey, isCounted, isEligible);
  return { constraint, counts, domains, isCounted, isEligible, self: isCounted(info.pod) ? 1 : 0 };
}

/** The smallest number of pods in a domain; none while there are too few domains. */
export function leastOf({ constraint, counts, domains }: Spread): number {
  if (domains.size === 0 || domains.size < (constraint.minDomains ?? 1)) return 0;
  let least = Number.POSITIVE_INFINITY;
  for (const domain of domains) least = Math.min(least, counts.get(domain) ?? 0);
  return least;
}

/** Why a pod more on the slot would be one too many; `leasts` are the {@link leastOf} the spreads. */
export function spreadRefusal(
  spreads: readonly Spread[],
  leasts: readonly number[],
  table: NodeTable,
  slot: number,
): string | undefined {
  for (const [i, { constraint, counts, self }] of spreads.entries()) {
    const domain = labelOf(table, slot, constraint.topologyKey);
    if (domain === undefined) return spreadLabelReason;
    if ((counts.get(domain) ?? 0) + self - (leasts[i] ?? 0) > constraint.maxSkew) return spreadReason;
  }
  return undefined;
}
