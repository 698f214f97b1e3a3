import { FieldSelectorError, parseFieldSelector } from '../../shared/api/field-selector.js';
import { parseSelector } from '../../shared/api/selector-parser.js';
import { SelectorError } from '../../shared/api/selector.js';
import type { Attributes } from './authorizer.js';

interface Selection {
  readonly requirements: readonly { readonly key: string; readonly operator: string; readonly values?: string[] }[];
}

/** The spec of a SubjectAccessReview that asks about a request. */
export function reviewSpec({ user, isResourceRequest, verb, path, ...rest }: Attributes): Record<string, unknown> {
  const { group, version, resource, subresource, namespace, name, fieldSelector, labelSelector } = rest;
  const attributes = isResourceRequest
    ? {
        resourceAttributes: {
          namespace,
          verb,
          group,
          version,
          resource,
          subresource: subresource || undefined,
          name: name || undefined,
          fieldSelector: fieldSelector ? fieldRequirements(fieldSelector) : undefined,
          labelSelector: labelSelector ? labelRequirements(labelSelector) : undefined,
        },
      }
    : { nonResourceAttributes: { path, verb } };
  return { user: user.name, uid: user.uid, groups: user.groups, extra: user.extra, ...attributes };
}

/** The same as conditions see it: what is empty is there all the same. */
export function conditionRequest({ user, isResourceRequest, verb, path, ...rest }: Attributes): object {
  const { group, version, resource, subresource, namespace = '', name, fieldSelector, labelSelector } = rest;
  const fields = fieldSelector ? fieldRequirements(fieldSelector) : undefined;
  const labels = labelSelector ? labelRequirements(labelSelector) : undefined;
  const attributes = isResourceRequest
    ? {
        resourceAttributes: {
          namespace,
          verb,
          group,
          version,
          resource,
          subresource,
          name,
          ...(fields ? { fieldSelector: fields } : {}),
          ...(labels ? { labelSelector: labels } : {}),
        },
      }
    : { nonResourceAttributes: { path, verb } };
  const { groups, uid = '', extra = {} } = user;
  return { user: user.name, groups, uid, extra, ...attributes };
}

/** A selector that cannot be read is left out: who is asked is asked about all objects then. */
function fieldRequirements(text: string): Selection | undefined {
  try {
    const requirements = parseFieldSelector(text).map(({ field, operator, value }) => ({
      key: field,
      operator: operator === '=' ? 'In' : 'NotIn',
      values: [value],
    }));
    return requirements.length > 0 ? { requirements } : undefined;
  } catch (error) {
    if (error instanceof FieldSelectorError) return undefined;
    throw error;
  }
}

const labelOperators: Readonly<Record<string, string>> = {
  in: 'In',
  '=': 'In',
  notin: 'NotIn',
  '!=': 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
};

function labelRequirements(text: string): Selection | undefined {
  try {
    const requirements = parseSelector(text).requirements.flatMap(({ key, operator, values }) => {
      const known = labelOperators[operator];
      // Comparisons of numbers have no form in a review.
      return known === undefined
        ? []
        : [{ key, operator: known, ...(values.length > 0 ? { values: [...values] } : {}) }];
    });
    return requirements.length > 0 ? { requirements } : undefined;
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}
