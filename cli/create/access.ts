import { Failure } from '../cluster/failure.js';
import { arrayFlag, listFlag } from '../flags.js';
import type { ResourceMapper } from '../resource-mapper.js';
import { generator, keyValues, oneName, type Generator } from './generator.js';

const apiGroup = 'rbac.authorization.k8s.io';
const apiVersion = `${apiGroup}/v1`;

export interface RuleFlags {
  verb?: string[];
  resource?: string[];
  resourceName?: string[];
  nonResourceUrl?: string[];
  aggregationRule?: string[];
}
export interface SubjectFlags {
  role?: string;
  clusterrole?: string;
  user?: string[];
  group?: string[];
  serviceaccount?: string[];
}

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

const unique = (texts: readonly string[] | undefined): string[] => [...new Set(texts ?? [])];

/** Rules of `--verb`, `--resource` and `--resource-name`: one for each API group. @throws Failure */
function resourceRules({ verb, resource, resourceName }: RuleFlags, mapper: ResourceMapper): Rule[] {
  const verbs = unique(verb).includes('*') ? ['*'] : unique(verb);
  if (verbs.length === 0) throw new Failure('at least one verb must be specified');
  const wanted = unique(resource);
  if (wanted.length === 0) throw new Failure('at least one resource must be specified');
  const names = unique(resourceName);
  if (
    names.length > 0 &&
    verbs.some((each) => ['list', 'watch', 'create', 'deletecollection'].includes(each)) &&
    wanted.length > 1
  )
    throw new Failure('resourceName(s) can not be applied to multiple resources');
  const groups = new Map<string, string[]>();
  for (const text of wanted) {
    const [word = '', subresource] = text.split('/');
    const type = word === '*' ? undefined : mapper.resolve(word);
    const group = type?.group ?? '*';
    const name = `${type?.resource ?? '*'}${subresource ? `/${subresource}` : ''}`;
    groups.set(group, [...(groups.get(group) ?? []), name]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, resources]) => ({
      apiGroups: [group],
      ...(names.length > 0 ? { resourceNames: names } : {}),
      resources,
      verbs,
    }));
}

function clusterRules(flags: RuleFlags, mapper: ResourceMapper): Rule[] {
  const urls = unique(flags.nonResourceUrl);
  if (urls.length === 0) return resourceRules(flags, mapper);
  const verbs = unique(flags.verb);
  if (verbs.length === 0) throw new Failure('at least one verb must be specified');
  if (flags.resource && flags.resourceName) throw new Failure('invalid resource name specified with nonResourceURL');
  const rules = flags.resource ? resourceRules(flags, mapper) : [];
  return [...rules, { nonResourceURLs: urls, verbs }];
}

/** `--user`, `--group` and `--serviceaccount` as subjects. @throws Failure */
export function subjectsOf({ user, group, serviceaccount }: SubjectFlags): object[] {
  const accounts = unique(serviceaccount).map((text) => {
    const [namespace = '', name = '', ...more] = text.split(':');
    if (namespace === '' || name === '' || more.length > 0)
      throw new Failure('serviceaccount must be <namespace>:<name>');
    return { kind: 'ServiceAccount', name, namespace };
  });
  return [
    ...unique(user).map((name) => ({ apiGroup, kind: 'User', name })),
    ...unique(group).map((name) => ({ apiGroup, kind: 'Group', name })),
    ...accounts,
  ];
}

function bound(kind: string, name: string, flags: SubjectFlags, roleRef: object): ReturnType<Generator['object']> {
  const subjects = subjectsOf(flags);
  return { apiVersion, kind, metadata: { name }, roleRef, ...(subjects.length > 0 ? { subjects } : {}) };
}

const ruleFlags: NonNullable<Generator['flags']> = (command) =>
  command
    .addOption(listFlag('--verb <verbs>', 'verbs that the rules allow'))
    .addOption(listFlag('--resource <resources>', 'resources that the rules are about'))
    .addOption(arrayFlag('--resource-name <name>', 'one object; may be repeated'));
const subjectFlags: NonNullable<Generator['flags']> = (command) =>
  command
    .option('--clusterrole <name>', 'ClusterRole that is granted')
    .addOption(arrayFlag('--user <name>', 'a user; may be repeated'))
    .addOption(arrayFlag('--group <name>', 'a group; may be repeated'))
    .addOption(arrayFlag('--serviceaccount <namespace:name>', 'an account; may be repeated'));

export const accessGenerators: readonly Generator[] = [
  generator<RuleFlags>({
    path: ['role'],
    description: 'a Role with one set of rules',
    flags: ruleFlags,
    object: ({ words, flags, mapper }) => {
      const name = oneName(words, 'role');
      return { apiVersion, kind: 'Role', metadata: { name }, rules: resourceRules(flags, mapper) };
    },
  }),
  generator<RuleFlags>({
    path: ['clusterrole'],
    description: 'a ClusterRole',
    flags: (command) =>
      ruleFlags(command)
        .addOption(listFlag('--non-resource-url <urls>', 'paths that the rules are about'))
        .addOption(listFlag('--aggregation-rule <labels>', 'labels of the ClusterRoles that are joined')),
    object: ({ words, flags, mapper }) => {
      const name = oneName(words, 'clusterrole');
      if (!flags.aggregationRule) {
        return { apiVersion, kind: 'ClusterRole', metadata: { name }, rules: clusterRules(flags, mapper) };
      }
      if (flags.verb || flags.nonResourceUrl || flags.resource || flags.resourceName)
        throw new Failure('aggregation rule must be specified without nonResourceURLs, resources or resourceNames');
      const matchLabels = keyValues(flags.aggregationRule, 'aggregation rule');
      const aggregationRule = { clusterRoleSelectors: [{ matchLabels }] };
      return { aggregationRule, apiVersion, kind: 'ClusterRole', metadata: { name }, rules: null };
    },
  }),
  generator<SubjectFlags>({
    path: ['rolebinding'],
    description: 'a RoleBinding',
    flags: (command) => subjectFlags(command).option('--role <name>', 'Role that is granted'),
    object: ({ words, flags }) => {
      const name = oneName(words, 'rolebinding');
      if ((flags.role === undefined) === (flags.clusterrole === undefined))
        throw new Failure('exactly one of clusterrole or role must be specified');
      const kind = flags.role === undefined ? 'ClusterRole' : 'Role';
      return bound('RoleBinding', name, flags, { apiGroup, kind, name: flags.role ?? flags.clusterrole });
    },
  }),
  generator<SubjectFlags>({
    path: ['clusterrolebinding'],
    description: 'a ClusterRoleBinding',
    flags: subjectFlags,
    object: ({ words, flags }) => {
      const name = oneName(words, 'clusterrolebinding');
      if (flags.clusterrole === undefined) throw new Failure('required flag(s) "clusterrole" not set');
      return bound('ClusterRoleBinding', name, flags, { apiGroup, kind: 'ClusterRole', name: flags.clusterrole });
    },
  }),
];
