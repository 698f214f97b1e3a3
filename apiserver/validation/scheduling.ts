import type { Taint, Toleration, TopologySpreadConstraint } from '../../shared/api/generated/types.js';
import {
  append,
  duplicate,
  forbidden,
  invalid,
  notSupported,
  oneOf,
  optionalOneOf,
  required,
  type FieldError,
} from './field-error.js';
import { validateLabelName, validateLabelSelector } from './label-selector.js';
import { isLabelValue } from './names.js';
import { repeats } from './repeats.js';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const OPERATORS = ['Equal', 'Exists'];

export function validateTolerations(tolerations: readonly Toleration[], path: string): FieldError[] {
  return tolerations.flatMap((toleration, index) => validateToleration(toleration, `${path}[${index}]`));
}

function validateToleration(toleration: Toleration, path: string): FieldError[] {
  const { key, operator = '', value = '', effect = '', tolerationSeconds } = toleration;
  const errors: FieldError[] = key ? validateLabelName(key, `${path}.key`) : [];
  if (!key && operator !== 'Exists') {
    const text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalid(`${path}.operator`, operator, text));
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute')
    errors.push(invalid(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  if (operator === 'Equal' || operator === '') {
    const problems = isLabelValue(value);
    if (problems.length > 0) errors.push(invalid(`${path}.operator`, value, problems.join(';')));
  } else if (operator === 'Exists') {
    if (value !== '')
      errors.push(invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"));
  } else errors.push(notSupported(`${path}.operator`, operator, OPERATORS));
  if (effect !== '' && !EFFECTS.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, EFFECTS));
  return errors;
}

/** Taints of a node: one for each key and effect. */
export function validateTaints(taints: readonly Taint[], path: string): FieldError[] {
  const repeated = repeats(taints.map(({ key, effect }) => `${effect} ${key}`));
  return taints.flatMap((taint, index) => {
    const at = `${path}[${index}]`;
    const errors = validateLabelName(taint.key ?? '', `${at}.key`);
    const problems = isLabelValue(taint.value ?? '');
    if (problems.length > 0) errors.push(invalid(`${at}.value`, taint.value, problems.join(';')));
    append(errors, oneOf(`${at}.effect`, taint.effect, EFFECTS));
    if (repeated.has(index)) {
      const error = duplicate(at, taint);
      errors.push({ ...error, message: `${error.message}: taints must be unique by key and effect pair` });
    }
    return errors;
  });
}

export function validateSpreadConstraints(
  constraints: readonly TopologySpreadConstraint[],
  path: string,
): FieldError[] {
  // The original reports the first of two, hence the search from the end.
  const last = constraints.length - 1;
  const kinds = constraints.map(({ topologyKey, whenUnsatisfiable }) => `${whenUnsatisfiable} ${topologyKey}`);
  const repeated = repeats(kinds.reverse());
  return constraints.flatMap((constraint, index) => {
    const at = `${path}[${index}]`;
    const { topologyKey, whenUnsatisfiable } = constraint;
    const maxSkew = constraint.maxSkew ?? 0;
    const errors: FieldError[] = [];
    if (maxSkew <= 0) errors.push(invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero'));
    if (!topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'));
    else append(errors, validateLabelName(topologyKey, `${at}.topologyKey`));
    if (whenUnsatisfiable !== 'DoNotSchedule' && whenUnsatisfiable !== 'ScheduleAnyway')
      errors.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']));
    if (repeated.has(last - index))
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`));
    return [...errors, ...validateSpreadOptions(constraint, at)];
  });
}

function validateSpreadOptions(constraint: TopologySpreadConstraint, path: string): FieldError[] {
  const { minDomains, whenUnsatisfiable, labelSelector, matchLabelKeys = [] } = constraint;
  const errors: FieldError[] = [];
  if (minDomains !== undefined) {
    if (minDomains <= 0) errors.push(invalid(`${path}.minDomains`, minDomains, 'must be greater than zero'));
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      const text = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
      errors.push(invalid(`${path}.minDomains`, minDomains, text));
    }
  }
  for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const)
    append(errors, optionalOneOf(`${path}.${field}`, constraint[field], ['Honor', 'Ignore']));
  const known = new Set((labelSelector?.matchExpressions ?? []).map(({ key }) => key));
  for (const key of Object.keys(labelSelector?.matchLabels ?? {})) known.add(key);
  if (matchLabelKeys.length > 0 && !labelSelector)
    errors.push(forbidden(`${path}.matchLabelKeys`, 'must not be specified when labelSelector is not set'));
  for (const [index, key] of matchLabelKeys.entries()) {
    append(errors, validateLabelName(key, `${path}.matchLabelKeys[${index}]`));
    if (known.has(key))
      errors.push(invalid(`${path}.matchLabelKeys[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'));
  }
  return [...errors, ...validateLabelSelector(labelSelector, `${path}.labelSelector`)];
}
