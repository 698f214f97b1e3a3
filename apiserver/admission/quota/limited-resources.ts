import type { ResourceQuota, ScopedResourceSelectorRequirement } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import { collectionOf, isInScope, quotaIncludes, scopesOf, type Usage } from '../../../shared/api/quota-usage.js';
import type { Resource } from '../../../shared/api/resource.js';
import { fieldPath, onlyFields, records, strings, text, type Fields } from '../../decode/document-fields.js';
import { append, oneOf, required, type FieldError } from '../../validation/field-error.js';

type Collection = Pick<Resource, 'group' | 'resource'>;
type Scope = ScopedResourceSelectorRequirement;

/** A resource that may be consumed only where a quota is about it. */
export interface LimitedResource extends Collection {
  /** Names of amounts that are limited if they contain one of these. */
  readonly matchContains: readonly string[];
  readonly matchScopes: readonly Scope[];
}

const scopeOperators = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** Reads apiserver.config.k8s.io ResourceQuotaConfiguration; what is wrong in it is added to `errors`. */
export function readLimitedResources(root: Fields, path: string, errors: FieldError[]): LimitedResource[] {
  onlyFields(root, ['apiVersion', 'kind', 'limitedResources'], path);
  return records(root, 'limitedResources', path).map(({ fields, path: at }) => {
    onlyFields(fields, ['apiGroup', 'resource', 'matchContains', 'matchScopes'], at);
    const resource = text(fields, 'resource', at);
    if (resource === '') errors.push(required(fieldPath(at, 'resource')));
    return {
      group: text(fields, 'apiGroup', at),
      resource,
      matchContains: strings(fields, 'matchContains', at),
      matchScopes: records(fields, 'matchScopes', at).map((scope) => readScope(scope.fields, scope.path, errors)),
    };
  });
}

function readScope(fields: Fields, path: string, errors: FieldError[]): Scope {
  onlyFields(fields, ['scopeName', 'operator', 'values'], path);
  const scopeName = text(fields, 'scopeName', path);
  const operator = text(fields, 'operator', path);
  if (scopeName === '') errors.push(required(fieldPath(path, 'scopeName')));
  append(errors, oneOf(fieldPath(path, 'operator'), operator, scopeOperators));
  return { scopeName, operator, values: strings(fields, 'values', path) };
}

/** An object that is written, and what it counts for. */
export interface Consumer {
  readonly collection: Collection;
  readonly object: KubernetesObject;
  readonly usage: Usage;
}

/** Why an object may not be written: it consumes what is limited, and no quota is about that. Undefined where it may. */
export function uncoveredText(
  limited: readonly LimitedResource[],
  quotas: readonly (ResourceQuota & KubernetesObject)[],
  { collection, object, usage }: Consumer,
): string | undefined {
  const covered = new Set(
    quotas
      .filter((quota) => quotaIncludes(quota, collection, object))
      .flatMap((quota) => Object.keys(quota.spec?.hard ?? {}))
      .filter((name) => isSame(collectionOf(name), collection)),
  );
  const consumed = [...usage].filter(([, { nanos }]) => nanos > 0n).map(([name]) => name);
  const names = limited
    .filter((one) => isSame(one, collection))
    .flatMap(({ matchContains }) => consumed.filter((name) => matchContains.some((part) => name.includes(part))));
  const open = [...new Set(names)].filter((name) => !covered.has(name)).sort();
  if (open.length > 0) return `insufficient quota to consume: ${open.join(',')}`;
  const isMatched = (scope: Scope): boolean => isInScope(scope, collection, object);
  const counted = new Set(
    quotas
      .flatMap(scopesOf)
      .filter(isMatched)
      .map(({ scopeName }) => scopeName),
  );
  const scopes = limited
    .flatMap(({ matchScopes }) => matchScopes)
    .filter((scope) => isMatched(scope) && !counted.has(scope.scopeName));
  return scopes.length > 0
    ? `insufficient quota to match these scopes: [${scopes.map(scopeText).join(' ')}]`
    : undefined;
}

const isSame = (a: Collection | undefined, b: Collection): boolean => a?.group === b.group && a.resource === b.resource;

const scopeText = ({ scopeName, operator, values = [] }: Scope): string =>
  `{${scopeName} ${operator} [${values.join(' ')}]}`;
