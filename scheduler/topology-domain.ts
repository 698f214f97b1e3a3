import type { LabelSelector, Pod } from '../shared/api/generated/types.js';
import { type Requirement, requirement, type Selector, selectorOf } from '../shared/api/selector.js';
import type { NodeTable } from './node-table.js';

/** Pods by domain: the value of a node's label. */
export type Counts = Map<string, number>;

/** The domain of a slot. */
export const labelOf = (table: NodeTable, slot: number, key: string): string | undefined => {
  const labels = table.nodes[slot]?.metadata.labels;
  return labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
};

interface LabelRules {
  readonly labelSelector?: LabelSelector;
  readonly matchLabelKeys?: readonly string[];
  readonly mismatchLabelKeys?: readonly string[];
}

/** The selector, narrowed to pods that have some labels in common with this one, and others not. */
export function merged({ labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] }: LabelRules, pod: Pod): Selector {
  const base = selectorOf(labelSelector);
  const labels = pod.metadata.labels ?? {};
  const picked = (keys: readonly string[], operator: 'in' | 'notin'): Requirement[] =>
    keys.flatMap((key) => (labels[key] === undefined ? [] : [requirement(key, operator, [labels[key]])]));
  const requirements = [...base.requirements, ...picked(matchLabelKeys, 'in'), ...picked(mismatchLabelKeys, 'notin')];
  return { ...base, requirements };
}

/** Pods that count, on slots that do. */
export function countByDomain(
  table: NodeTable,
  topologyKey: string,
  isCounted: (pod: Pod) => boolean,
  isEligible: (slot: number) => boolean = () => true,
): Counts {
  const counts: Counts = new Map();
  for (let slot = 0; slot < table.size; slot++) {
    const domain = isEligible(slot) ? labelOf(table, slot, topologyKey) : undefined;
    if (domain === undefined) continue;
    let count = 0;
    for (const { pod } of table.podsOf(slot)) if (isCounted(pod)) count++;
    add(counts, domain, count);
  }
  return counts;
}

/** Counts in a domain; a slot without one does not matter. */
export function add(counts: Counts, domain: string | undefined, count: number): void {
  if (domain !== undefined && count !== 0) counts.set(domain, (counts.get(domain) ?? 0) + count);
}
