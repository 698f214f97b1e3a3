import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  PodSpec,
  SuccessPolicyRule,
} from '../../shared/api/generated/types.js';
import {
  append,
  duplicate,
  invalid,
  invalidEach,
  invalidWhole,
  notNegative,
  notSupported,
  required,
  tooLong,
  tooMany,
  type FieldError,
} from './field-error.js';
import { countIndexes, indexesProblem } from './job-indexes.js';
import { isQualifiedName } from './names.js';
import { repeats } from './repeats.js';

const MAX_RULES = 20;
const MAX_EXIT_CODES = 255;
const MAX_PATTERNS = 20;
const MAX_SUCCEEDED_INDEXES = 64 * 1024;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const STATUSES = ['False', 'True', 'Unknown'];

const validValues = (values: readonly string[]): string =>
  `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`;

function listed(path: string, value: string | undefined, values: readonly string[]): FieldError[] {
  if (!value) return [required(path, validValues(values))];
  return values.includes(value) ? [] : [notSupported(path, value, values)];
}

function containerNames({ containers = [], initContainers = [] }: Partial<PodSpec>): Set<string> {
  return new Set([...containers, ...initContainers].map(({ name }) => name));
}

export function validatePodFailurePolicy(spec: JobSpec, path: string): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const errors: FieldError[] = [];
  if (rules.length > MAX_RULES) errors.push(tooMany(`${path}.rules`, rules.length, MAX_RULES));
  const names = containerNames(spec.template.spec);
  for (const [index, rule] of rules.entries())
    append(errors, validateFailureRule(spec, rule, `${path}.rules[${index}]`, names));
  return errors;
}

function validateFailureRule(
  spec: JobSpec,
  { action, onExitCodes, onPodConditions = [] }: PodFailurePolicyRule,
  path: string,
  names: ReadonlySet<string>,
): FieldError[] {
  const errors: FieldError[] = [];
  if (action === 'FailIndex') {
    if (spec.backoffLimitPerIndex === undefined)
      errors.push(invalid(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set'));
  } else append(errors, listed(`${path}.action`, action, ACTIONS));
  if (onExitCodes) append(errors, validateExitCodes(onExitCodes, `${path}.onExitCodes`, names));
  if (onPodConditions.length > 0) append(errors, validatePatterns(onPodConditions, `${path}.onPodConditions`));
  if (onExitCodes && onPodConditions.length > 0)
    errors.push(invalidWhole(path, 'specifying both OnExitCodes and OnPodConditions is not supported'));
  if (!onExitCodes && onPodConditions.length === 0)
    errors.push(invalidWhole(path, 'specifying one of OnExitCodes and OnPodConditions is required'));
  return errors;
}

function validatePatterns(patterns: readonly PodFailurePolicyOnPodConditionsPattern[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (patterns.length > MAX_PATTERNS) errors.push(tooMany(path, patterns.length, MAX_PATTERNS));
  for (const [index, { type, status }] of patterns.entries()) {
    append(errors, invalidEach(`${path}[${index}].type`, type, isQualifiedName(type)));
    append(errors, listed(`${path}[${index}].status`, status, STATUSES));
  }
  return errors;
}

function validateExitCodes(
  { operator, containerName, values = [] }: Partial<PodFailurePolicyOnExitCodesRequirement>,
  path: string,
  names: ReadonlySet<string>,
): FieldError[] {
  const errors = listed(`${path}.operator`, operator, OPERATORS);
  if (containerName !== undefined && !names.has(containerName)) {
    const text = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalid(`${path}.containerName`, containerName, text));
  }
  const at = `${path}.values`;
  if (values.length === 0) errors.push(invalid(at, values, 'at least one value is required'));
  else if (values.length > MAX_EXIT_CODES) errors.push(tooMany(at, values.length, MAX_EXIT_CODES));
  const repeated = repeats(values.map(String));
  for (const [index, value] of values.entries()) {
    if (operator === 'In' && value === 0)
      errors.push(invalid(`${at}[${index}]`, value, 'must not be 0 for the In operator'));
    if (repeated.has(index)) errors.push(duplicate(`${at}[${index}]`, value));
  }
  if (values.some((value, index) => value < (values[index - 1] ?? value)))
    errors.push(invalid(at, values, 'must be ordered'));
  return errors;
}

export function validateSuccessPolicy(spec: JobSpec, path: string): FieldError[] {
  if (!spec.successPolicy) return [];
  if (spec.completionMode !== 'Indexed') return [invalid(path, spec.successPolicy, 'requires indexed completion mode')];
  const rules = spec.successPolicy.rules ?? [];
  const errors: FieldError[] = [];
  if (rules.length === 0)
    errors.push(required(`${path}.rules`, 'at least one rules must be specified when the successPolicy is specified'));
  if (rules.length > MAX_RULES) errors.push(tooMany(`${path}.rules`, rules.length, MAX_RULES));
  for (const [index, rule] of rules.entries())
    append(errors, validateSuccessRule(rule, spec.completions ?? 0, `${path}.rules[${index}]`));
  return errors;
}

function validateSuccessRule(
  { succeededCount: count, succeededIndexes: indexes }: SuccessPolicyRule,
  completions: number,
  path: string,
): FieldError[] {
  if (count === undefined && indexes === undefined)
    return [required(path, 'at least one of succeededCount or succeededIndexes must be specified')];
  const errors: FieldError[] = [];
  let total = 0;
  if (indexes !== undefined) {
    const at = `${path}.succeededIndexes`;
    if (indexes.length > MAX_SUCCEEDED_INDEXES) errors.push(tooLong(at, MAX_SUCCEEDED_INDEXES));
    const problem = indexesProblem(indexes, completions);
    if (problem === undefined) total = countIndexes(indexes, completions);
    else errors.push(invalid(at, indexes, `error parsing succeededIndexes: ${problem}`));
  }
  if (count === undefined) return errors;
  const at = `${path}.succeededCount`;
  append(errors, notNegative(at, count));
  if (count > completions)
    errors.push(
      invalid(at, count, `must be less than or equal to ${completions} (the number of specified completions)`),
    );
  if (indexes !== undefined && count > total) {
    const text = 'the number of indexes in the specified succeededIndexes field';
    errors.push(invalid(at, count, `must be less than or equal to ${total} (${text})`));
  }
  return errors;
}
