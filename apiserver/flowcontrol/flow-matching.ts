import type {
  FlowcontrolV1Subject,
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
} from '../../shared/api/generated/types.js';
import type { User } from '../authentication/user.js';
import type { RequestInfo } from '../http/request-info.js';

/** Whether a FlowSchema is about a request. */
export type FlowMatcher = (user: User, info: RequestInfo) => boolean;

type SubjectMatcher = (user: User) => boolean;
type RuleMatcher = (info: RequestInfo) => boolean;

const every = '*';
const accountPrefix = 'system:serviceaccount:';

/** Prepares the rules of a FlowSchema: any rule with one of its subjects and one of its kinds of request. */
export function compileMatcher({ rules = [] }: FlowSchemaSpec): FlowMatcher {
  const compiled = rules.map(compileRule);
  return (user, info) => {
    for (const rule of compiled) if (rule(user, info)) return true;
    return false;
  };
}

function compileRule({ subjects, resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects): FlowMatcher {
  const isMeant = anyOf(subjects.map(compileSubject));
  const isResource = anyOf(resourceRules.map(compileResourceRule));
  const isPath = anyOf(nonResourceRules.map(compilePathRule));
  return (user, info) => isMeant(user) && (info.isResourceRequest ? isResource(info) : isPath(info));
}

function anyOf<T>(matchers: readonly ((value: T) => boolean)[]): (value: T) => boolean {
  const [only] = matchers;
  if (matchers.length === 1 && only) return only;
  return (value) => {
    for (const matcher of matchers) if (matcher(value)) return true;
    return false;
  };
}

function compileSubject(subject: FlowcontrolV1Subject): SubjectMatcher {
  switch (subject.kind) {
    case 'User': {
      const name = subject.user?.name;
      return name === every ? () => true : (user) => user.name === name;
    }
    case 'Group': {
      const name = subject.group?.name ?? '';
      return name === every ? () => true : (user) => user.groups.includes(name);
    }
    case 'ServiceAccount': {
      const { namespace = '', name = '' } = subject.serviceAccount ?? {};
      const prefix = `${accountPrefix}${namespace}:`;
      const whole = prefix + name;
      return name === every ? (user) => user.name.startsWith(prefix) : (user) => user.name === whole;
    }
    default:
      return () => false;
  }
}

const memberOf = (names: readonly string[]): ((name: string) => boolean) => {
  if (names.includes(every)) return () => true;
  const known = new Set(names);
  return (name) => known.has(name);
};

function compileResourceRule(rule: ResourcePolicyRule): RuleMatcher {
  const verb = memberOf(rule.verbs);
  const group = memberOf(rule.apiGroups);
  const resource = memberOf(rule.resources);
  const namespace = memberOf(rule.namespaces ?? []);
  const isAboutCluster = rule.clusterScope === true;
  return (info) =>
    verb(info.verb) &&
    group(info.group) &&
    resource(info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`) &&
    (info.namespace === undefined || info.namespace === '' ? isAboutCluster : namespace(info.namespace));
}

function compilePathRule({ verbs, nonResourceURLs }: NonResourcePolicyRule): RuleMatcher {
  const verb = memberOf(verbs);
  const exact = memberOf(nonResourceURLs);
  const prefixes = nonResourceURLs.filter((url) => url.endsWith('/*')).map((url) => url.slice(0, -1));
  return (info) => verb(info.verb) && (exact(info.path) || prefixes.some((prefix) => info.path.startsWith(prefix)));
}
