import type { CustomResourceSubresourceScale } from '../../shared/api/generated/types.js';
import { isObject } from '../../shared/api/json.js';
import { invalid, type FieldError } from '../validation/field-error.js';
import { parsePlainPath } from './json-path.js';

const maxReplicas = 2 ** 31 - 1;

/** What the scale subresource reads must be numbers of replicas and a selector, whatever the schema says. */
export function validateScaleSpec(object: unknown, scale: CustomResourceSubresourceScale): FieldError[] {
  return validateReplicas(object, scale.specReplicasPath);
}

export function validateScaleStatus(object: unknown, scale: CustomResourceSubresourceScale): FieldError[] {
  const errors = validateReplicas(object, scale.statusReplicasPath);
  const { labelSelectorPath: path } = scale;
  if (!path) return errors;
  const { value, fault } = read(object, path);
  const isWrong = fault !== undefined || (value !== undefined && typeof value !== 'string');
  if (isWrong) errors.push(invalid(path, '', fault ?? accessorFault(path, value, 'string')));
  return errors;
}

function validateReplicas(object: unknown, path: string): FieldError[] {
  const { value = 0, fault } = read(object, path);
  if (fault !== undefined) return [invalid(path, 0, fault)];
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    return [invalid(path, 0, accessorFault(path, value, 'int64'))];
  }
  if (value < 0) return [invalid(path, value, 'should be a non-negative integer')];
  return value > maxReplicas ? [invalid(path, value, `should be less than or equal to ${maxReplicas}`)] : [];
}

/** The value at a path of fields, or why there can be none. */
function read(object: unknown, path: string): { readonly value?: unknown; readonly fault?: string } {
  let value = object;
  for (const name of parsePlainPath(path) ?? []) {
    if (value === undefined || value === null) return {};
    if (!isObject(value)) return { fault: accessorFault(path, value, 'map[string]interface{}') };
    value = Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return { value };
}

const accessorFault = (path: string, value: unknown, expected: string): string =>
  `${path} accessor error: ${goText(value)} is of the type ${goType(value)}, expected ${expected}`;

function goType(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}

/** As Go prints a value: `[a b]`, `map[a:1 b:2]`. */
function goText(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (!isObject(value)) return String(value as string | number | boolean);
  const names = Object.keys(value).sort();
  return `map[${names.map((name) => `${name}:${goText(value[name])}`).join(' ')}]`;
}
