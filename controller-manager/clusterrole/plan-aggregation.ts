import type { ClusterRole, PolicyRule } from '../../shared/api/generated/types.js';
import { matchesSelector, selectorOf } from '../../shared/api/selector.js';

/**
 * The rules that an aggregated role should have, or undefined when they are right. Selectors in their order, the roles of
 * each by name, no rule twice: the same roles always give the same rules, so a restart writes nothing.
 */
export function plannedRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] | undefined {
  const selectors = role.aggregationRule?.clusterRoleSelectors;
  if (!selectors) return undefined;
  const byName = [...all].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const rules = new Map<string, PolicyRule>();
  for (const selector of selectors.map((given) => selectorOf(given))) {
    for (const other of byName) {
      if (nameOf(other) === nameOf(role) || !matchesSelector(selector, other.metadata.labels)) continue;
      for (const rule of other.rules ?? []) rules.set(canonical(rule), rule);
    }
  }
  const current = (role.rules ?? []).map(canonical);
  const isRight = current.length === rules.size && [...rules.keys()].every((key, i) => key === current[i]);
  return isRight ? undefined : [...rules.values()];
}

const nameOf = ({ metadata }: ClusterRole): string => metadata.name ?? '';

const canonical = ({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): string =>
  JSON.stringify([verbs, apiGroups ?? [], resources ?? [], resourceNames ?? [], nonResourceURLs ?? []]);
