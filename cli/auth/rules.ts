/** A rule of RBAC, of a Role or of what a review says. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly resourceNames?: readonly string[] | undefined;
  readonly nonResourceURLs?: readonly string[] | undefined;
}

const bracketed = (texts: readonly string[] | undefined): string => `[${(texts ?? []).join(' ')}]`;

/**
 * Rows of resources, paths, names and verbs: one for each combination of resource and group, and for each path, in kubectl's order, which is that of the
 * rules' texts in Go, verbs first.
 */
export function policyRows(rules: readonly PolicyRule[]): string[][] {
  const parts = rules.flatMap(({ apiGroups = [''], resources = [], ...rule }) =>
    resources.length === 0
      ? (rule.nonResourceURLs ?? []).map((url) => ({ ...rule, nonResourceURLs: [url], group: '', resource: '' }))
      : resources.flatMap((resource) => apiGroups.map((group) => ({ ...rule, group, resource }))),
  );
  return parts
    .map(({ verbs, group, resource, resourceNames, nonResourceURLs }) => {
      const lists = [verbs, [group], [resource], resourceNames, nonResourceURLs].map(bracketed);
      const name = group === '' ? resource : `${resource}.${group}`;
      const row = [name, bracketed(nonResourceURLs), bracketed(resourceNames), bracketed(verbs)];
      return { key: lists.join(','), row };
    })
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ row }) => row);
}
