import type {
  ExemptPriorityLevelConfiguration,
  FlowSchema,
  FlowSchemaSpec,
  FlowcontrolV1Subject,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  QueuingConfiguration,
  ResourcePolicyRule,
} from '../../shared/api/generated/types.js';
import {
  append,
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
  type FieldError,
} from './field-error.js';
import { isDns1123Label, isDns1123Subdomain } from './names.js';
import { repeats } from './repeats.js';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const MAX_PRECEDENCE = 10_000;
const MAX_QUEUES = 10_000_000;
/** Bits of a flow's hash that its hand of queues is dealt from. */
const MAX_HASH_BITS = 60;

export function validateFlowSchema({ metadata, spec, status }: FlowSchema): FieldError[] {
  return [...validateFlowSchemaSpec(metadata.name ?? '', spec), ...validateConditions(status?.conditions ?? [])];
}

/** Conditions of FlowSchemas and priority levels: a type once each. */
export function validateConditions(conditions: readonly { readonly type?: string }[]): FieldError[] {
  const repeated = repeats(conditions.map(({ type = '' }) => type));
  return conditions.flatMap(({ type }, index) => {
    const path = `status.conditions[${index}].type`;
    const errors = repeated.has(index) ? [duplicate(path, type)] : [];
    if (!type) errors.push(required(path, 'must not be empty'));
    return errors;
  });
}

function validateFlowSchemaSpec(name: string, spec: FlowSchemaSpec): FieldError[] {
  const errors: FieldError[] = [];
  const precedence = spec.matchingPrecedence ?? 0;
  const at = 'spec.matchingPrecedence';
  if (precedence <= 0) errors.push(invalid(at, precedence, 'must be a positive value'));
  if (precedence > MAX_PRECEDENCE) errors.push(invalid(at, precedence, `must not be greater than ${MAX_PRECEDENCE}`));
  if (precedence === 1 && name !== 'exempt')
    errors.push(invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  const { distinguisherMethod } = spec;
  const methods = ['ByNamespace', 'ByUser'];
  if (distinguisherMethod && !methods.includes(distinguisherMethod.type))
    errors.push(notSupported('spec.distinguisherMethod.type', distinguisherMethod, methods));
  const level = spec.priorityLevelConfiguration?.name;
  const path = 'spec.priorityLevelConfiguration.name';
  append(
    errors,
    level ? invalidEach(path, level, isDns1123Subdomain(level)) : [required(path, 'must reference a priority level')],
  );
  for (const [index, rule] of (spec.rules ?? []).entries()) append(errors, validateRule(rule, `spec.rules[${index}]`));
  return errors;
}

function validateRule(rule: PolicyRulesWithSubjects, path: string): FieldError[] {
  const { resourceRules = [], nonResourceRules = [] } = rule;
  const subjects = rule.subjects ?? [];
  const errors =
    subjects.length > 0
      ? subjects.flatMap((subject, index) => validateSubject(subject, `${path}.subjects[${index}]`))
      : [required(`${path}.subjects`, 'subjects must contain at least one value')];
  if (resourceRules.length === 0 && nonResourceRules.length === 0)
    errors.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  for (const [index, one] of resourceRules.entries())
    append(errors, validateResourceRule(one, `${path}.resourceRules[${index}]`));
  for (const [index, one] of nonResourceRules.entries())
    append(errors, validatePathRule(one, `${path}.nonResourceRules[${index}]`));
  return errors;
}

const SUBJECTS = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const;
type SubjectKind = keyof typeof SUBJECTS;

function validateSubject(subject: FlowcontrolV1Subject, path: string): FieldError[] {
  const kinds: readonly SubjectKind[] = ['ServiceAccount', 'User', 'Group'];
  const kind = kinds.find((known) => known === subject.kind);
  if (!kind) return [notSupported(`${path}.kind`, subject.kind, [...kinds].sort())];
  const field = SUBJECTS[kind];
  const at = `${path}.${field}`;
  const named = subject[field];
  const errors: FieldError[] = [];
  if (!named) errors.push(required(at, `${field} is required when subject kind is '${kind}'`));
  else if (!named.name) errors.push(required(`${at}.name`));
  if (subject.serviceAccount && kind === 'ServiceAccount')
    append(errors, validateAccount(subject.serviceAccount.name, subject.serviceAccount.namespace, at));
  for (const other of kinds)
    if (other !== kind && subject[SUBJECTS[other]]) {
      const text = `${SUBJECTS[other]} is forbidden when subject kind is not '${other}'`;
      errors.push(forbidden(`${path}.${SUBJECTS[other]}`, text));
    }
  return errors;
}

function validateAccount(name: string | undefined, namespace: string | undefined, path: string): FieldError[] {
  const errors = name && name !== '*' ? invalidEach(`${path}.name`, name, isDns1123Subdomain(name)) : [];
  const at = `${path}.namespace`;
  if (!namespace) errors.push(required(at, 'must specify namespace for service account'));
  else append(errors, invalidEach(at, namespace, isDns1123Label(namespace)));
  return errors;
}

function validateVerbs(verbs: readonly string[], path: string): FieldError[] {
  if (verbs.length === 0) return [required(path, 'verbs must contain at least one value')];
  if (verbs.includes('*'))
    return verbs.length > 1 ? [invalid(path, verbs, "if '*' is present, must not specify other verbs")] : [];
  return verbs.every((verb) => VERBS.includes(verb)) ? [] : [notSupported(path, verbs, VERBS)];
}

/** A list with `*` alone or with other values. */
function validateNames(names: readonly string[], path: string, one: string, others: string): FieldError[] {
  if (names.length === 0) return [required(path, `resource rules must supply at least one ${one}`)];
  const isMixed = names.length > 1 && names.includes('*');
  return isMixed ? [invalid(path, names, `if '*' is present, must not specify other ${others}`)] : [];
}

function validateResourceRule(rule: ResourcePolicyRule, path: string): FieldError[] {
  const { namespaces = [], clusterScope } = rule;
  const errors = validateVerbs(rule.verbs ?? [], `${path}.verbs`);
  append(errors, validateNames(rule.apiGroups ?? [], `${path}.apiGroups`, 'api group', 'api groups'));
  append(errors, validateNames(rule.resources ?? [], `${path}.resources`, 'resource', 'resources'));
  const at = `${path}.namespaces`;
  if (namespaces.length === 0) {
    if (clusterScope) return errors;
    return [...errors, required(at, 'resource rules that are not cluster scoped must supply at least one namespace')];
  }
  if (namespaces.includes('*')) {
    if (namespaces.length > 1)
      errors.push(invalid(at, namespaces, "if '*' is present, must not specify other namespaces"));
    return errors;
  }
  for (const [index, namespace] of namespaces.entries())
    for (const problem of isDns1123Label(namespace)) {
      const text = `each member of this list must be '*' or a DNS-1123 label; ${problem}`;
      errors.push(invalid(`${at}[${index}]`, namespace, text));
    }
  return errors;
}

function validatePathRule(rule: NonResourcePolicyRule, path: string): FieldError[] {
  const errors = validateVerbs(rule.verbs ?? [], `${path}.verbs`);
  const urls = rule.nonResourceURLs ?? [];
  const at = `${path}.nonResourceURLs`;
  if (urls.length === 0) errors.push(required(at, 'nonResourceURLs must contain at least one value'));
  else if (urls.includes('*')) {
    if (urls.length > 1) errors.push(invalid(at, urls, "if '*' is present, must not specify other non-resource URLs"));
  } else
    for (const [index, url] of urls.entries()) {
      const problem = pathProblem(url);
      if (problem !== undefined) errors.push(invalid(`${at}[${index}]`, url, problem));
    }
  return errors;
}

function pathProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const star = url.indexOf('*');
  return star < 0 || (star === url.length - 1 && url.endsWith('/*'))
    ? undefined
    : 'wildcard can only do suffix matching';
}

export function validatePriorityLevel({ metadata, spec, status }: PriorityLevelConfiguration): FieldError[] {
  const { type, limited, exempt } = spec;
  const errors: FieldError[] = [];
  if ((metadata.name === 'exempt') !== (type === 'Exempt'))
    errors.push(invalid('spec.type', type ?? '', "type must be 'Exempt' if and only if name is 'exempt'"));
  if (type === 'Exempt') {
    if (limited) errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'));
    if (!exempt) errors.push(required('spec.exempt', 'must not be empty when type is Exempt'));
    else append(errors, validateShares(exempt, 'spec.exempt'));
  } else if (type === 'Limited') {
    if (exempt) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'));
    if (!limited) errors.push(required('spec.limited', 'must not be empty when type is Limited'));
    else append(errors, validateLimited(limited, 'spec.limited'));
  } else errors.push(notSupported('spec.type', type ?? '', ['Exempt', 'Limited']));
  return [...errors, ...validateConditions(status?.conditions ?? [])];
}

function validateShares(shares: ExemptPriorityLevelConfiguration, path: string): FieldError[] {
  const { nominalConcurrencyShares: nominal = 0, lendablePercent: lendable = 0 } = shares;
  const errors: FieldError[] = [];
  if (nominal < 0) errors.push(invalid(`${path}.nominalConcurrencyShares`, nominal, 'must be a non-negative integer'));
  if (lendable < 0 || lendable > 100)
    errors.push(invalid(`${path}.lendablePercent`, lendable, 'must be between 0 and 100, inclusive'));
  return errors;
}

function validateLimited(limited: LimitedPriorityLevelConfiguration, path: string): FieldError[] {
  const errors = validateShares(limited, path);
  append(errors, validateLimitResponse(limited.limitResponse, `${path}.limitResponse`));
  const borrowing = limited.borrowingLimitPercent ?? 0;
  if (borrowing < 0)
    errors.push(invalid(`${path}.borrowingLimitPercent`, borrowing, 'if specified, must be a non-negative integer'));
  return errors;
}

function validateLimitResponse(response: LimitResponse | undefined, path: string): FieldError[] {
  const at = `${path}.queuing`;
  const queuing = response?.queuing;
  if (response?.type === 'Reject')
    return queuing ? [forbidden(at, 'must be nil if limited.limitResponse.type is not Limited')] : [];
  if (response?.type !== 'Queue') return [notSupported(`${path}.type`, response?.type ?? '', ['Queue', 'Reject'])];
  if (!queuing) return [required(at, 'must not be empty if limited.limitResponse.type is Limited')];
  return validateQueuing(queuing, at);
}

function validateQueuing(queuing: QueuingConfiguration, path: string): FieldError[] {
  const { queues = 0, handSize = 0, queueLengthLimit: limit = 0 } = queuing;
  const errors: FieldError[] = [];
  if (limit <= 0) errors.push(invalid(`${path}.queueLengthLimit`, limit, 'must be positive'));
  if (queues <= 0) errors.push(invalid(`${path}.queues`, queues, 'must be positive'));
  else if (queues > MAX_QUEUES)
    errors.push(invalid(`${path}.queues`, queues, `must not be greater than ${MAX_QUEUES}`));
  const at = `${path}.handSize`;
  if (handSize <= 0) errors.push(invalid(at, handSize, 'must be positive'));
  else if (handSize > queues) errors.push(invalid(at, handSize, `should not be greater than queues (${queues})`));
  else if (Math.ceil(Math.log2(queues) * handSize) > MAX_HASH_BITS) {
    const text = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${MAX_HASH_BITS}`;
    errors.push(invalid(at, handSize, text));
  }
  return errors;
}
