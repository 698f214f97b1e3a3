import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from '../../shared/api/generated/types.js';
import { equalJson } from '../../shared/api/json.js';
import {
  append,
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
  type FieldError,
} from '../validation/field-error.js';
import { isDns1035Label, isDns1123Subdomain } from '../validation/names.js';
import { hasDefaults } from './defaulting.js';
import { parsePlainPath, parseFieldPath } from './json-path.js';
import { compileInSteps, finish } from './rules.js';
import { hasRules, propertyOf, type Schema } from './schema.js';
import { validateSchema } from './structural.js';

type Definition = CustomResourceDefinition;
type Version = CustomResourceDefinitionVersion;

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['binary', 'byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const maxSelectableFields = 8;
const maxVersions = 64;

export const schemaOf = (version: Version): Schema | undefined => version.schema?.openAPIV3Schema as Schema | undefined;

/**
 * Rules of a definition that is written; those of its schemas are checked only where they are new, as in the original.
 * @param isOlder it comes in the version before v1, which asked for less
 */
export function validateDefinition(object: Definition, old?: Definition, isOlder = false): FieldError[] {
  return finish(validateInSteps(object, old, isOlder));
}

/** The same in steps: schemas may be big, and rules many. */
export function* validateInSteps(object: Definition, old?: Definition, isOlder = false): Generator<void, FieldError[]> {
  const { spec, metadata } = object;
  const errors: FieldError[] = [];
  if (!spec) return [required('spec')];
  const expected = `${spec.names?.plural ?? ''}.${spec.group}`;
  if (metadata.name !== expected) {
    errors.push(invalid('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group`));
  }
  append(errors, validateGroup(spec.group));
  append(errors, validateApproval(object));
  if (!['Cluster', 'Namespaced'].includes(spec.scope)) {
    errors.push(
      spec.scope ? notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']) : required('spec.scope'),
    );
  }
  append(errors, validateNames(spec.names ?? ({} as CustomResourceDefinitionNames), 'spec.names'));
  if (spec.preserveUnknownFields === true && old?.spec?.preserveUnknownFields !== true && !isOlder) {
    errors.push(
      invalid(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  }
  append(errors, yield* validateVersions(spec, old, isOlder));
  append(errors, validateConversion(spec));
  if (old) append(errors, validateDefinitionUpdate(object, old));
  return errors;
}

function validateGroup(group: string | undefined): FieldError[] {
  if (!group) return [required('spec.group')];
  const problems = isDns1123Subdomain(group);
  if (problems.length > 0) return invalidEach('spec.group', group, problems);
  return group.includes('.') ? [] : [invalid('spec.group', group, 'should be a domain with at least one dot')];
}

const approvalAnnotation = 'api-approved.kubernetes.io';

/** Groups of the community itself need its approval. */
function validateApproval({ spec, metadata }: Definition): FieldError[] {
  const isProtected = /(^|\.)(k8s\.io|kubernetes\.io)$/.test(spec.group ?? '');
  if (!isProtected) return [];
  const path = `metadata.annotations[${approvalAnnotation}]`;
  const value = metadata.annotations?.[approvalAnnotation];
  if (value === undefined || value === '') {
    return [
      required(
        path,
        'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ),
    ];
  }
  if (value.startsWith('unapproved') || URL.canParse(value)) return [];
  return [
    invalid(
      path,
      value,
      `protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`,
    ),
  ];
}

function validateNames(names: CustomResourceDefinitionNames, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const check = (field: string, value: string | undefined): void => {
    for (const problem of isDns1035Label(value ?? '')) errors.push(invalid(`${path}.${field}`, value ?? '', problem));
  };
  check('plural', names.plural);
  check('singular', names.singular);
  check('kind', names.kind?.toLowerCase());
  check('listKind', names.listKind?.toLowerCase());
  if (names.kind !== undefined && names.kind === names.listKind) {
    errors.push(invalid(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same'));
  }
  (names.shortNames ?? []).forEach((name, index) => check(`shortNames[${index}]`, name));
  (names.categories ?? []).forEach((name, index) => check(`categories[${index}]`, name));
  return errors;
}

function* validateVersions(
  spec: CustomResourceDefinitionSpec,
  old: Definition | undefined,
  isOlder: boolean,
): Generator<void, FieldError[]> {
  const isLoose = isOlder && spec.preserveUnknownFields === true;
  const versions = spec.versions ?? [];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  if (versions.length > maxVersions) return [invalid('spec.versions', '', `must have at most ${maxVersions} items`)];
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    for (const problem of isDns1035Label(version.name)) errors.push(invalid(`${path}.name`, version.name, problem));
    if (seen.has(version.name)) errors.push(duplicate(`${path}.name`, version.name));
    seen.add(version.name);
    const before = old?.spec?.versions?.find(({ name }) => name === version.name);
    append(errors, yield* validateVersion(version, path, { before, isOlder, isLoose }));
  }
  const storage = versions.filter(({ storage: isStorage }) => isStorage).length;
  if (storage !== 1) {
    errors.push(invalid('spec.versions', '', 'must have exactly one version marked as storage version'));
  }
  return errors;
}

interface VersionRules {
  readonly before: Version | undefined;
  /** The schema may be missing. */
  readonly isOlder: boolean;
  /** The schema need not be structural, and then can do less. */
  readonly isLoose: boolean;
}

function* validateVersion(
  version: Version,
  path: string,
  { before, isOlder, isLoose }: VersionRules,
): Generator<void, FieldError[]> {
  const errors: FieldError[] = [];
  const schema = schemaOf(version);
  const place = `${path}.schema.openAPIV3Schema`;
  if (version.deprecationWarning !== undefined && !version.deprecated) {
    errors.push(
      invalid(`${path}.deprecationWarning`, version.deprecationWarning, 'can only be set for deprecated versions'),
    );
  }
  if (version.deprecationWarning !== undefined && Buffer.byteLength(version.deprecationWarning) > 256) {
    errors.push(invalid(`${path}.deprecationWarning`, version.deprecationWarning, 'must be <= 256 bytes'));
  }
  if (!schema) {
    if (!isOlder && (!before || schemaOf(before))) errors.push(required(place, 'schemas are required'));
  } else if (!before || !equalJson(schema, schemaOf(before))) {
    yield;
    const faults = [...validateSchema(schema, place, isLoose), ...(isLoose ? validateLoose(schema) : [])];
    append(errors, faults);
    yield;
    if (faults.length === 0) yield* compileInSteps(schema, place, errors);
    yield;
  }
  append(errors, validateSubresources(version, path));
  append(errors, validateColumns(version, path));
  append(errors, validateSelectableFields(version, schema, path));
  return errors;
}

/** Where unknown fields are kept, nobody knows what a default or a rule would be about. */
function validateLoose(schema: Schema): FieldError[] {
  const path = 'spec.preserveUnknownFields';
  if (hasDefaults(schema)) return [invalid(path, true, 'must be false in order to use defaults in the schema')];
  if (!hasRules(schema)) return [];
  return [invalid(path, true, 'must be false in order to use x-kubernetes-validations in the schema')];
}

function validateSubresources({ subresources }: Version, path: string): FieldError[] {
  const scale = subresources?.scale;
  if (!scale) return [];
  const place = `${path}.subresources.scale`;
  const errors: FieldError[] = [];
  const check = (
    field: 'specReplicasPath' | 'statusReplicasPath' | 'labelSelectorPath',
    roots: readonly string[],
  ): void => {
    const value = scale[field];
    if (!value) {
      if (field !== 'labelSelectorPath') errors.push(required(`${place}.${field}`));
      return;
    }
    const steps = parsePlainPath(value);
    if (!steps) errors.push(invalid(`${place}.${field}`, value, 'should be a json path without array notation'));
    else if (!roots.includes(steps[0] ?? '') || steps.length < 2) {
      const shown = roots.map((root) => `.${root}`).join(' or ');
      errors.push(invalid(`${place}.${field}`, value, `should be a json path under ${shown}`));
    }
  };
  check('specReplicasPath', ['spec']);
  check('statusReplicasPath', ['status']);
  check('labelSelectorPath', ['spec', 'status']);
  return errors;
}

function validateColumns({ additionalPrinterColumns: columns }: Version, path: string): FieldError[] {
  return (columns ?? []).flatMap((column, index) => {
    const place = `${path}.additionalPrinterColumns[${index}]`;
    const errors: FieldError[] = [];
    if (!column.name) errors.push(required(`${place}.name`));
    if (!column.type) errors.push(required(`${place}.type`, `must be one of ${columnTypes.join(',')}`));
    else if (!columnTypes.includes(column.type))
      errors.push(invalid(`${place}.type`, column.type, `must be one of ${columnTypes.join(',')}`));
    if (column.format && !columnFormats.includes(column.format)) {
      errors.push(invalid(`${place}.format`, column.format, `must be one of ${columnFormats.join(',')}`));
    }
    if (!column.jsonPath) errors.push(required(`${place}.JSONPath`));
    else if (!column.jsonPath.startsWith('.') || !parseFieldPath(column.jsonPath)) {
      const problem = column.jsonPath.startsWith('.')
        ? 'is an invalid JSON path'
        : 'must be a simple json path starting with .';
      errors.push(invalid(`${place}.JSONPath`, column.jsonPath, problem));
    }
    return errors;
  });
}

function validateSelectableFields(
  { selectableFields }: Version,
  schema: Schema | undefined,
  path: string,
): FieldError[] {
  const fields = selectableFields ?? [];
  const place = `${path}.selectableFields`;
  const errors: FieldError[] = [];
  if (fields.length > maxSelectableFields) {
    errors.push({
      type: 'FieldValueTooMany',
      path: place,
      message: `Too many: ${fields.length}: must have at most ${maxSelectableFields} items`,
    });
  }
  const seen = new Set<string>();
  fields.forEach(({ jsonPath }, index) => {
    const at = `${place}[${index}].jsonPath`;
    if (!jsonPath) {
      errors.push(required(at));
      return;
    }
    if (seen.has(jsonPath)) errors.push(duplicate(at, jsonPath));
    seen.add(jsonPath);
    const steps = parsePlainPath(jsonPath);
    if (!steps) {
      errors.push(invalid(at, jsonPath, 'is an invalid path: must be a simple path without array notation'));
      return;
    }
    if (steps[0] === 'metadata' || steps.length === 0) {
      errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'));
      return;
    }
    const field = steps.reduce<Schema | undefined>((inner, name) => inner && propertyOf(inner, name), schema);
    if (!field) errors.push(invalid(at, jsonPath, 'is an invalid path: does not refer to a valid field'));
    else if (!['string', 'boolean', 'integer'].includes(field.type ?? '')) {
      errors.push(
        invalid(
          at,
          jsonPath,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ),
      );
    }
  });
  return errors;
}

function validateConversion({ conversion, preserveUnknownFields }: CustomResourceDefinitionSpec): FieldError[] {
  if (!conversion) return [];
  const path = 'spec.conversion';
  const { strategy, webhook } = conversion;
  if (strategy !== 'None' && strategy !== 'Webhook')
    return [notSupported(`${path}.strategy`, strategy, ['None', 'Webhook'])];
  if (strategy === 'None') {
    return webhook ? [forbidden(`${path}.webhook`, `should not be set when strategy is not set to Webhook`)] : [];
  }
  if (preserveUnknownFields) {
    return [invalid(`${path}.strategy`, strategy, 'must be None if spec.preserveUnknownFields is true')];
  }
  if (!webhook?.clientConfig)
    return [required(`${path}.webhook.clientConfig`, `required when strategy is set to Webhook`)];
  const errors: FieldError[] = [];
  const { url, service } = webhook.clientConfig;
  const place = `${path}.webhook.clientConfig`;
  if ((url === undefined) === (service === undefined))
    errors.push(required(place, 'exactly one of url or service is required'));
  if (url !== undefined) append(errors, validateUrl(url, `${place}.url`));
  if (service && !service.name) errors.push(required(`${place}.service.name`, 'service name is required'));
  if (service && !service.namespace)
    errors.push(required(`${place}.service.namespace`, 'service namespace is required'));
  const versions = webhook.conversionReviewVersions ?? [];
  if (versions.length === 0) errors.push(required(`${path}.webhook.conversionReviewVersions`));
  else if (!versions.some((version) => version === 'v1' || version === 'v1beta1')) {
    const detail = 'must include at least one of v1, v1beta1';
    errors.push(invalid(`${path}.webhook.conversionReviewVersions`, versions, detail));
  }
  return errors;
}

function validateUrl(text: string, path: string): FieldError[] {
  const form = 'desired format: https://host[/path]';
  if (!URL.canParse(text)) return [required(path, `url must be a valid URL; ${form}`)];
  const { protocol, username, hash, search, host } = new URL(text);
  if (protocol !== 'https:')
    return [invalid(path, protocol.slice(0, -1), `'https' is the only allowed URL scheme; ${form}`)];
  if (host === '') return [invalid(path, host, `host must be specified; ${form}`)];
  if (username !== '') return [invalid(path, username, 'user information is not permitted in the URL')];
  if (hash !== '') return [invalid(path, hash, 'fragments are not permitted in the URL')];
  return search === '' ? [] : [invalid(path, search, 'query parameters are not permitted in the URL')];
}

const immutableMessage = 'field is immutable';

function validateDefinitionUpdate({ spec }: Definition, old: Definition): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.group !== old.spec?.group) errors.push(invalid('spec.group', spec.group, immutableMessage));
  if (spec.names?.plural !== old.spec?.names?.plural)
    errors.push(invalid('spec.names.plural', spec.names?.plural, immutableMessage));
  const isEstablished = old.status?.conditions?.some(
    ({ type, status: value }) => type === 'Established' && value === 'True',
  );
  if (isEstablished) {
    if (spec.scope !== old.spec?.scope) errors.push(invalid('spec.scope', spec.scope, immutableMessage));
    if (spec.names?.kind !== old.spec?.names?.kind)
      errors.push(invalid('spec.names.kind', spec.names?.kind, immutableMessage));
  }
  for (const stored of old.status?.storedVersions ?? []) {
    if (!(spec.versions ?? []).some(({ name }) => name === stored)) {
      const index = old.status?.storedVersions?.indexOf(stored) ?? 0;
      errors.push(
        invalid(
          `status.storedVersions[${index}]`,
          stored,
          'missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions'.replaceAll(
            'v1',
            stored,
          ),
        ),
      );
    }
  }
  return errors;
}

/** The status names the versions that may be stored: the storage version is one, and each is one of the spec. */
export function validateDefinitionStatus({ spec, status }: Definition): FieldError[] {
  const errors: FieldError[] = [];
  const versions = spec?.versions ?? [];
  const stored = status?.storedVersions ?? [];
  stored.forEach((name, index) => {
    if (!versions.some((version) => version.name === name)) {
      errors.push(invalid(`status.storedVersions[${index}]`, name, 'must appear in spec.versions'));
    }
  });
  const storage = versions.find((version) => version.storage)?.name ?? '';
  if (!stored.includes(storage)) {
    errors.push(invalid('status.storedVersions', stored, `must have the storage version ${storage}`));
  }
  return errors;
}
