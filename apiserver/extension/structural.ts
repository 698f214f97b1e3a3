import { isDeeperThan, isObject, cloneJson } from '../../shared/api/json.js';
import { compileRegex } from '../cel/functions/regex.js';
import { duplicate, forbidden, invalid, notSupported, required, type FieldError } from '../validation/field-error.js';
import { applyDefaults } from './defaulting.js';
import { prune } from './pruning.js';
import { isMetaField, itemsOf, valuesOf, type Schema } from './schema.js';
import { Patterns, validateValue } from './value-validation.js';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
/** A schema is walked by recursion, with every object that is checked against it. */
const maxDepth = 200;
const maxErrors = 100;

/** Keywords that only the structure may carry, not the schemas inside allOf, anyOf, oneOf and not. */
const structureOnly = [
  'additionalProperties',
  'default',
  'description',
  'nullable',
  'title',
  'type',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
] as const;

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
    this.#structure(schema, path, true);
  }

  #structure(schema: Schema, path: string, isRoot: boolean): void {
    this.#common(schema, path);
    this.#extensions(schema, path);
    this.#type(schema, path, isRoot);
    this.#meta(schema, path, isRoot);
    this.#items(schema, path);
    if (valuesOf(schema) && schema.properties && Object.keys(schema.properties).length > 0) {
      this.errors.push(
        forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
      );
    }
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      this.#inner(field, `${path}.properties[${name}]`);
    }
    const values = valuesOf(schema);
    if (values) this.#inner(values, `${path}.additionalProperties`);
    else if (schema.additionalProperties === false) {
      this.errors.push(forbidden(`${path}.additionalProperties`, 'additionalProperties cannot be set to false'));
    }
    this.#junctors(schema, path, schema);
    this.#default(schema, path, isRoot);
  }

  #inner(schema: unknown, path: string): void {
    if (isObject(schema)) this.#structure(schema as Schema, path, false);
    else this.errors.push(invalid(path, schema, 'must be a schema'));
  }

  #type(schema: Schema, path: string, isRoot: boolean): void {
    const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
    if (isIntOrString && schema.type !== undefined && schema.type !== '') {
      const detail = 'type must be empty if x-kubernetes-int-or-string is true';
      this.errors.push(invalid(`${path}.type`, schema.type, detail));
    }
    if (schema.type === undefined || schema.type === '') {
      if (!isRoot && !isIntOrString && !schema['x-kubernetes-preserve-unknown-fields']) {
        this.#violated(required(`${path}.type`, 'must not be empty for specified object fields'));
      }
      return;
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
    } else if (items !== undefined) this.#inner(items, `${path}.items`);
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
    for (const [name, limit] of Object.entries(schema)) {
      const isCount = /^(min|max)(Length|Items|Properties)$/.test(name);
      if (isCount && (typeof limit !== 'number' || limit < 0)) {
        this.errors.push(invalid(`${path}.${name}`, limit, 'must be greater than or equal to 0'));
      }
    }
  }

  #extensions(schema: Schema, path: string): void {
    const { errors } = this;
    const at = (name: string): string => `${path}.${name}`;
    if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
      errors.push(invalid(at('x-kubernetes-preserve-unknown-fields'), false, 'must be true or undefined'));
    }
    const mapType = schema['x-kubernetes-map-type'];
    if (mapType !== undefined) {
      if (!['granular', 'atomic'].includes(mapType)) {
        errors.push(notSupported(at('x-kubernetes-map-type'), mapType, ['atomic', 'granular']));
      }
      if (schema.type !== 'object') {
        errors.push(invalid(at('type'), schema.type, 'must be object if x-kubernetes-map-type is specified'));
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
        errors.push(notSupported(place, listType, ['atomic', 'map', 'set']));
      }
      if (schema.type !== 'array') {
        errors.push(invalid(`${path}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'));
      }
    }
    if (keys && keys.length > 0 && listType !== 'map') {
      const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
      errors.push(listType === undefined ? required(place, detail) : invalid(place, listType, detail));
    }
    const items = itemsOf(schema);
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
    if (items.nullable)
      this.errors.push(forbidden(`${path}.items.nullable`, 'cannot be nullable when x-kubernetes-list-type is set'));
    if (isAtomic) return;
    const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
    const place = items.type === 'object' ? 'x-kubernetes-map-type' : 'x-kubernetes-list-type';
    this.errors.push(invalid(`${path}.items.${place}`, items[place] ?? '', detail));
  }

  #mapKeys(keys: readonly string[], items: Schema | undefined, path: string): void {
    const { errors } = this;
    if (items && items.type !== 'object') {
      const detail = "must be object if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(`${path}.items.type`, items.type ?? '', detail));
      return;
    }
    const seen = new Set<string>();
    keys.forEach((key, index) => {
      const place = `${path}.x-kubernetes-list-map-keys[${index}]`;
      if (seen.has(key)) errors.push(duplicate(place, key));
      seen.add(key);
      const field = items?.properties && Object.hasOwn(items.properties, key) ? items.properties[key] : undefined;
      if (!field) {
        errors.push(invalid(place, key, 'must name a property of the item'));
        return;
      }
      if (field.type === 'array' || field.type === 'object') {
        const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
        errors.push(invalid(`${path}.items.properties[${key}].type`, field.type, detail));
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

  #junctors(schema: Schema, path: string, structure: Schema): void {
    const each = (name: 'allOf' | 'anyOf' | 'oneOf'): void =>
      schema[name]?.forEach((inner, index) => this.#value(inner, `${path}.${name}[${index}]`, structure));
    each('allOf');
    each('anyOf');
    each('oneOf');
    if (schema.not) this.#value(schema.not, `${path}.not`, structure);
  }

  /** A schema inside a junctor: it only restricts values, and every field in it stands in the structure too. */
  #value(schema: unknown, path: string, structure: Schema | undefined): void {
    if (!isObject(schema)) {
      this.errors.push(invalid(path, schema, 'must be a schema'));
      return;
    }
    const value = schema as Schema;
    this.#common(value, path);
    for (const name of structureOnly) {
      if (value[name] === undefined || (name === 'type' && isIntOrStringPattern(value, structure))) continue;
      this.#violated(forbidden(`${path}.${name}`, 'must be undefined to be structural'));
    }
    for (const [name, field] of Object.entries(value.properties ?? {})) {
      const place = `${path}.properties[${name}]`;
      const known =
        structure?.properties && Object.hasOwn(structure.properties, name) ? structure.properties[name] : undefined;
      const isMeta = name === 'metadata';
      if (isMeta) this.#violated(forbidden(place, 'must not be specified in a nested context'));
      else if (!known && !isMetaField(name)) {
        const above = path.replace(/\.(allOf|anyOf|oneOf|not)(\[\d+\])?.*$/, '');
        this.#violated(required(`${above}.properties[${name}]`, `because it is defined in ${place}`));
      }
      this.#value(field, place, known);
    }
    const items = itemsOf(value);
    if (items) this.#value(items, `${path}.items`, structure && itemsOf(structure));
    this.#junctors(value, path, structure ?? {});
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
    for (const error of validateValue(value, schema, new Patterns(), place)) this.errors.push(error);
  }
}

/** anyOf: [{type: integer}, {type: string}] is what int-or-string is written with. */
const isIntOrStringPattern = (value: Schema, structure: Schema | undefined): boolean =>
  structure?.['x-kubernetes-int-or-string'] === true && (value.type === 'integer' || value.type === 'string');
