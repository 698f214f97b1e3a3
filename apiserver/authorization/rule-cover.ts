import type { PolicyRule } from '../../shared/api/generated/types.js';

/** A rule of a few thousand words stands for billions of single ones; beyond this many the rest counts as not held. */
const maxSingles = 20_000;

/**
 * Whether somebody who holds `owned` may give `wanted` away, and what is missing. Both are unions of rules, so each wanted
 * rule is broken into its single verbs, groups, resources and names, and each of those must lie within one owned rule.
 */
export function missingRules(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  const missing: PolicyRule[] = [];
  let budget = maxSingles;
  for (const rule of wanted) {
    if (owned.some((own) => coversWhole(own, rule))) continue;
    budget -= singleCount(rule);
    if (budget < 0) {
      missing.push(rule);
      continue;
    }
    for (const single of singleRules(rule)) {
      if (!owned.some((own) => covers(own, single))) missing.push(single);
    }
  }
  return missing;
}

function* singleRules(rule: PolicyRule): Generator<PolicyRule> {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  for (const verb of verbs) {
    for (const group of apiGroups) {
      for (const resource of resources) {
        const single = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (resourceNames.length === 0) yield single;
        for (const name of resourceNames) yield { ...single, resourceNames: [name] };
      }
    }
  }
  for (const url of nonResourceURLs) for (const verb of verbs) yield { verbs: [verb], nonResourceURLs: [url] };
}

function singleCount({
  verbs,
  apiGroups = [],
  resources = [],
  resourceNames,
  nonResourceURLs = [],
}: PolicyRule): number {
  const named = Math.max(1, resourceNames?.length ?? 0);
  return verbs.length * (apiGroups.length * resources.length * named + nonResourceURLs.length);
}

/** The common case without breaking anything: one owned rule has it all. */
function coversWhole(own: PolicyRule, { verbs, apiGroups = [], resources = [], ...rest }: PolicyRule): boolean {
  const hasAll = (list: readonly string[] | undefined, words: readonly string[]): boolean =>
    words.length === 0 ||
    list?.includes('*') === true ||
    (words.length < 64 && words.every((word) => list?.includes(word)));
  return (
    (own.resourceNames ?? []).length === 0 &&
    hasAll(own.verbs, verbs) &&
    hasAll(own.apiGroups, apiGroups) &&
    hasAll(own.resources, resources) &&
    hasAll(own.nonResourceURLs, rest.nonResourceURLs ?? [])
  );
}

function covers(own: PolicyRule, single: PolicyRule): boolean {
  const [verb = ''] = single.verbs;
  if (!hasOrAll(own.verbs, verb)) return false;
  const [url] = single.nonResourceURLs ?? [];
  if (url !== undefined) return (own.nonResourceURLs ?? []).some((pattern) => urlCovers(pattern, url));
  const [group = ''] = single.apiGroups ?? [];
  const [resource = ''] = single.resources ?? [];
  if (!hasOrAll(own.apiGroups, group) || !resourceCovers(own.resources ?? [], resource)) return false;
  const names = own.resourceNames ?? [];
  if (names.length === 0) return true;
  const [name] = single.resourceNames ?? [];
  return name !== undefined && names.includes(name);
}

const hasOrAll = (list: readonly string[] | undefined, word: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(word));

function resourceCovers(owned: readonly string[], resource: string): boolean {
  if (hasOrAll(owned, resource)) return true;
  const slash = resource.indexOf('/');
  return slash >= 0 && owned.includes(`*${resource.slice(slash)}`);
}

function urlCovers(pattern: string, url: string): boolean {
  if (pattern === url || pattern === '*') return true;
  return pattern.endsWith('*') && url.startsWith(pattern.replace(/\*+$/, ''));
}

/** Puts the verbs about one group, resource and name together again, so that people can read what is missing. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const compact: PolicyRule[] = [];
  const byTarget = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
    const isSimple =
      apiGroups.length === 1 && resources.length === 1 && resourceNames.length <= 1 && nonResourceURLs.length === 0;
    const key = JSON.stringify([apiGroups[0], resources[0], ...resourceNames]);
    const known = isSimple ? byTarget.get(key) : undefined;
    if (known) known.verbs.push(...verbs.filter((verb) => !known.verbs.includes(verb)));
    else {
      const copy = { ...rule, verbs: [...verbs] };
      compact.push(copy);
      if (isSimple) byTarget.set(key, copy);
    }
  }
  return compact;
}

/** `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`, as the original prints a rule. */
export function describeRule(rule: PolicyRule): string {
  const parts: [name: string, words: readonly string[] | undefined][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ];
  const told = parts.filter(([, words]) => words && words.length > 0);
  return `{${told.map(([name, words]) => `${name}:${quotedList(words ?? [])}`).join(', ')}}`;
}

export const quotedList = (words: readonly string[]): string =>
  `[${words.map((word) => JSON.stringify(word)).join(' ')}]`;
