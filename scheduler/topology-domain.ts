import type { LabelSelector, Pod } from '../shared/api/generated/types.js';
import { type Selector, selectorOf, selectorOfMap } from '../shared/api/selector.js';
import type { NodeTable } from './node-table.js';

/** Pods by domain: the value of a node's label. */
export type Counts = Map<string, number>;

/** The domain of a slot. */
export const labelOf = (table: NodeTable, slot: number, key: string): string | undefined => {
  const labels = table.nodes[slot]?.metadata.labels;
  return labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
};

/** The selector, narrowed to pods that have the given labels in common with this one. */
export function merged(
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
