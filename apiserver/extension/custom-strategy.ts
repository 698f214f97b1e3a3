import type { KubernetesObject } from '../../shared/api/object.js';
import { hasSameEncoding } from '../registry/encoding.js';
import type { Strategy } from '../registry/definition.js';
import { invalid, type FieldError } from '../validation/field-error.js';
import { validateObjectMeta, validateObjectMetaUpdate } from '../validation/object-meta.js';
import { isDns1123Subdomain } from '../validation/names.js';
import { applyDefaults, hasDefaults } from './defaulting.js';
import { validateTopology } from './list-topology.js';
import { evaluateRules, type RuleTree } from './rules.js';
import { propertyOf, type Schema } from './schema.js';
import { Patterns, validateValue } from './value-validation.js';

export interface StrategyOptions {
  readonly schema: Schema;
  readonly rules: RuleTree | undefined;
  readonly namespaced: boolean;
  readonly hasStatus: boolean;
}

/** The rules of a custom resource, all from the schema of one version. */
export function customStrategy({ schema, rules, namespaced, hasStatus }: StrategyOptions): Strategy<KubernetesObject> {
  const meta = { namespaced, validateName: isDns1123Subdomain };
  const check = objectValidator(schema, rules);
  const fillsIn = hasDefaults(schema);
  const update = (object: KubernetesObject, old: KubernetesObject): FieldError[] => [
    ...validateObjectMetaUpdate(object.metadata, old.metadata),
    ...check(object, old),
  ];
  return {
    ...(fillsIn ? { defaults: (object: KubernetesObject) => applyDefaults(object, schema) } : {}),
    validateName: isDns1123Subdomain,
    validate: (object) => [...validateObjectMeta(object.metadata, meta), ...check(object, undefined)],
    validateUpdate: update,
    validateStatusUpdate: update,
    // Without the subresource a status is a field like any other, and a change of it one of the object.
    prepareForUpdate: (object, old) => {
      if (hasStatus || hasSameEncoding(statusOf(object), statusOf(old))) return;
      object.metadata.generation = (old.metadata.generation ?? 0) + 1;
    },
  };
}

const statusOf = (object: KubernetesObject): unknown => (object as { status?: unknown }).status;

type Validator = (object: KubernetesObject, old: KubernetesObject | undefined) => FieldError[];

/** Schema, lists, rules: the rules run only over objects that have the form that they rely on. */
function objectValidator(schema: Schema, rules: RuleTree | undefined): Validator {
  const patterns = new Patterns();
  // The metadata is the server's own, but for what the schema says of the name.
  const withoutMeta = withoutMetadata(schema);
  return (object, old) => {
    const errors = [
      ...validateValue(object, withoutMeta, patterns, '', old),
      ...validateTopology(object, schema, '', old),
    ];
    if (!rules) return errors;
    if (errors.length > 0) {
      const skipped =
        'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
      return [...errors, invalid('<nil>', null, skipped)];
    }
    return evaluateRules(rules, object, old);
  };
}

function withoutMetadata(schema: Schema): Schema {
  const metadata = propertyOf(schema, 'metadata');
  if (!schema.properties || !metadata) return schema;
  const { name, generateName } = metadata.properties ?? {};
  const properties = { ...(name ? { name } : {}), ...(generateName ? { generateName } : {}) };
  return { ...schema, properties: { ...schema.properties, metadata: { type: 'object', properties } } };
}
