import type { RE2JS } from '@bufbuild/re2';
import { equalJson, getField, isObject, type JsonObject } from '../../shared/api/json.js';
import { compileRegex } from '../cel/functions/regex.js';
import { invalid, notSupported, required, tooMany, type FieldError } from '../validation/field-error.js';
import { hasFormat } from './formats.js';
import { correlate } from './ratcheting.js';
import { itemsOf, propertyOf, valuesOf, type Schema } from './schema.js';

const maxErrors = 100;

/** Patterns of one definition, compiled by RE2 when they are first needed. */
export class Patterns {
  readonly #compiled = new Map<string, RE2JS | undefined>();

  test(pattern: string, text: string): boolean {
    if (!this.#compiled.has(pattern)) this.#compiled.set(pattern, compiled(pattern));
    return this.#compiled.get(pattern)?.test(text) ?? false;
  }
}

function compiled(pattern: string): RE2JS | undefined {
  try {
    return compileRegex(pattern);
  } catch {
    // Definitions are checked when they are written; one from before matches nothing.
    return undefined;
  }
}

interface Context {
  readonly patterns: Patterns;
  readonly errors: FieldError[];
}

/**
 * Checks a value against a schema, with the messages of the original.
 * @param old the stored value: parts that are as they were are not checked again
 */
export function validateValue(
  value: unknown,
  schema: Schema,
  patterns: Patterns,
  path = '',
  old?: unknown,
): FieldError[] {
  const errors: FieldError[] = [];
  validate(value, schema, path, { patterns, errors }, old);
  return errors;
}

function validate(value: unknown, schema: Schema, path: string, context: Context, old: unknown): void {
  if (context.errors.length >= maxErrors || (old !== undefined && equalJson(value, old))) return;
  if (value === null && schema.nullable === true) return;
  if (!checkType(value, schema, path, context.errors)) return;
  checkEnum(value, schema, path, context.errors);
  if (typeof value === 'string') checkString(value, schema, path, context);
  else if (typeof value === 'number') checkNumber(value, schema, path, context.errors);
  else if (Array.isArray(value)) checkList(value, schema, path, context, old);
  else if (isObject(value)) checkObject(value, schema, path, context, old);
  checkJunctors(value, schema, path, context);
}

/** `spec.replicas in body`, as messages begin. */
const inBody = (path: string): string => `${path} in body`;

const jsonType = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
};

const typeInvalid = (path: string, value: unknown, detail: string): FieldError => ({
  ...invalid(path, value, detail),
  type: 'FieldValueTypeInvalid',
});

function checkType(value: unknown, schema: Schema, path: string, errors: FieldError[]): boolean {
  const type = jsonType(value);
  const { type: wanted } = schema;
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
  const isGood = isIntOrString
    ? type === 'integer' || type === 'string'
    : wanted === undefined || wanted === '' || wanted === type || (wanted === 'number' && type === 'integer');
  if (isGood) return true;
  const name = isIntOrString ? 'integer,string' : wanted;
  errors.push(typeInvalid(path, type, `${inBody(path)} must be of type ${name}: ${JSON.stringify(type)}`));
  return false;
}

function checkEnum(value: unknown, schema: Schema, path: string, errors: FieldError[]): void {
  if (!schema.enum || schema.enum.some((known) => equalJson(known, value))) return;
  const texts = schema.enum.map((known) => (typeof known === 'string' ? known : JSON.stringify(known)));
  errors.push(notSupported(path, value, texts));
}

function checkString(value: string, schema: Schema, path: string, { patterns, errors }: Context): void {
  const { maxLength, minLength, pattern, format } = schema;
  if (maxLength !== undefined && isLonger(value, maxLength)) {
    const message = `Too long: may not be more than ${maxLength} bytes`;
    errors.push({ type: 'FieldValueTooLong', path, message });
  }
  if (minLength !== undefined && !isLonger(value, minLength - 1)) {
    errors.push(invalid(path, value, `${inBody(path)} should be at least ${minLength} chars long`));
  }
  if (pattern !== undefined && !patterns.test(pattern, value)) {
    errors.push(invalid(path, value, `${inBody(path)} should match '${pattern}'`));
  }
  if (format !== undefined && !hasFormat(value, format)) {
    errors.push(typeInvalid(path, value, `${inBody(path)} must be of type ${format}: ${JSON.stringify(value)}`));
  }
}

/** Counted in code points, and only as far as it takes. */
function isLonger(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  if (text.length > 2 * limit + 1) return true;
  return Array.from(text).length > limit;
}

function checkNumber(value: number, schema: Schema, path: string, errors: FieldError[]): void {
  const { minimum, maximum, exclusiveMaximum, exclusiveMinimum, multipleOf, format } = schema;
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    const text = exclusiveMinimum ? 'greater than' : 'greater than or equal to';
    errors.push(invalid(path, value, `${inBody(path)} should be ${text} ${minimum}`));
  }
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    const text = exclusiveMaximum ? 'less than' : 'less than or equal to';
    errors.push(invalid(path, value, `${inBody(path)} should be ${text} ${maximum}`));
  }
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) {
    errors.push(invalid(path, value, `${inBody(path)} should be a multiple of ${multipleOf}`));
  }
  if (format === 'int32' && (value < -2147483648 || value > 2147483647)) {
    errors.push(invalid(path, value, `Checked value must be of type integer with format int32 in ${path}`));
  }
}

function isMultiple(value: number, of: number): boolean {
  const quotient = value / of;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9 * Math.max(1, Math.abs(quotient));
}

function checkList(list: readonly unknown[], schema: Schema, path: string, context: Context, old: unknown): void {
  const { errors } = context;
  const { maxItems, minItems } = schema;
  if (maxItems !== undefined && list.length > maxItems) errors.push(tooMany(path, list.length, maxItems));
  if (minItems !== undefined && list.length < minItems) {
    errors.push(invalid(path, list.length, `${inBody(path)} should have at least ${minItems} items`));
  }
  if (schema.uniqueItems && new Set(list.map((item) => JSON.stringify(item))).size < list.length) {
    errors.push(invalid(path, '', `${inBody(path)} shouldn't contain duplicates`));
  }
  const items = itemsOf(schema);
  if (!items) return;
  const before = correlate(list, schema, old);
  for (let i = 0; i < list.length; i++) validate(list[i], items, `${path}[${i}]`, context, before?.(i));
}

function checkObject(object: JsonObject, schema: Schema, path: string, context: Context, old: unknown): void {
  const { errors } = context;
  const { maxProperties, minProperties } = schema;
  const names = Object.keys(object);
  if (maxProperties !== undefined && names.length > maxProperties) {
    errors.push(tooMany(path, names.length, maxProperties));
  }
  if (minProperties !== undefined && names.length < minProperties) {
    errors.push(invalid(path, names.length, `${inBody(path)} should have at least ${minProperties} properties`));
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(object, name)) errors.push(required(childPath(path, name, false)));
  }
  const values = valuesOf(schema);
  const before = isObject(old) ? old : {};
  for (const name of names) {
    const property = propertyOf(schema, name);
    const field = property ?? values;
    if (field) validate(object[name], field, childPath(path, name, false), context, getField(before, name));
    else if (schema.additionalProperties === false) {
      errors.push(invalid(childPath(path, name, false), '', `${path}.${name} in body is a forbidden property`));
    }
  }
}

/** How the path of a field goes on: names after a dot, keys of maps in brackets. */
function childPath(path: string, name: string, isKey: boolean): string {
  if (isKey) return `${path}[${name}]`;
  return path === '' ? name : `${path}.${name}`;
}

function checkJunctors(value: unknown, schema: Schema, path: string, context: Context): void {
  const name = JSON.stringify(path);
  const isValid = (inner: Schema): boolean => {
    const errors: FieldError[] = [];
    validate(value, inner, path, { ...context, errors }, undefined);
    return errors.length === 0;
  };
  for (const inner of schema.allOf ?? []) validate(value, inner, path, context, undefined);
  const refuse = (detail: string): number => context.errors.push(invalid(path, '', detail));
  if (schema.anyOf && schema.anyOf.length > 0 && !schema.anyOf.some(isValid)) {
    refuse(`${name} must validate at least one schema (anyOf)`);
  }
  if (schema.oneOf && schema.oneOf.length > 0) {
    const count = schema.oneOf.filter(isValid).length;
    const found = count === 0 ? 'Found none valid' : `Found ${count} valid alternatives`;
    if (count !== 1) refuse(`${name} must validate one and only one schema (oneOf). ${found}`);
  }
  if (schema.not && isValid(schema.not)) refuse(`${name} must not validate the schema (not)`);
}
