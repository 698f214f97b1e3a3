import { FieldSelectorError, parseFieldSelector } from '../../shared/api/field-selector.js';
import { parseSelector } from '../../shared/api/selector-parser.js';
import { SelectorError } from '../../shared/api/selector.js';
import type { Attributes } from './authorizer.js';

interface Selection {
  readonly requirements: readonly { readonly key: string; readonly operator: string; readonly values?: string[] }[];
}

/** The spec of a SubjectAccessReview that asks about a request. */
export function reviewSpec(attributes: Attributes): Record<string, unknown> {
  const { name, uid, groups, extra } = attributes.user;
  return { user: name, uid, groups, extra, ...requestAttributes(attributes, undefined) };
}

/** The same as conditions see it: what is empty is there all the same. */
export function conditionRequest(attributes: Attributes): object {
  const { name, uid = '', groups, extra = {} } = attributes.user;
  return { user: name, uid, groups, extra, ...requestAttributes(attributes, '') };
}

/** What is asked for. Names that a request does not have are `absent`. */
function requestAttributes(attributes: Attributes, absent: '' | undefined): object {
  const { isResourceRequest, verb, path, group, version, resource, fieldSelector, labelSelector } = attributes;
  if (!isResourceRequest) return { nonResourceAttributes: { path, verb } };
  const fields = fieldSelector ? fieldRequirements(fieldSelector) : undefined;
  const labels = labelSelector ? labelRequirements(labelSelector) : undefined;
  return {
    resourceAttributes: {
      namespace: attributes.namespace ?? absent,
      verb,
      group,
      version,
      resource,
      subresource: attributes.subresource || absent,
      name: attributes.name || absent,
      ...(fields ? { fieldSelector: fields } : {}),
      ...(labels ? { labelSelector: labels } : {}),
    },
  };
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
