import type {
  ResourceQuota,
  ResourceQuotaSpec,
  ScopedResourceSelectorRequirement,
} from '../../shared/api/generated/types.js';
import { append, invalid, required, type FieldError } from './field-error.js';
import { IMMUTABLE } from './object-meta.js';
import { validateQuotaResourceName, isQuotaResource } from './resource-name.js';
import { validateQuantity } from './resources.js';

const COMPUTE = new Set(['pods', 'cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']);
const SCOPES = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
];
/** Scopes that either hold or not, without values to compare. */
const VALUELESS = new Set([
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'CrossNamespacePodAffinity',
]);
const CONFLICTING = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

export function validateResourceQuota({ spec, status }: ResourceQuota): FieldError[] {
  return [...validateQuotaSpec(spec), ...validateQuotaStatus({ status })];
}

export function validateQuotaStatus({ status }: Pick<ResourceQuota, 'status'>): FieldError[] {
  return [...validateAmounts(status?.hard, 'status.hard'), ...validateAmounts(status?.used, 'status.used')];
}

/** What a quota counts follows from its scopes: they stay. */
export function validateResourceQuotaUpdate({ spec }: ResourceQuota, old: ResourceQuota): FieldError[] {
  const errors = validateQuotaSpec(spec);
  const scopes = new Set(spec.scopes);
  const before = new Set(old.spec?.scopes);
  const isSame = scopes.size === before.size && [...scopes].every((scope) => before.has(scope));
  if (!isSame) errors.push(invalid('spec.scopes', spec.scopes ?? null, IMMUTABLE));
  return errors;
}

function validateAmounts(amounts: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, amount]) => [
    ...validateQuotaResourceName(name, `${path}[${name}]`),
    ...validateQuantity(name, amount, `${path}[${name}]`),
  ]);
}

function validateQuotaSpec(spec: ResourceQuotaSpec): FieldError[] {
  const errors = validateAmounts(spec.hard, 'spec.hard');
  const names = Object.keys(spec.hard ?? {})
    .filter(isQuotaResource)
    .sort();
  const scopes = spec.scopes ?? [];
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) errors.push(invalid('spec.scopes', scopes, 'unsupported scope'));
    for (const name of names)
      if (!isScopeOf(scope, name)) errors.push(invalid('spec.scopes', scopes, 'unsupported scope applied to resource'));
  }
  append(errors, validateConflicts(scopes, spec, 'spec.scopes'));
  if (!spec.scopeSelector) return errors;
  const path = 'spec.scopeSelector.matchExpressions';
  const expressions = spec.scopeSelector.matchExpressions ?? [];
  for (const expression of expressions) {
    append(errors, validateExpression(expression, path));
    for (const name of names)
      if (!isScopeOf(expression.scopeName, name))
        errors.push(invalid(path, spec.scopeSelector, 'unsupported scope applied to resource'));
  }
  const named = expressions.map(({ scopeName }) => scopeName);
  append(errors, validateConflicts(named, spec, path));
  return errors;
}

/** Whether the scope can be told of the objects that the resource is of. */
function isScopeOf(scope: string, name: string): boolean {
  if (scope === 'BestEffort') return name === 'pods';
  if (scope === 'VolumeAttributesClass') return name === 'persistentvolumeclaims' || name === 'requests.storage';
  return !SCOPES.includes(scope) || COMPUTE.has(name);
}

function validateConflicts(scopes: readonly string[], spec: ResourceQuotaSpec, path: string): FieldError[] {
  return CONFLICTING.filter((pair) => pair.every((scope) => scopes.includes(scope))).map(() =>
    invalid(path, spec.scopes ?? null, 'conflicting scopes'),
  );
}

function validateExpression(expression: ScopedResourceSelectorRequirement, path: string): FieldError[] {
  const { scopeName, operator, values = [] } = expression;
  const errors: FieldError[] = [];
  if (!SCOPES.includes(scopeName)) errors.push(invalid(`${path}.scopeName`, scopeName, 'unsupported scope'));
  if (VALUELESS.has(scopeName) && operator !== 'Exists') {
    const text =
      "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
    errors.push(invalid(`${path}.operator`, operator, text));
  }
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      const text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      errors.push(required(`${path}.values`, text));
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      const text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      errors.push(invalid(`${path}.values`, values, text));
    }
  } else errors.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  return errors;
}
