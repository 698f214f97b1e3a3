import type { Attributes } from '../authorization/authorizer.js';
import { list, record, strings, type Fields } from '../decode/document-fields.js';

const auditLevels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type AuditLevel = (typeof auditLevels)[number];
const auditStages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type AuditStage = (typeof auditStages)[number];

interface AuditRule {
  readonly level: AuditLevel;
  readonly users: readonly string[];
  readonly userGroups: readonly string[];
  readonly verbs: readonly string[];
  readonly resources: readonly {
    readonly group: string;
    readonly resources: readonly string[];
    readonly resourceNames: readonly string[];
  }[];
  readonly namespaces: readonly string[];
  readonly nonResourceURLs: readonly string[];
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean | undefined;
}

/** What is to be written down about one request. */
export interface AuditPlan {
  readonly level: AuditLevel;
  readonly omitStages: ReadonlySet<AuditStage>;
  readonly omitManagedFields: boolean;
}

const nothing: AuditPlan = { level: 'None', omitStages: new Set(), omitManagedFields: false };

/** Bodies of these carry what nobody may read in a log, whatever the policy says. By `GROUP/RESOURCE[/SUBRESOURCE]`. */
const secretBodies = new Set(['/secrets', '/serviceaccounts/token', 'authentication.k8s.io/tokenreviews']);

/** Which requests are written down and how much of them: audit.k8s.io/v1 Policy. The first rule that matches decides. */
export class AuditPolicy {
  readonly #rules: readonly { readonly rule: AuditRule; readonly plan: AuditPlan }[];

  constructor(rules: readonly AuditRule[], omitStages: readonly AuditStage[], omitManagedFields: boolean) {
    this.#rules = rules.map((rule) => ({
      rule,
      plan: {
        level: rule.level,
        omitStages: new Set([...omitStages, ...rule.omitStages]),
        omitManagedFields: rule.omitManagedFields ?? omitManagedFields,
      },
    }));
  }

  planFor(attributes: Attributes): AuditPlan {
    for (const { rule, plan } of this.#rules) {
      if (!matches(rule, attributes)) continue;
      const { group, resource, subresource } = attributes;
      const isSecret =
        secretBodies.has(`${group}/${resource}`) || secretBodies.has(`${group}/${resource}/${subresource}`);
      return isSecret && plan.level !== 'None' ? { ...plan, level: 'Metadata' } : plan;
    }
    return nothing;
  }
}

function matches(rule: AuditRule, attributes: Attributes): boolean {
  const { user, verb, isResourceRequest } = attributes;
  if (rule.users.length > 0 && !rule.users.includes(user.name)) return false;
  if (rule.userGroups.length > 0 && !rule.userGroups.some((group) => user.groups.includes(group))) return false;
  if (rule.verbs.length > 0 && !rule.verbs.includes(verb)) return false;
  if (rule.resources.length === 0 && rule.namespaces.length === 0 && rule.nonResourceURLs.length === 0) return true;
  return isResourceRequest ? matchesResource(rule, attributes) : matchesPath(rule, attributes.path);
}

function matchesResource(rule: AuditRule, attributes: Attributes): boolean {
  if (rule.nonResourceURLs.length > 0 && rule.resources.length === 0 && rule.namespaces.length === 0) return false;
  if (rule.namespaces.length > 0 && !rule.namespaces.includes(attributes.namespace ?? '')) return false;
  if (rule.resources.length === 0) return true;
  const { group, resource, subresource, name } = attributes;
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  return rule.resources.some((given) => {
    if (given.group !== group) return false;
    if (given.resources.length === 0) return true;
    if (given.resourceNames.length > 0 && !given.resourceNames.includes(name)) return false;
    return given.resources.some(
      (pattern) =>
        pattern === '*' ||
        pattern === combined ||
        (subresource !== '' && (pattern === `*/${subresource}` || pattern === `${resource}/*`)),
    );
  });
}

const matchesPath = (rule: AuditRule, path: string): boolean =>
  rule.nonResourceURLs.some((pattern) =>
    pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path,
  );

/** Reads a Policy; throws an Error that says what is wrong and where. */
export function readAuditPolicy(document: unknown): AuditPolicy {
  const policy = record(document, 'the audit policy');
  if (policy['apiVersion'] !== 'audit.k8s.io/v1' || policy['kind'] !== 'Policy') {
    throw new Error('the audit policy is not of apiVersion audit.k8s.io/v1 and kind Policy');
  }
  const given = policy['rules'];
  if (!Array.isArray(given) || given.length === 0) throw new Error('the audit policy has no rules');
  const rules = given.map((rule: unknown, i) => readRule(record(rule, `rules[${i}]`), `rules[${i}]`));
  return new AuditPolicy(rules, readStages(policy, ''), policy['omitManagedFields'] === true);
}

function readRule(rule: Fields, path: string): AuditRule {
  const level = auditLevels.find((known) => known === rule['level']);
  if (!level) throw new Error(`${path}.level: must be one of ${auditLevels.join(', ')}`);
  const resources = list(rule, 'resources', path).map((given, i) => {
    const at = `${path}.resources[${i}]`;
    const one = record(given, at);
    const group = one['group'] ?? '';
    if (typeof group !== 'string') throw new Error(`${at}.group: must be a string`);
    return { group, resources: strings(one, 'resources', at), resourceNames: strings(one, 'resourceNames', at) };
  });
  const nonResourceURLs = strings(rule, 'nonResourceURLs', path);
  const namespaces = strings(rule, 'namespaces', path);
  if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)) {
    throw new Error(`${path}.nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs`);
  }
  const omitManagedFields = rule['omitManagedFields'];
  return {
    level,
    users: strings(rule, 'users', path),
    userGroups: strings(rule, 'userGroups', path),
    verbs: strings(rule, 'verbs', path),
    resources,
    namespaces,
    nonResourceURLs,
    omitStages: readStages(rule, path),
    omitManagedFields: typeof omitManagedFields === 'boolean' ? omitManagedFields : undefined,
  };
}

function readStages(from: Fields, path: string): AuditStage[] {
  return strings(from, 'omitStages', path).map((text) => {
    const stage = auditStages.find((known) => known === text);
    if (!stage)
      throw new Error(
        `${path === '' ? '' : `${path}.`}omitStages: ${JSON.stringify(text)} is not one of ${auditStages.join(', ')}`,
      );
    return stage;
  });
}
