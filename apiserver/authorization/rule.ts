import type { Attributes } from './authorizer.js';

/** What may be done: RBAC's PolicyRule, and optionally only in some namespaces. `*` stands for all. */
export interface Rule {
  readonly verbs: readonly string[];
  readonly groups?: readonly string[];
  /** `pods`, `pods/status`, `*`, and `*` + `/scale`. */
  readonly resources?: readonly string[];
  readonly names?: readonly string[];
  readonly namespaces?: readonly string[];
  /** `/healthz`, or a prefix that ends with a star. */
  readonly paths?: readonly string[];
}

const has = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(value));

export function ruleAllows(rule: Rule, attributes: Attributes): boolean {
  if (!has(rule.verbs, attributes.verb)) return false;
  if (!attributes.isResourceRequest) return (rule.paths ?? []).some((path) => pathMatches(path, attributes.path));
  if (!has(rule.groups, attributes.group)) return false;
  const { resource, subresource } = attributes;
  const wanted = subresource === '' ? resource : `${resource}/${subresource}`;
  if (!has(rule.resources, wanted) && !(subresource !== '' && rule.resources?.includes(`*/${subresource}`)))
    return false;
  if (rule.names && !rule.names.includes(attributes.name)) return false;
  return rule.namespaces === undefined || has(rule.namespaces, attributes.namespace ?? '');
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}

const read = ['get', 'list', 'watch'];
const write = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/** Rules as they are written down in tables: `rules.read('apps', 'deployments')`. */
export const rules = {
  read: (group: string, ...resources: string[]): Rule => ({ verbs: read, groups: [group], resources }),
  write: (group: string, ...resources: string[]): Rule => ({ verbs: write, groups: [group], resources }),
  all: (group: string, ...resources: string[]): Rule => ({ verbs: [...read, ...write], groups: [group], resources }),
  some: (verbs: string, group: string, ...resources: string[]): Rule => ({
    verbs: verbs.split(' '),
    groups: [group],
    resources,
  }),
  /** Events in both of their groups. */
  events: (): Rule => ({
    verbs: ['create', 'update', 'patch'],
    groups: ['', 'events.k8s.io'],
    resources: ['events'],
  }),
};
