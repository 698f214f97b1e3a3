import type { LimitRange, LimitRangeItem } from '../../shared/api/generated/types.js';
import { compareQuantities, isQuantity, quantityMilliValue } from '../../shared/api/quantity.js';
import { append, duplicate, forbidden, invalid, invalidEach, required, type FieldError } from './field-error.js';
import { isQualifiedName } from './names.js';
import { repeats } from './repeats.js';
import { mayOvercommit, validateContainerResourceName, validateResourceName } from './resource-name.js';

const TYPES = ['Container', 'PersistentVolumeClaim', 'Pod'];

export function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const limits = spec?.limits ?? [];
  const repeated = repeats(limits.map(({ type }) => type));
  return limits.flatMap((limit, index) => {
    const path = `spec.limits[${index}]`;
    return [
      ...validateType(limit.type, `${path}.type`),
      ...(repeated.has(index) ? [duplicate(`${path}.type`, limit.type)] : []),
      ...validateNames(limit, path),
      ...validateClaimStorage(limit, path),
      ...validateAmounts(limit, path),
    ];
  });
}

function validateType(type: string, path: string): FieldError[] {
  const problems = isQualifiedName(type);
  if (problems.length > 0) return invalidEach(path, type, problems);
  if (type.includes('/') || TYPES.includes(type)) return [];
  return [invalid(path, type, 'must be a standard limit type or fully qualified')];
}

type Part = 'max' | 'min' | 'default' | 'defaultRequest' | 'maxLimitRequestRatio';
const PARTS: readonly Part[] = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'];

function validateNames(limit: LimitRangeItem, path: string): FieldError[] {
  const check =
    limit.type === 'Pod' || limit.type === 'Container' ? validateContainerResourceName : validateResourceName;
  return PARTS.flatMap((part) => {
    const at = `${path}.${part}`;
    const amounts = Object.entries(limit[part] ?? {});
    if (limit.type === 'Pod' && (part === 'default' || part === 'defaultRequest'))
      return amounts.length > 0 ? [forbidden(at, "may not be specified when `type` is 'Pod'")] : [];
    return amounts.flatMap(([name, amount]) => [
      ...check(name, `${at}[${name}]`),
      ...(isQuantity(String(amount)) ? [] : [invalid(`${at}[${name}]`, amount, 'must be a valid quantity')]),
    ]);
  });
}

function validateClaimStorage({ type, min, max }: LimitRangeItem, path: string): FieldError[] {
  if (type !== 'PersistentVolumeClaim' || min?.['storage'] !== undefined || max?.['storage'] !== undefined) return [];
  const text = 'either minimum or maximum storage value is required, but neither was provided';
  return [required(`${path}.limits`, text)];
}

type Amounts = Partial<Record<Part, string>>;

function validateAmounts(limit: LimitRangeItem, path: string): FieldError[] {
  const names = new Set(PARTS.flatMap((part) => Object.keys(limit[part] ?? {})));
  const errors: FieldError[] = [];
  for (const name of names) {
    const amounts: Amounts = {};
    for (const part of PARTS) {
      const amount = limit[part]?.[name];
      const isIgnored = limit.type === 'Pod' && (part === 'default' || part === 'defaultRequest');
      if (amount !== undefined && !isIgnored && isQuantity(String(amount))) amounts[part] = String(amount);
    }
    append(errors, validateOrder(amounts, name, path));
    append(errors, validateRatio(amounts, `${path}.maxLimitRequestRatio[${name}]`));
  }
  return errors;
}

/** The words for each part in messages. */
const WORDS: Readonly<Record<Part, string>> = {
  min: 'min value',
  max: 'max value',
  default: 'default value',
  defaultRequest: 'default request value',
  maxLimitRequestRatio: 'ratio',
};

/** Which part may not exceed which, where the error stands, and whose amount it shows. */
const ORDER: readonly (readonly [less: Part, more: Part, at: Part, shown: Part])[] = [
  ['min', 'max', 'min', 'min'],
  ['min', 'defaultRequest', 'defaultRequest', 'defaultRequest'],
  ['defaultRequest', 'max', 'defaultRequest', 'defaultRequest'],
  ['defaultRequest', 'default', 'defaultRequest', 'defaultRequest'],
  ['min', 'default', 'default', 'min'],
  ['default', 'max', 'default', 'max'],
];

function validateOrder(amounts: Amounts, name: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [less, more, at, shown] of ORDER) {
    const low = amounts[less];
    const high = amounts[more];
    if (low === undefined || high === undefined || compareQuantities(low, high) <= 0) continue;
    const word = less === 'defaultRequest' && more === 'default' ? 'default limit value' : WORDS[more];
    const text = `${WORDS[less]} ${low} is greater than ${word} ${high}`;
    errors.push(invalid(`${path}.${at}[${name}]`, amounts[shown], text));
  }
  const { default: limit, defaultRequest: request } = amounts;
  if (limit !== undefined && request !== undefined && !mayOvercommit(name) && compareQuantities(limit, request) !== 0) {
    const text = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
    errors.push(invalid(`${path}.defaultRequest[${name}]`, request, text));
  }
  return errors;
}

function validateRatio({ min, max, maxLimitRequestRatio: ratio }: Amounts, path: string): FieldError[] {
  if (ratio === undefined) return [];
  const errors: FieldError[] = [];
  if (compareQuantities(ratio, '1') < 0) errors.push(invalid(path, ratio, `ratio ${ratio} is less than 1`));
  if (min === undefined || max === undefined) return errors;
  const widest = quantityMilliValue(max) / quantityMilliValue(min);
  if (quantityMilliValue(ratio) / 1000 > widest)
    errors.push(invalid(path, ratio, `ratio ${ratio} is greater than max/min = ${widest.toFixed(6)}`));
  return errors;
}
