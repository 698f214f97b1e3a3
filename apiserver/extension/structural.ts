import { cloneJson, equalJson, isDeeperThan, isObject } from '../../shared/api/json.js';
import { compileRegex } from '../cel/functions/regex.js';
import { forbidden, invalid, notSupported, required, type FieldError } from '../validation/field-error.js';
import { applyDefaults } from './defaulting.js';
import { validateEmbedded } from './list-topology.js';
import { prune } from './pruning.js';
import { itemsOf, propertyOf, valuesOf, type Schema } from './schema.js';
import { Patterns, validateValue } from './value-validation.js';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
/** A schema is walked by recursion, with every object that is checked against it. */
const maxDepth = 200;
const maxErrors = 100;

/** Keywords that only the structure may carry, not the schemas inside allOf, anyOf, oneOf and not. */
const structureOnly: Readonly<Record<string, 'empty' | 'false' | 'undefined'>> = {
  additionalProperties: 'undefined',
  default: 'undefined',
  description: 'empty',
  nullable: 'false',
  title: 'empty',
  type: 'empty',
  'x-kubernetes-embedded-resource': 'false',
  'x-kubernetes-int-or-string': 'false',
  'x-kubernetes-list-map-keys': 'empty',
  'x-kubernetes-list-type': 'undefined',
  'x-kubernetes-map-type': 'undefined',
  'x-kubernetes-preserve-unknown-fields': 'false',
  'x-kubernetes-validations': 'empty',
};

type Level = 'root' | 'item' | 'field';

const forbiddenKeywords: Readonly<Record<string, string>> = {
  $ref: '$ref is not supported',
  $schema: '$schema is not supported',
  id: 'id is not supported',
  additionalItems: 'additionalItems is not supported',
  patternProperties: 'patternProperties is not supported',
  definitions: 'definitions is not supported',
  dependencies: 'dependencies is not supported',
};

/**
 * Whether a schema may be used at all: structural, sound and bounded. `path` is that of the schema in its definition.
 * @param mayViolate it need not be structural: definitions of v1beta1 came before that word
 */
export function validateSchema(schema: Schema, path: string, mayViolate = false): FieldError[] {
  if (isDeeperThan(schema, maxDepth))
    return [invalid(path, '', `the schema must not be nested deeper than ${maxDepth}`)];
  const { errors, violations } = check(schema, path);
  return errors.filter((error) => !mayViolate || !violations.has(error)).slice(0, maxErrors);
}

/** Why a schema, which may be used, is not structural. */
export function violationsOf(schema: Schema, path: string): FieldError[] {
  const { errors, violations } = check(schema, path);
  return errors.filter((error) => violations.has(error)).slice(0, maxErrors);
}

function check(schema: Schema, path: string): SchemaChecker {
  const checker = new SchemaChecker();
  checker.checkRoot(schema, path);
  return checker;
}

class SchemaChecker {
  readonly errors: FieldError[] = [];
  /** Those of them without which the schema is sound, but not structural. */
  readonly violations = new Set<FieldError>();

  #violated(error: FieldError): void {
    this.errors.push(error);
    this.violations.add(error);
  }

  checkRoot(schema: Schema, path: string): void {
    if (!isObject(schema)) {
      this.errors.push(invalid(path, schema, 'must be a schema'));
      return;
    }
    if (schema.type !== 'object') {
      const error =
        schema.type === undefined || schema.type === ''
          ? required(`${path}.type`, 'must not be empty at the root')
          : invalid(`${path}.type`, schema.type, 'must be object at the root');
      this.#violated(error);
    }
    if (schema.nullable) this.#violated(forbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
    if (schema.additionalProperties) {
      this.#violated(forbidden(`${path}.additionalProperties`, 'must not be used at the root'));
    }
    this.#structure(schema, path, 'root');
    // Only of the root its fields are asked for.
    this.#complete(schema, path, schema, path);
  }

  #structure(schema: Schema, path: string, level: Level): void {
    const isRoot = level === 'root';
    this.#common(schema, path);
    this.#extensions(schema, path);
    this.#type(schema, path, level);
    this.#meta(schema, path, isRoot);
    this.#items(schema, path);
    const values = valuesOf(schema);
    const isMap = values !== undefined || schema.additionalProperties === false;
    if (isMap && schema.properties && Object.keys(schema.properties).length > 0) {
      this.errors.push(
        forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
      );
    }
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      this.#inner(field, `${path}.properties[${name}]`);
    }
    if (values) this.#inner(values, `${path}.additionalProperties`);
    this.#junctors(schema, path, isIntOrString(schema.anyOf), isIntOrString(schema.allOf?.[0]?.anyOf));
    this.#default(schema, path, isRoot);
  }

  #inner(schema: unknown, path: string, level: Level = 'field'): void {
    if (isObject(schema)) this.#structure(schema as Schema, path, level);
    else this.errors.push(invalid(path, schema, 'must be a schema'));
  }

  #type(schema: Schema, path: string, level: Level): void {
    const isFree = schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields'];
    if (schema.type === undefined || schema.type === '') {
      if (level !== 'root' && !isFree && !schema['x-kubernetes-embedded-resource']) {
        const what = level === 'item' ? 'array items' : 'object fields';
        this.#violated(required(`${path}.type`, `must not be empty for specified ${what}`));
      }
      return;
    }
    if (schema.type === 'null') {
      const detail = 'type cannot be set to null, use nullable as an alternative';
      this.errors.push(forbidden(`${path}.type`, detail));
    }
    if (!types.includes(schema.type)) this.errors.push(notSupported(`${path}.type`, schema.type, types));
  }

  #items(schema: Schema, path: string): void {
    const { items } = schema;
    if (Array.isArray(items)) {
      this.errors.push(forbidden(`${path}.items`, 'items must be a schema object and not an array'));
      return;
    }
    if (schema.type === 'array' && items === undefined) {
      this.#violated(required(`${path}.items`, 'must be specified'));
    } else if (items !== undefined) this.#inner(items, `${path}.items`, 'item');
  }

  /** What holds in the structure and inside the logical schemas alike. */
  #common(schema: Schema, path: string): void {
    for (const [name, detail] of Object.entries(forbiddenKeywords)) {
      if (Object.hasOwn(schema, name)) this.errors.push(forbidden(`${path}.${name}`, detail));
    }
    if (schema.uniqueItems) {
      const detail = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
      this.errors.push(forbidden(`${path}.uniqueItems`, detail));
    }
    if (schema.pattern !== undefined) {
      try {
        compileRegex(schema.pattern);
      } catch (error) {
        const detail = `must be a valid regular expression, but isn't: ${error instanceof Error ? error.message : ''}`;
        this.errors.push(invalid(`${path}.pattern`, schema.pattern, detail));
      }
    }
  }

  #extensions(schema: Schema, path: string): void {
    const { errors } = this;
    const at = (name: string): string => `${path}.${name}`;
    if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
      errors.push(invalid(at('x-kubernetes-preserve-unknown-fields'), false, 'must be true or undefined'));
    }
    if (schema['x-kubernetes-int-or-string']) {
      for (const name of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const) {
        if (schema[name])
          this.#violated(invalid(at(name), true, 'must be false if x-kubernetes-int-or-string is true'));
      }
    }
    const mapType = schema['x-kubernetes-map-type'];
    if (mapType !== undefined) {
      if (!['granular', 'atomic'].includes(mapType)) {
        errors.push(notSupported(at('x-kubernetes-map-type'), mapType, ['atomic', 'granular']));
      }
      if (schema.type !== 'object') {
        errors.push(wrongType(schema, path, 'must be object if x-kubernetes-map-type is specified'));
      }
    }
    if (schema['x-kubernetes-embedded-resource']) this.#embedded(schema, path);
    this.#listType(schema, path);
    const rules = schema['x-kubernetes-validations'];
    if (
      rules &&
      rules.length > 0 &&
      (schema.type === undefined || schema.type === '') &&
      !schema['x-kubernetes-int-or-string']
    ) {
      errors.push(required(at('type'), 'must not be empty if x-kubernetes-validations is specified'));
    }
  }

  #embedded(schema: Schema, path: string): void {
    if (schema.type !== 'object') {
      const error =
        schema.type === undefined
          ? required(`${path}.type`, 'must be object if x-kubernetes-embedded-resource is true')
          : invalid(`${path}.type`, schema.type, 'must be object if x-kubernetes-embedded-resource is true');
      this.errors.push(error);
    }
    if (valuesOf(schema)) {
      const detail = 'must not be used if x-kubernetes-embedded-resource is set';
      this.#violated(forbidden(`${path}.additionalProperties`, detail));
    }
    const isEmpty = !schema.properties || Object.keys(schema.properties).length === 0;
    if (!schema['x-kubernetes-preserve-unknown-fields'] && isEmpty) {
      const detail =
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
      this.errors.push(required(`${path}.properties`, detail));
    }
  }

  #listType(schema: Schema, path: string): void {
    const { errors } = this;
    const place = `${path}.x-kubernetes-list-type`;
    const listType = schema['x-kubernetes-list-type'];
    const keys = schema['x-kubernetes-list-map-keys'];
    if (listType !== undefined) {
      if (!['atomic', 'set', 'map'].includes(listType)) {
        errors.push(notSupported(place, listType, ['atomic', 'set', 'map']));
      }
      if (schema.type !== 'array') {
        errors.push(wrongType(schema, path, 'must be array if x-kubernetes-list-type is specified'));
      }
    }
    if (keys && keys.length > 0 && listType !== 'map') {
      const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
      errors.push(listType === undefined ? required(place, detail) : invalid(place, listType, detail));
    }
    const items = itemsOf(schema);
    if (items?.nullable && (listType === 'set' || listType === 'map')) {
      errors.push(forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`));
    }
    if (listType === 'set') this.#setItems(items, path);
    if (listType !== 'map') return;
    if (!keys || keys.length === 0) {
      const detail = 'must not be empty if x-kubernetes-list-type is map';
      errors.push(required(`${path}.x-kubernetes-list-map-keys`, detail));
      return;
    }
    this.#mapKeys(keys, items, path);
  }

  #setItems(items: Schema | undefined, path: string): void {
    if (!items) return;
    const isAtomic =
      items.type === 'object'
        ? items['x-kubernetes-map-type'] === 'atomic'
        : items.type !== 'array' || (items['x-kubernetes-list-type'] ?? 'atomic') === 'atomic';
    if (isAtomic) return;
    const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
    const place = items.type === 'object' ? 'x-kubernetes-map-type' : 'x-kubernetes-list-type';
    this.errors.push(invalid(`${path}.items.${place}`, items[place] ?? null, detail));
  }

  #mapKeys(keys: readonly string[], items: Schema | undefined, path: string): void {
    const { errors } = this;
    if (items && items.type !== 'object') {
      const detail = "must be object if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(`${path}.items.type`, items.type ?? '', detail));
      return;
    }
    const place = `${path}.x-kubernetes-list-map-keys`;
    if (new Set(keys).size < keys.length) errors.push(invalid(place, keys, 'must not contain duplicate entries'));
    new Set(keys).forEach((key) => {
      const field = items?.properties && Object.hasOwn(items.properties, key) ? items.properties[key] : undefined;
      if (!field) {
        errors.push(invalid(place, keys, 'entries must all be names of item properties'));
        return;
      }
      if (field.type === 'array' || field.type === 'object') {
        const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
        // It is the item's type that the original shows.
        errors.push(invalid(`${path}.items.properties[${key}].type`, items?.type, detail));
      }
      const isRequired = items?.required?.includes(key) === true;
      if (!isRequired && field.default === undefined) {
        const detail =
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
        errors.push(required(`${path}.items.properties[${key}].default`, detail));
      }
      if (field.nullable) {
        const detail = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable';
        errors.push(forbidden(`${path}.items.properties[${key}].nullable`, detail));
      }
    });
  }

  /** metadata of the object itself may only be restricted in its name. */
  #meta(schema: Schema, path: string, isRoot: boolean): void {
    if (!isRoot && !schema['x-kubernetes-embedded-resource']) return;
    const { metadata, apiVersion, kind } = schema.properties ?? {};
    for (const [name, field] of [
      ['apiVersion', apiVersion],
      ['kind', kind],
    ] as const) {
      if (field && field.type !== 'string') {
        this.#violated(invalid(`${path}.properties[${name}].type`, field.type ?? '', 'must be string'));
      }
    }
    if (!metadata) return;
    const place = `${path}.properties[metadata]`;
    if (metadata.type !== 'object') this.#violated(invalid(`${place}.type`, metadata.type ?? '', 'must be object'));
    const { properties, ...rest } = metadata;
    const others = Object.keys(properties ?? {}).filter((name) => name !== 'name' && name !== 'generateName');
    const extra = Object.keys(rest).some((name) => !['type', 'description'].includes(name));
    if (isRoot && (others.length > 0 || extra)) {
      this.#violated(
        forbidden(
          place,
          'must not specify anything other than name and generateName, but metadata is implicitly specified',
        ),
      );
    }
  }

  #junctors(schema: Schema, path: string, skipsAnyOf = false, skipsFirst = false): void {
    if (!skipsAnyOf) schema.anyOf?.forEach((inner, index) => this.#value(inner, `${path}.anyOf[${index}]`));
    schema.allOf?.forEach((inner, index) => this.#value(inner, `${path}.allOf[${index}]`, skipsFirst && index === 0));
    schema.oneOf?.forEach((inner, index) => this.#value(inner, `${path}.oneOf[${index}]`));
    if (schema.not) this.#value(schema.not, `${path}.not`);
  }

  /** A schema inside a junctor: it only restricts values. */
  #value(schema: unknown, path: string, skipsAnyOf = false): void {
    if (!isObject(schema)) {
      this.errors.push(invalid(path, schema, 'must be a schema'));
      return;
    }
    const value = schema as Schema;
    this.#common(value, path);
    for (const [name, wanted] of Object.entries(structureOnly)) {
      const isGiven = isStructural(value[name as keyof Schema], wanted);
      if (isGiven) this.#violated(forbidden(`${path}.${name}`, `must be ${wanted} to be structural`));
    }
    for (const [name, field] of Object.entries(value.properties ?? {})) {
      const place = `${path}.properties[${name}]`;
      if (name === 'metadata') this.#violated(forbidden(place, 'must not be specified in a nested context'));
      this.#value(field, place);
    }
    const items = itemsOf(value);
    if (items) this.#value(items, `${path}.items`);
    this.#junctors(value, path, skipsAnyOf);
  }

  /** Every field that a schema inside a junctor restricts stands in the structure, too. */
  #complete(value: Schema, path: string, structure: Schema | undefined, place: string): void {
    const inner = [
      ...(value.not ? [[value.not, `${path}.not`] as const] : []),
      ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((name) =>
        (value[name] ?? []).map((one, index) => [one, `${path}.${name}[${index}]`] as const),
      ),
    ];
    for (const [one, at] of inner) {
      if (isObject(one)) this.#completeNested(one as Schema, at, structure, place);
    }
  }

  #completeNested(value: Schema, path: string, structure: Schema | undefined, place: string): void {
    if (!structure) {
      this.#violated(required(place, `because it is defined in ${path}`));
      return;
    }
    this.#complete(value, path, structure, place);
    const items = itemsOf(value);
    if (items) this.#completeNested(items, `${path}.items`, itemsOf(structure), `${place}.items`);
    for (const [name, field] of Object.entries(value.properties ?? {})) {
      if (!isObject(field)) continue;
      const at = `properties[${name}]`;
      this.#completeNested(field as Schema, `${path}.${at}`, propertyOf(structure, name), `${place}.${at}`);
    }
  }

  #default(schema: Schema, path: string, isRoot: boolean): void {
    if (schema.default === undefined) return;
    const place = `${path}.default`;
    if (isRoot) {
      this.errors.push(forbidden(place, 'must not be set'));
      return;
    }
    const value = cloneJson(schema.default);
    const unknown: string[] = [];
    prune(value, schema, schema['x-kubernetes-embedded-resource'] === true, { unknown });
    if (unknown.length > 0) this.errors.push(invalid(place, value, 'must not have unknown fields'));
    applyDefaults(value, schema);
    for (const error of validateValue(value, schema, new Patterns(), '', undefined, place)) {
      const below = error.path === '' || error.path === place ? place : `${place}.${error.path}`;
      this.errors.push({ ...error, path: below });
    }
    this.errors.push(...validateEmbedded(value, schema, place));
  }
}

const isStructural = (given: unknown, wanted: 'empty' | 'false' | 'undefined'): boolean => {
  if (wanted === 'undefined') return given !== undefined && typeof given !== 'boolean';
  return Array.isArray(given) ? given.length > 0 : Boolean(given);
};

/** anyOf: [{type: integer}, {type: string}], in this order and nothing else, is what int-or-string is written with. */
const isIntOrString = (anyOf: readonly Schema[] | undefined): boolean =>
  equalJson(anyOf ?? null, [{ type: 'integer' }, { type: 'string' }]);

const wrongType = ({ type }: Schema, path: string, detail: string): FieldError =>
  type === undefined || type === '' ? required(`${path}.type`, detail) : invalid(`${path}.type`, type, detail);
