import type { CustomResourceSubresourceScale } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { hasSameEncoding } from '../registry/encoding.js';
import type { Strategy } from '../registry/definition.js';
import { invalid, type FieldError, type FieldErrorType } from '../validation/field-error.js';
import { validateObjectMeta, validateObjectMetaUpdate } from '../validation/object-meta.js';
import { isDns1123Subdomain, isQualifiedName } from '../validation/names.js';
import { applyDefaults, hasDefaults } from './defaulting.js';
import { validateTopology } from './list-topology.js';
import { evaluateRules, type RuleTree } from './rules.js';
import { validateScaleSpec, validateScaleStatus } from './scale-validation.js';
import { propertyOf, type Schema } from './schema.js';
import { Patterns, validateValue } from './value-validation.js';

export interface StrategyOptions {
  readonly schema: Schema;
  readonly rules: RuleTree | undefined;
  readonly namespaced: boolean;
  readonly hasStatus: boolean;
  readonly scale: CustomResourceSubresourceScale | undefined;
}

type Custom = KubernetesObject & { status?: unknown };

/** The rules of a custom resource, all from the schema of one version. */
export function customStrategy({ schema, rules, namespaced, hasStatus, scale }: StrategyOptions): Strategy<Custom> {
  const meta = { namespaced, validateName: isDns1123Subdomain };
  const { ofObject, ofStatus } = objectValidators(schema, rules, scale);
  const fillsIn = hasDefaults(schema);
  return {
    ...(fillsIn ? { defaults: (object: Custom) => applyDefaults(object, schema) } : {}),
    validateName: isDns1123Subdomain,
    validate: (object) => ofObject(object, undefined, validateObjectMeta(object.metadata, meta)),
    validateUpdate: (object, old) => ofObject(object, old, validateObjectMetaUpdate(object.metadata, old.metadata)),
    validateStatusUpdate: (object, old) =>
      ofStatus(object, old, validateObjectMetaUpdate(object.metadata, old.metadata)),
    // Without the subresource a status is a field like any other, and a change of it one of the object.
    prepareForUpdate: (object, old) => {
      if (hasStatus || hasSameEncoding(object.status, old.status)) return;
      object.metadata.generation = (old.metadata.generation ?? 0) + 1;
    },
    prepareForStatusUpdate: (object, old) => keepMetadata(object, old),
    warnings: (object, old) => finalizerWarnings(object, old),
  };
}

/** A status comes alone: of the metadata only who owns what is the write's own. */
function keepMetadata(object: Custom, old: Custom): void {
  const { managedFields, resourceVersion } = object.metadata;
  object.metadata = { ...structuredClone(old.metadata), resourceVersion };
  if (managedFields) object.metadata.managedFields = managedFields;
  else delete object.metadata.managedFields;
}

const standardFinalizers = ['orphan', 'foregroundDeletion', 'kubernetes'];

/** Of finalizers that are new: names that others may come to use, too. */
function finalizerWarnings({ metadata }: Custom, old: Custom | undefined): string[] {
  const known = new Set(old?.metadata.finalizers);
  const added = new Set(metadata.finalizers?.filter((name) => !known.has(name)));
  return [...added].sort().flatMap((name) => {
    const head = `metadata.finalizers: ${JSON.stringify(name)}:`;
    const warnings = isQualifiedName(name).map((problem) => `${head} ${problem}`);
    if (!name.includes('/') && !standardFinalizers.includes(name)) {
      const wanted = `a domain-qualified finalizer name${name.includes('.') ? ' including a path (/)' : ''}`;
      warnings.push(`${head} prefer ${wanted} to avoid accidental conflicts with other finalizer writers`);
    }
    return warnings;
  });
}

type Validator = (object: Custom, old: Custom | undefined, metaErrors: readonly FieldError[]) => FieldError[];

/** After these an object has not the form that its rules rely on. */
const blocking: ReadonlySet<FieldErrorType> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

/** Metadata, schema, numbers of replicas, lists, rules: in this order, of the whole object or its status. */
function objectValidators(
  schema: Schema,
  rules: RuleTree | undefined,
  scale: CustomResourceSubresourceScale | undefined,
): { readonly ofObject: Validator; readonly ofStatus: Validator } {
  const patterns = new Patterns();
  // The metadata is the server's own, but for what the schema says of the name.
  const withoutMeta = withoutMetadata(schema);
  const statusSchema = propertyOf(schema, 'status');
  const finish = (object: Custom, old: Custom | undefined, errors: FieldError[]): FieldError[] => {
    errors.push(...validateTopology(object, schema, '', old));
    if (!rules) return errors;
    if (!errors.some(({ type }) => blocking.has(type))) return [...errors, ...evaluateRules(rules, object, old)];
    const skipped =
      'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
    return [...errors, invalid('<nil>', null, skipped)];
  };
  return {
    ofObject: (object, old, metaErrors) =>
      finish(object, old, [
        ...metaErrors,
        ...validateValue(object, withoutMeta, patterns, '', old),
        ...(scale ? validateScaleSpec(object, scale) : []),
        ...(scale ? validateScaleStatus(object, scale) : []),
      ]),
    ofStatus: (object, old, metaErrors) =>
      finish(object, old, [
        ...metaErrors,
        ...(statusSchema && object.status !== undefined
          ? validateValue(object.status, statusSchema, patterns, '', old?.status, 'status').map(belowStatus)
          : []),
        ...(scale ? validateScaleStatus(object, scale) : []),
      ]),
  };
}

const belowStatus = (error: FieldError): FieldError => {
  if (error.path === 'status') return error;
  return { ...error, path: error.path === '' ? 'status' : `status.${error.path}` };
};

function withoutMetadata(schema: Schema): Schema {
  const metadata = propertyOf(schema, 'metadata');
  if (!schema.properties || !metadata) return schema;
  const { name, generateName } = metadata.properties ?? {};
  const properties = { ...(name ? { name } : {}), ...(generateName ? { generateName } : {}) };
  return { ...schema, properties: { ...schema.properties, metadata: { type: 'object', properties } } };
}
