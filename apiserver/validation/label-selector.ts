import type { LabelSelector, LabelSelectorRequirement } from '../../shared/api/generated/types.js';
import { append, forbidden, invalid, invalidEach, required, type FieldError } from './field-error.js';
import { isLabelValue, isQualifiedName } from './names.js';
import { validateLabels } from './object-meta.js';

export function validateLabelSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  if (!selector) return [];
  return [
    ...validateLabels(selector.matchLabels, `${path}.matchLabels`),
    ...(selector.matchExpressions ?? []).flatMap((one, index) =>
      validateRequirement(one, `${path}.matchExpressions[${index}]`),
    ),
  ];
}

function validateRequirement({ key, operator, values = [] }: LabelSelectorRequirement, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      errors.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else errors.push(invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator'));
  append(errors, validateLabelName(key ?? '', `${path}.key`));
  for (const [index, value] of values.entries())
    append(errors, invalidEach(`${path}.values[${index}]`, value, isLabelValue(value)));
  return errors;
}

export const validateLabelName = (name: string, path: string): FieldError[] =>
  invalidEach(path, name, isQualifiedName(name));

/** A selector of a workload: present, good, and not empty (it would claim every pod). */
export function validateWorkloadSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  if (!selector) return [required(path)];
  const errors = validateLabelSelector(selector, path);
  const size = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length;
  if (size === 0) errors.push(invalid(path, selector, 'empty selector is invalid for deployment'));
  return errors;
}
