import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from '../../shared/api/generated/types.js';
import { append, forbidden, invalid, invalidEach, required, type FieldError } from './field-error.js';
import { validateLabelName, validateLabelSelector } from './label-selector.js';
import { isDns1123Label, isDns1123Subdomain, isLabelValue } from './names.js';

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {};
  return [
    ...(nodeAffinity ? validateNodeAffinity(nodeAffinity, `${path}.nodeAffinity`) : []),
    ...(podAffinity ? validatePodAffinity(podAffinity, `${path}.podAffinity`) : []),
    ...(podAntiAffinity ? validatePodAffinity(podAntiAffinity, `${path}.podAntiAffinity`) : []),
  ];
}

function validateNodeAffinity(affinity: NodeAffinity, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const must = affinity[REQUIRED];
  if (must) append(errors, validateNodeSelector(must, `${path}.${REQUIRED}`));
  for (const [index, { weight, preference }] of (affinity[PREFERRED] ?? []).entries()) {
    const at = `${path}.${PREFERRED}[${index}]`;
    append(errors, [...validateWeight(weight, at), ...validateTerm(preference ?? {}, false, `${at}.preference`)]);
  }
  return errors;
}

/** Terms of which a node must meet at least one. */
export function validateNodeSelector(selector: NodeSelector, path: string): FieldError[] {
  const at = `${path}.nodeSelectorTerms`;
  const terms = selector.nodeSelectorTerms ?? [];
  const errors = terms.length === 0 ? [required(at, 'must have at least one node selector term')] : [];
  for (const [index, term] of terms.entries()) append(errors, validateTerm(term, true, `${at}[${index}]`));
  return errors;
}

function validateWeight(weight: number | undefined, path: string): FieldError[] {
  const value = weight ?? 0;
  return value <= 0 || value > 100 ? [invalid(`${path}.weight`, value, 'must be in the range 1-100')] : [];
}

/** Values of labels are checked only where the term must hold: a preference that matches nothing harms nobody. */
function validateTerm(term: NodeSelectorTerm, areValuesChecked: boolean, path: string): FieldError[] {
  return [
    ...(term.matchExpressions ?? []).flatMap((one, index) =>
      validateNodeRequirement(one, areValuesChecked, `${path}.matchExpressions[${index}]`),
    ),
    ...(term.matchFields ?? []).flatMap((one, index) => validateFieldRequirement(one, `${path}.matchFields[${index}]`)),
  ];
}

function validateNodeRequirement(
  { key, operator, values = [] }: NodeSelectorRequirement,
  areValuesChecked: boolean,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const at = `${path}.values`;
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      errors.push(forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1)
      errors.push(required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  } else errors.push(invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator'));
  append(errors, validateLabelName(key ?? '', `${path}.key`));
  if (areValuesChecked)
    for (const [index, value] of values.entries())
      append(errors, invalidEach(`${at}[${index}]`, value, isLabelValue(value)));
  return errors;
}

function validateFieldRequirement({ key, operator, values = [] }: NodeSelectorRequirement, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (operator !== 'In' && operator !== 'NotIn')
    errors.push(invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator'));
  else if (values.length !== 1) {
    const text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(`${path}.values`, text));
  }
  if (key !== 'metadata.name') return [...errors, invalid(`${path}.key`, key, 'not a valid field selector key')];
  for (const [index, value] of values.entries())
    append(errors, invalidEach(`${path}.values[${index}]`, value, isDns1123Subdomain(value)));
  return errors;
}

function validatePodAffinity(affinity: PodAffinity, path: string): FieldError[] {
  return [
    ...(affinity[REQUIRED] ?? []).flatMap((term, index) => validatePodTerm(term, `${path}.${REQUIRED}[${index}]`)),
    ...(affinity[PREFERRED] ?? []).flatMap(({ weight, podAffinityTerm }, index) => {
      const at = `${path}.${PREFERRED}[${index}]`;
      return [
        ...validateWeight(weight, at),
        ...validatePodTerm(podAffinityTerm ?? { topologyKey: '' }, `${at}.podAffinityTerm`),
      ];
    }),
  ];
}

function validatePodTerm(term: PodAffinityTerm, path: string): FieldError[] {
  const errors = validateLabelSelector(term.labelSelector, `${path}.labelSelector`);
  append(errors, validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`));
  for (const name of term.namespaces ?? [])
    append(errors, invalidEach(`${path}.namespace`, name, isDns1123Label(name)));
  append(errors, validateMatchLabelKeys(term, path));
  if (!term.topologyKey) errors.push(required(`${path}.topologyKey`, 'can not be empty'));
  return [...errors, ...validateLabelName(term.topologyKey ?? '', `${path}.topologyKey`)];
}

function validateMatchLabelKeys(term: PodAffinityTerm, path: string): FieldError[] {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = term;
  const errors: FieldError[] = [];
  for (const [field, keys] of Object.entries({ matchLabelKeys, mismatchLabelKeys }))
    for (const [index, key] of keys.entries()) {
      append(errors, validateLabelName(key, `${path}.${field}[${index}]`));
      if (!labelSelector)
        errors.push(forbidden(`${path}.${field}`, 'must not be specified when labelSelector is not set'));
    }
  const mismatching = new Set(mismatchLabelKeys);
  for (const [index, key] of matchLabelKeys.entries())
    if (mismatching.has(key))
      errors.push(
        invalid(`${path}.matchLabelKeys[${index}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'),
      );
  return errors;
}
