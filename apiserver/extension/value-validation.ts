import type { RE2JS } from '@bufbuild/re2';
import { equalJson, getField, isObject, type JsonObject } from '../../shared/api/json.js';
import { compileRegex } from '../cel/functions/regex.js';
import { invalid, notSupported, required, tooLong, tooMany, type FieldError } from '../validation/field-error.js';
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
  /** Where errors are reported that concern no single field; the original has no better place for them. */
  readonly base: string;
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
  base = '<nil>',
): FieldError[] {
  const errors: FieldError[] = [];
  validate(value, schema, path, { patterns, errors, base }, old);
  return errors;
}

/** @returns how many checks went well, by which the best of several alternatives is told */
function validate(value: unknown, schema: Schema, path: string, context: Context, old: unknown): number {
  if (context.errors.length >= maxErrors || (old !== undefined && equalJson(value, old))) return 0;
  let matches = checkType(value, schema, path, context.errors) ? 1 : 0;
  if (value === null) {
    checkEnum(value, schema, path, context.errors);
    return matches;
  }
  matches += checkJunctors(value, schema, path, context);
  if (typeof value === 'string') checkString(value, schema, path, context);
  else if (typeof value === 'number') checkNumber(value, schema, path, context);
  else if (Array.isArray(value)) matches += checkList(value, schema, path, context, old);
  checkEnum(value, schema, path, context.errors);
  if (isObject(value)) matches += checkObject(value, schema, path, context, old);
  return matches;
}

/** `spec.replicas in body`, as messages begin. */
const inBody = (path: string): string => `${path} in body`;

const jsonType = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return isInteger(value) ? 'integer' : 'number';
  return typeof value;
};

/** Larger ones do not fit into the integers that the original reads numbers into. */
const isInteger = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < 2 ** 63;

const typeInvalid = (path: string, value: unknown, detail: string): FieldError => ({
  ...invalid(path, value, detail),
  type: 'FieldValueTypeInvalid',
});

function checkType(value: unknown, schema: Schema, path: string, errors: FieldError[]): boolean {
  const type = jsonType(value);
  if (type === 'null' && schema.nullable === true) return true;
  const { type: wanted } = schema;
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
  const isGood = isIntOrString
    ? type === 'integer' || type === 'string'
    : wanted === undefined || wanted === '' || wanted === type || (wanted === 'number' && type === 'integer');
  if (isGood) return true;
  // Texts of a format are looked at by the format alone.
  const isNumeric = isIntOrString || wanted === 'integer' || wanted === 'number';
  if (!isNumeric && schema.format && (type === 'string' || type === 'array')) return true;
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
  const { format } = schema;
  const fault = textFault(value, schema, path, patterns);
  if (fault) errors.push(fault);
  if (format !== undefined && !hasFormat(value, format)) {
    errors.push(typeInvalid(path, value, `${inBody(path)} must be of type ${format}: ${JSON.stringify(value)}`));
  }
}

/** The first of what is wrong with a text: the rest is not looked at, as in the original. */
function textFault(value: string, schema: Schema, path: string, patterns: Patterns): FieldError | undefined {
  const { maxLength, minLength, pattern } = schema;
  if (maxLength !== undefined && isLonger(value, maxLength)) return tooLong(path, maxLength);
  if (minLength !== undefined && !isLonger(value, minLength - 1)) {
    return invalid(path, value, `${inBody(path)} should be at least ${minLength} chars long`);
  }
  if (pattern === undefined || pattern === '' || patterns.test(pattern, value)) return undefined;
  return invalid(path, value, `${inBody(path)} should match '${pattern}'`);
}

/** Counted in code points, and only as far as it takes. */
function isLonger(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  if (text.length > 2 * limit + 1) return true;
  return Array.from(text).length > limit;
}

function checkNumber(value: number, schema: Schema, path: string, { errors, base }: Context): void {
  const { minimum, maximum, exclusiveMaximum, exclusiveMinimum, multipleOf } = schema;
  const outside = rangeFault(value, schema);
  if (outside) errors.push(invalid(base, '', `Checked value must be of type ${outside} in ${path}`));
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
}

/** The type of numbers into which the value does not fit. */
function rangeFault(value: number, { type, format }: Schema): string | undefined {
  if (type === 'integer') {
    if (format === 'int32') return isInt32(value) ? undefined : 'integer with format int32';
    if (isInteger(value)) return undefined;
    return format === 'int64' ? 'integer with format int64' : 'integer (default format)';
  }
  const isFloat = type === 'number' && format === 'float';
  return isFloat && Math.abs(value) > maxFloat32 ? 'number with format float' : undefined;
}

const isInt32 = (value: number): boolean => Number.isInteger(value) && value >= -2147483648 && value <= 2147483647;
const maxFloat32 = 3.4028234663852886e38;

function isMultiple(value: number, of: number): boolean {
  const quotient = value / of;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9 * Math.max(1, Math.abs(quotient));
}

function checkList(list: readonly unknown[], schema: Schema, path: string, context: Context, old: unknown): number {
  const { errors } = context;
  const { maxItems, minItems } = schema;
  let matches = 0;
  const items = itemsOf(schema);
  if (items) {
    const before = correlate(list, schema, old);
    for (let i = 0; i < list.length; i++) matches += validate(list[i], items, `${path}[${i}]`, context, before?.(i));
  }
  if (minItems !== undefined && list.length < minItems) {
    errors.push(invalid(path, list.length, `${inBody(path)} should have at least ${minItems} items`));
  }
  if (maxItems !== undefined && list.length > maxItems) errors.push(tooMany(path, list.length, maxItems));
  if (schema.uniqueItems && new Set(list.map((item) => JSON.stringify(item))).size < list.length) {
    errors.push(invalid(path, '', `${inBody(path)} shouldn't contain duplicates`));
  }
  return matches;
}

function checkObject(object: JsonObject, schema: Schema, path: string, context: Context, old: unknown): number {
  const { errors } = context;
  const { maxProperties, minProperties } = schema;
  const names = Object.keys(object);
  if (minProperties !== undefined && names.length < minProperties) {
    errors.push(invalid(path, names.length, `${inBody(path)} should have at least ${minProperties} properties`));
  }
  if (maxProperties !== undefined && names.length > maxProperties) {
    errors.push(tooMany(path, names.length, maxProperties));
  }
  const values = valuesOf(schema);
  const before = isObject(old) ? old : {};
  let matches = 0;
  for (const name of names) {
    const field = propertyOf(schema, name) ?? values;
    const place = childPath(path, name);
    if (field) matches += validate(object[name], field, place, context, getField(before, name));
    else if (schema.additionalProperties === false) {
      errors.push(invalid(place, '', `${path}.${name} in body is a forbidden property`));
    }
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(object, name)) errors.push(required(childPath(path, name)));
  }
  return matches;
}

const childPath = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

interface Outcome {
  readonly errors: readonly FieldError[];
  readonly matches: number;
}

/** Where no alternative fits, the errors of the one that came closest are told, too. */
function checkJunctors(value: unknown, schema: Schema, path: string, context: Context): number {
  const { errors, base } = context;
  const name = JSON.stringify(path);
  const attempt = (inner: Schema): Outcome => {
    const found: FieldError[] = [];
    const matches = validate(value, inner, path, { ...context, errors: found }, undefined);
    return { errors: found, matches };
  };
  const refuse = (detail: string): number => errors.push(invalid(base, '', detail));
  let matches = 0;
  const anyOf = (schema.anyOf ?? []).map(attempt);
  if (anyOf.length > 0 && !anyOf.some(isGood)) {
    refuse(`${name} must validate at least one schema (anyOf)`);
    errors.push(...closest(anyOf).errors);
  }
  const oneOf = (schema.oneOf ?? []).map(attempt);
  const count = oneOf.filter(isGood).length;
  if (oneOf.length > 0 && count !== 1) {
    const found = count === 0 ? 'Found none valid' : `Found ${count} valid alternatives`;
    refuse(`${name} must validate one and only one schema (oneOf). ${found}`);
    if (count === 0) errors.push(...closest(oneOf).errors);
  }
  const allOf = (schema.allOf ?? []).map(attempt);
  for (const one of allOf) {
    errors.push(...one.errors);
    matches += one.matches;
  }
  if (!allOf.every(isGood)) {
    const none = allOf.some(isGood) ? '' : '. None validated';
    refuse(`${name} must validate all the schemas (allOf)${none}`);
  }
  if (schema.not && isGood(attempt(schema.not))) refuse(`${name} must not validate the schema (not)`);
  return matches;
}

const isGood = ({ errors }: Outcome): boolean => errors.length === 0;

/** The first of those with most checks that went well. */
const closest = (outcomes: readonly Outcome[]): Outcome =>
  outcomes.reduce((best, one) => (one.matches > best.matches ? one : best));
