import { invalid, type FieldError } from './field-error.js';

export function validateNoBacksteps(path: string, value: string): FieldError[] {
  return value.includes('..') && value.split('/').includes('..') ? [invalid(path, value, "must not contain '..'")] : [];
}

/** A path that stays below where it is joined. */
export function validateLocalPath(path: string, value: string): FieldError[] {
  const errors = validateNoBacksteps(path, value);
  if (value.startsWith('/')) errors.unshift(invalid(path, value, 'must be a relative path'));
  return errors;
}

/** As {@link validateLocalPath}; names that start with two dots belong to the kubelet's atomic writer. */
export function validateLocalNonReservedPath(path: string, value: string): FieldError[] {
  const errors = validateLocalPath(path, value);
  if (value.startsWith('..') && value !== '..' && !value.startsWith('../'))
    errors.push(invalid(path, value, "must not start with '..'"));
  return errors;
}
