import type { Condition } from '../../shared/api/generated/types.js';
import {
  append,
  duplicate,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from './field-error.js';
import { isQualifiedName, regexMessage } from './names.js';
import { repeats } from './repeats.js';

const STATUSES = ['False', 'True', 'Unknown'];
const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const REASON_RE = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const REASON_TEXT =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
const REASON_EXAMPLES = ['my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB'];
const MAX_REASON = 1024;
const MAX_MESSAGE = 32 * 1024;

/** Conditions of the common form (meta/v1 Condition), one of each type. */
export function validateConditions(conditions: readonly Condition[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const repeated = repeats(conditions.map(({ type }) => type));
  for (const [index, condition] of conditions.entries()) {
    const at = `${path}[${index}]`;
    if (repeated.has(index)) errors.push(duplicate(`${at}.type`, condition.type));
    append(errors, validateCondition(condition, at));
  }
  return errors;
}

function validateCondition(condition: Partial<Condition>, path: string): FieldError[] {
  const { type = '', status = '', observedGeneration = 0, lastTransitionTime, reason = '', message = '' } = condition;
  const errors = invalidEach(`${path}.type`, type, isQualifiedName(type));
  if (!STATUSES.includes(status)) errors.push(notSupported(`${path}.status`, status, STATUSES));
  if (observedGeneration < 0)
    errors.push(invalid(`${path}.observedGeneration`, observedGeneration, 'must be greater than or equal to zero'));
  if (!lastTransitionTime) errors.push(required(`${path}.lastTransitionTime`, 'must be set'));
  if (reason === '') errors.push(required(`${path}.reason`, 'must be set'));
  else if (reason.length > MAX_REASON) errors.push(tooLong(`${path}.reason`, MAX_REASON));
  else if (!REASON_RE.test(reason))
    errors.push(invalid(`${path}.reason`, reason, regexMessage(REASON_TEXT, REASON, ...REASON_EXAMPLES)));
  if (message.length > MAX_MESSAGE) errors.push(tooLong(`${path}.message`, MAX_MESSAGE));
  return errors;
}
