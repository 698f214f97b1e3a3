import type { MatchCondition, MatchResources, NamedRuleWithOperations } from '../../shared/api/generated/types.js';
import type { RuleWithOperations } from '../../shared/api/generated/types.js';
import {
  append,
  duplicate,
  invalid,
  invalidEach,
  notSupported,
  optionalOneOf,
  required,
  tooMany,
  type FieldError,
} from './field-error.js';
import { validateLabelSelector } from './label-selector.js';
import { isPathSegmentName, isQualifiedName } from './names.js';

export const failurePolicies = ['Fail', 'Ignore'];
export const matchPolicies = ['Equivalent', 'Exact'];
const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const scopes = ['*', 'Cluster', 'Namespaced'];
const maxMatchConditions = 64;

/** Which requests a webhook or a policy is about. */
export function validateRule(
  rule: RuleWithOperations,
  path: string,
  supported: readonly string[] = operations,
): FieldError[] {
  const given = rule.operations ?? [];
  const errors = wildcardAlone(given, `${path}.operations`, 'operations');
  for (const [index, operation] of given.entries()) {
    if (!supported.includes(operation)) {
      errors.push(notSupported(`${path}.operations[${index}]`, operation, supported));
    }
  }
  append(errors, wildcardAlone(rule.apiGroups ?? [], `${path}.apiGroups`, 'API groups'));
  append(errors, wildcardAlone(rule.apiVersions ?? [], `${path}.apiVersions`, 'API versions'));
  for (const [index, version] of (rule.apiVersions ?? []).entries()) {
    if (version === '') errors.push(required(`${path}.apiVersions[${index}]`));
  }
  append(errors, validateRuleResources(rule.resources ?? [], `${path}.resources`));
  append(errors, optionalOneOf(`${path}.scope`, rule.scope, scopes));
  return errors;
}

function wildcardAlone(values: readonly string[], path: string, what: string): FieldError[] {
  if (values.length === 0) return [required(path)];
  if (values.length === 1 || !values.includes('*')) return [];
  return [invalid(path, values, `if '*' is present, must not specify other ${what}`)];
}

function validateRuleResources(resources: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = resources.length === 0 ? [required(path)] : [];
  const [allOf, everywhere] = [new Set<string>(), new Set<string>()];
  let lastIsWhole = false;
  for (const [index, text] of resources.entries()) {
    const at = `${path}[${index}]`;
    if (text === '') errors.push(required(at));
    const slash = text.indexOf('/');
    if (slash < 0) {
      if (text !== '') lastIsWhole = text !== '*';
      continue;
    }
    const [resource, subresource] = [text.slice(0, slash), text.slice(slash + 1)];
    const clash = (wide: string): FieldError => invalid(at, text, `if '${wide}' is present, must not specify ${text}`);
    if (allOf.has(resource)) errors.push(clash(`${resource}/*`));
    if (everywhere.has(subresource)) errors.push(clash(`*/${subresource}`));
    if (subresource === '*') allOf.add(resource);
    if (resource === '*') everywhere.add(subresource);
  }
  if (resources.length > 1 && resources.includes('*/*')) {
    errors.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes('*') && lastIsWhole) {
    const text = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalid(path, resources, text));
  }
  return errors;
}

/** Which requests a policy or its binding is about. */
export function validateMatchResources(
  given: MatchResources | undefined,
  path: string,
  supported: readonly string[] = operations,
): FieldError[] {
  if (!given) return [];
  const errors = optionalOneOf(`${path}.matchPolicy`, given.matchPolicy ?? '', matchPolicies);
  append(errors, validateLabelSelector(given.namespaceSelector, `${path}.namespaceSelector`));
  append(errors, validateLabelSelector(given.objectSelector, `${path}.objectSelector`));
  for (const field of ['resourceRules', 'excludeResourceRules'] as const) {
    for (const [index, rule] of (given[field] ?? []).entries()) {
      append(errors, validateNamedRule(rule, `${path}.${field}[${index}]`, supported));
    }
  }
  return errors;
}

function validateNamedRule(rule: NamedRuleWithOperations, path: string, supported: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, name] of (rule.resourceNames ?? []).entries()) {
    const at = `${path}.resourceNames[${index}]`;
    append(errors, invalidEach(at, name, isPathSegmentName(name)));
    if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
  }
  return [...errors, ...validateRule(rule, path, supported)];
}

/** `checkExpression` compiles; what it finds has the path of the expression. */
export function validateMatchConditions(
  conditions: readonly MatchCondition[] | undefined,
  path: string,
  checkExpression: (expression: string, path: string) => FieldError[],
): FieldError[] {
  const errors: FieldError[] = [];
  const given = conditions ?? [];
  if (given.length > maxMatchConditions) return [tooMany(path, given.length, maxMatchConditions)];
  const seen = new Set<string>();
  for (const [index, { name, expression }] of given.entries()) {
    const at = `${path}[${index}]`;
    if (!expression?.trim()) errors.push(required(`${at}.expression`));
    else append(errors, checkExpression(expression, `${at}.expression`));
    if (!name) errors.push(required(`${at}.name`));
    else append(errors, invalidEach(`${at}.name`, name, isQualifiedName(name)));
    if (name && seen.has(name)) errors.push(duplicate(`${at}.name`, name));
    seen.add(name);
  }
  return errors;
}
