import type { StatusCause } from '../../shared/errors/status-error.js';

/** The kinds of field errors, with the reason each gets in StatusCause.reason. */
export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

/** One thing wrong with one field of an object; `path` as in `spec.containers[0].name`. */
export interface FieldError {
  readonly type: FieldErrorType;
  readonly path: string;
  /** The complete text after the path, e.g. `Invalid value: "x": must be ...`. */
  readonly message: string;
}

/** A string that was left out is the empty one, as it is in Go. */
const quote = (value: unknown = ''): string =>
  typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'null');
const withDetail = (text: string, detail: string): string => (detail === '' ? text : `${text}: ${detail}`);

export const required = (path: string, detail = ''): FieldError => ({
  type: 'FieldValueRequired',
  path,
  message: withDetail('Required value', detail),
});
export const invalid = (path: string, value: unknown, detail: string): FieldError => ({
  type: 'FieldValueInvalid',
  path,
  message: withDetail(`Invalid value: ${quote(value)}`, detail),
});
/** `invalid` for something as a whole, whose value would tell nothing. */
export const invalidWhole = (path: string, detail: string): FieldError => ({
  type: 'FieldValueInvalid',
  path,
  message: `Invalid value: ${detail}`,
});
export const duplicate = (path: string, value: unknown): FieldError => ({
  type: 'FieldValueDuplicate',
  path,
  message: `Duplicate value: ${quote(value)}`,
});
export const notFound = (path: string, value: unknown): FieldError => ({
  type: 'FieldValueNotFound',
  path,
  message: `Not found: ${quote(value)}`,
});
export const forbidden = (path: string, detail: string): FieldError => ({
  type: 'FieldValueForbidden',
  path,
  message: withDetail('Forbidden', detail),
});
export const notSupported = (path: string, value: unknown, supported: readonly string[]): FieldError => ({
  type: 'FieldValueNotSupported',
  path,
  message: withDetail(
    `Unsupported value: ${quote(value)}`,
    supported.length > 0 ? `supported values: ${supported.map(quote).join(', ')}` : '',
  ),
});
export const tooLong = (path: string, maxLength: number): FieldError => ({
  type: 'FieldValueTooLong',
  path,
  message: `Too long: may not be more than ${maxLength} bytes`,
});
export const tooMany = (path: string, actual: number, maximum: number): FieldError => ({
  type: 'FieldValueTooMany',
  path,
  message: `Too many: ${actual}: must have at most ${maximum} items`,
});

/** Causes of a 422 Invalid. */
export function toCauses(errors: readonly FieldError[]): StatusCause[] {
  return errors.map(({ type, path, message }) => ({ reason: type, message, field: path }));
}

/** Text of the 422 message: one error bare, several in brackets. */
export function aggregateMessage(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(({ path, message }) => `${path}: ${message}`))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

/** One `invalid` for each sentence that a check of `value` returned. */
export const invalidEach = (path: string, value: unknown, problems: readonly string[]): FieldError[] =>
  problems.map((problem) => invalid(path, value, problem));

/** `notSupported` unless the value is among the supported ones, `required` where it is absent. */
export function oneOf(path: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  if (!value) return [required(path)];
  return supported.includes(value) ? [] : [notSupported(path, value, supported)];
}

/** As {@link oneOf}, for a field that may be absent. */
export const optionalOneOf = (path: string, value: string | undefined, supported: readonly string[]): FieldError[] =>
  value === undefined ? [] : oneOf(path, value, supported);

export function notNegative(path: string, value: number | undefined): FieldError[] {
  return (value ?? 0) < 0 ? [invalid(path, value, 'must be greater than or equal to 0')] : [];
}

/** Adds one by one: `push(...more)` fails on a list as long as a client may send. */
export function append(errors: FieldError[], more: readonly FieldError[]): void {
  for (const error of more) errors.push(error);
}
