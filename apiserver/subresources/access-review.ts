import type { ResourceAttributes, SubjectAccessReview } from '../../shared/api/generated/types.js';
import {
  FieldSelectorError,
  formatFieldSelector,
  parseFieldSelector,
  type FieldRequirement,
} from '../../shared/api/field-selector.js';
import { formatSelector, selectorOf, SelectorError } from '../../shared/api/selector.js';
import { parseSelector } from '../../shared/api/selector-parser.js';
import type { User } from '../authentication/user.js';
import type { Attributes } from '../authorization/authorizer.js';
import { forbidden, invalid, invalidWhole, required, type FieldError } from '../validation/field-error.js';
import { validateLabelSelector } from '../validation/label-selector.js';

export type AccessSpec = SubjectAccessReview['spec'];
type FieldAttributes = NonNullable<ResourceAttributes['fieldSelector']>;
type LabelAttributes = NonNullable<ResourceAttributes['labelSelector']>;

/** What a review asks, and what of its selectors could not be understood: the answer is about more objects then. */
export interface AccessQuestion {
  readonly attributes: Attributes;
  readonly selectorErrors: readonly string[];
}

/** The spec of a SelfSubjectAccessReview, or with `hasSubject` of one about somebody else. */
export function validateAccessSpec(spec: Partial<AccessSpec>, hasSubject: boolean): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: path, user = '', groups = [] } = spec;
  const errors: FieldError[] = [];
  if (resource && path) {
    errors.push(
      invalid('spec.nonResourceAttributes', path, 'cannot be specified in combination with resourceAttributes'),
    );
  }
  if (!resource && !path) {
    const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    errors.push(invalid('spec.resourceAttributes', null, why));
  }
  if (hasSubject && user === '' && groups.length === 0) {
    errors.push(invalid('spec.user', '', 'at least one of user or group must be specified'));
  }
  return resource ? [...errors, ...validateSelectors(resource)] : errors;
}

/** What a LocalSubjectAccessReview may ask of its namespace. */
export function validateLocalSpec(spec: Partial<AccessSpec>, namespace: string): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  const asked = resource?.namespace ?? '';
  return [
    ...(resource && asked !== namespace
      ? [invalid('spec.resourceAttributes.namespace', asked, 'must match metadata.namespace')]
      : []),
    ...(path ? [invalid('spec.nonResourceAttributes', path, 'disallowed on this kind of request')] : []),
  ];
}

/** Reviews are not kept: names and labels would mean nothing. */
export function validateNoMetadata(metadata: object, allowed: readonly string[]): FieldError[] {
  const given = Object.entries(metadata).some(([field, value]) => !allowed.includes(field) && value != null);
  const but = allowed.includes('namespace') ? ' except for namespace' : '';
  return given ? [invalidWhole('metadata', `must be empty${but}`)] : [];
}

function validateSelectors({ fieldSelector, labelSelector }: ResourceAttributes): FieldError[] {
  const path = 'spec.resourceAttributes';
  return [
    ...(fieldSelector ? validateFieldSelector(fieldSelector, `${path}.fieldSelector`) : []),
    ...(labelSelector ? validateLabels(labelSelector, `${path}.labelSelector`) : []),
  ];
}

function validateForm({ rawSelector = '', requirements = [] }: FieldAttributes | LabelAttributes, path: string) {
  if (rawSelector !== '' && requirements.length > 0) {
    return [invalid(`${path}.rawSelector`, rawSelector, 'may not specified at the same time as requirements')];
  }
  if (rawSelector !== '' || requirements.length > 0) return [];
  return [required(`${path}.requirements`, `when ${path} is specified, requirements or rawSelector is required`)];
}

function validateFieldSelector(selector: FieldAttributes, path: string): FieldError[] {
  const errors = validateForm(selector, path);
  for (const [i, { key, operator, values = [] }] of (selector.requirements ?? []).entries()) {
    const at = `${path}.requirements[${i}]`;
    if (['In', 'NotIn'].includes(operator) && values.length === 0) {
      errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
    if (['Exists', 'DoesNotExist'].includes(operator) && values.length > 0) {
      errors.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
    if (!key) errors.push(required(`${at}.key`, 'must be specified'));
  }
  return errors;
}

const labelOperators = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** Operators that are newer than this server are passed over: a newer client asks about fewer objects than are answered for. */
function validateLabels(selector: LabelAttributes, path: string): FieldError[] {
  const known = (selector.requirements ?? []).map((one) => (labelOperators.includes(one.operator) ? one : undefined));
  return [
    ...validateForm(selector, path),
    ...known.flatMap((one, i) =>
      one
        ? validateLabelSelector({ matchExpressions: [one] }, path).map((error) => ({
            ...error,
            path: error.path.replace('.matchExpressions[0]', `.requirements[${i}]`),
          }))
        : [],
    ),
  ];
}

/** The question of a review that has been validated. */
export function accessQuestion(user: User, spec: Partial<AccessSpec>): AccessQuestion {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  const fields = fieldsOf(resource?.fieldSelector);
  const labels = labelsOf(resource?.labelSelector);
  const attributes: Attributes = {
    user,
    verb: resource?.verb ?? path?.verb ?? '',
    isResourceRequest: resource !== undefined,
    group: resource?.group ?? '',
    version: resource ? resource.version || '*' : '',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    namespace: resource?.namespace || undefined,
    name: resource?.name ?? '',
    path: path?.path ?? '',
    ...(fields.text === '' ? {} : { fieldSelector: fields.text }),
    ...(labels.text === '' ? {} : { labelSelector: labels.text }),
  };
  const ignored = (field: string, { text, isFaulty }: Understood): string[] =>
    isFaulty ? [`spec.resourceAttributes.${field} ${text === '' ? '' : 'partially '}ignored due to parse error`] : [];
  return { attributes, selectorErrors: [...ignored('fieldSelector', fields), ...ignored('labelSelector', labels)] };
}

/** What could be understood of a selector, as text. */
interface Understood {
  readonly text: string;
  readonly isFaulty: boolean;
}

const nothing: Understood = { text: '', isFaulty: false };
const notUnderstood: Understood = { text: '', isFaulty: true };

function fieldsOf(selector: FieldAttributes | undefined): Understood {
  const { rawSelector = '', requirements = [] } = selector ?? {};
  if (rawSelector !== '') {
    try {
      return { text: formatFieldSelector(parseFieldSelector(rawSelector)), isFaulty: false };
    } catch (error) {
      if (error instanceof FieldSelectorError) return notUnderstood;
      throw error;
    }
  }
  const known = requirements.flatMap(({ key, operator, values = [] }): FieldRequirement[] => {
    const [value] = values;
    if (value === undefined || values.length > 1 || !['In', 'NotIn'].includes(operator)) return [];
    return [{ field: key, operator: operator === 'In' ? '=' : '!=', value }];
  });
  return { text: formatFieldSelector(known), isFaulty: known.length < requirements.length };
}

function labelsOf(selector: LabelAttributes | undefined): Understood {
  const { rawSelector = '', requirements = [] } = selector ?? {};
  if (rawSelector === '' && requirements.length === 0) return nothing;
  const known = requirements.filter(({ operator }) => labelOperators.includes(operator));
  try {
    const parsed = rawSelector === '' ? selectorOf({ matchExpressions: known }) : parseSelector(rawSelector);
    return { text: formatSelector(parsed), isFaulty: known.length < requirements.length };
  } catch (error) {
    if (error instanceof SelectorError) return notUnderstood;
    throw error;
  }
}
