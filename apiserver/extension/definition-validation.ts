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
import { validateClientConfig } from '../validation/webhook.js';
import { hasDefaults } from './defaulting.js';
import { parsePlainPath } from './json-path.js';
import { compileInSteps, finish } from './rules.js';
import { hasRules, propertyOf, type Schema } from './schema.js';
import { validateSchema } from './structural.js';

type Definition = CustomResourceDefinition;
type Version = CustomResourceDefinitionVersion;

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
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
  const { metadata } = object;
  // What a client left out is checked as if it were empty.
  const spec = object.spec ?? ({} as CustomResourceDefinitionSpec);
  const errors: FieldError[] = [];
  const expected = `${spec.names?.plural ?? ''}.${spec.group}`;
  if (metadata.name && metadata.name !== expected) {
    errors.push(invalid('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group`));
  }
  append(errors, validateGroup(spec.group));
  append(errors, validateApproval(metadata, spec));
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
  if (old) append(errors, validateDefinitionUpdate({ ...object, spec }, old));
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
function validateApproval(metadata: Definition['metadata'], spec: CustomResourceDefinitionSpec): FieldError[] {
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
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (!names[field]) errors.push(required(`${path}.${field}`));
  }
  const check = (field: string, value: string | undefined, detail = ''): void => {
    const problems = isDns1035Label(value?.toLowerCase() === value || detail === '' ? value : value?.toLowerCase());
    if (value && problems.length > 0) errors.push(invalid(`${path}.${field}`, value, detail + problems.join(',')));
  };
  const mixed = 'may have mixed case, but should otherwise match: ';
  check('plural', names.plural);
  check('singular', names.singular);
  check('kind', names.kind, mixed);
  check('listKind', names.listKind, mixed);
  if (names.kind && names.kind === names.listKind) {
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
  const places = new Places(versions);
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    const problems = isDns1035Label(version.name);
    if (problems.length > 0) errors.push(invalid(`${path}.name`, version.name, problems.join(',')));
    seen.add(version.name);
    const before = old?.spec?.versions?.find(({ name }) => name === version.name);
    append(errors, yield* validateVersion(version, index, places, { before, isOlder, isLoose }));
  }
  const names = versions.map(({ name }) => name);
  if (seen.size < versions.length) errors.push(invalid('spec.versions', names, 'must contain unique version names'));
  const storage = versions.filter(({ storage: isStorage }) => isStorage);
  if (storage.length !== 1) {
    errors.push(invalid('spec.versions', names, 'must have exactly one version marked as storage version'));
  }
  if (storage.length === 0) {
    errors.push(invalid('status.storedVersions', null, 'must have at least one stored version'));
  }
  return errors;
}

type Part = 'schema' | 'subresources' | 'additionalPrinterColumns' | 'selectableFields';

/** Where messages find a part of a version: what all versions have alike, the original knows as one of the whole spec. */
class Places {
  readonly #versions: readonly Version[];
  constructor(versions: readonly Version[]) {
    this.#versions = versions;
  }

  #isShared(part: Part): boolean {
    const [first, ...others] = this.#versions;
    const given = (version: Version | undefined): unknown => {
      const value = version?.[part];
      return Array.isArray(value) && value.length === 0 ? null : (value ?? null);
    };
    return others.every((other) => equalJson(given(first), given(other)));
  }

  /** Undefined where the part was looked at with the first version. */
  of(part: Part, index: number): string | undefined {
    if (!this.#isShared(part)) return `spec.versions[${index}].${part}`;
    if (index > 0) return undefined;
    return part === 'schema' ? 'spec.validation' : `spec.${part}`;
  }
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
  index: number,
  places: Places,
  { before, isOlder, isLoose }: VersionRules,
): Generator<void, FieldError[]> {
  const errors: FieldError[] = [];
  const schema = schemaOf(version);
  const path = `spec.versions[${index}]`;
  const schemaPlace = places.of('schema', index);
  const place = `${schemaPlace}.openAPIV3Schema`;
  append(errors, validateDeprecation(version, `${path}.deprecationWarning`));
  if (!schema) {
    if (!isOlder && (!before || schemaOf(before))) errors.push(required(`${path}.schema.openAPIV3Schema`));
  } else if (schemaPlace !== undefined && (!before || !equalJson(schema, schemaOf(before)))) {
    yield;
    const faults = [...validateSchema(schema, place, isLoose), ...(isLoose ? validateLoose(schema) : [])];
    append(errors, faults);
    yield;
    if (faults.length === 0) yield* compileInSteps(schema, place, errors);
    yield;
  }
  append(errors, validateSubresources(version, places.of('subresources', index)));
  append(errors, validateColumns(version, places.of('additionalPrinterColumns', index)));
  append(errors, validateSelectableFields(version, schema, places.of('selectableFields', index)));
  return errors;
}

function validateDeprecation({ deprecated, deprecationWarning: text }: Version, path: string): FieldError[] {
  if (text === undefined) return [];
  if (!deprecated) return [invalid(path, text, 'can only be set for deprecated versions')];
  const problems: string[] = [];
  if (Buffer.byteLength(text) > 256) problems.push('must be <= 256 characters long');
  if (text === '') problems.push('must not be an empty string');
  const odd = text.search(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u);
  if (odd >= 0) {
    const position = Buffer.byteLength(text.slice(0, odd));
    problems.push(`must only contain printable UTF-8 characters; non-printable character found at index ${position}`);
  }
  return problems.map((problem) => invalid(path, text, problem));
}

/** Where unknown fields are kept, nobody knows what a default or a rule would be about. */
function validateLoose(schema: Schema): FieldError[] {
  const path = 'spec.preserveUnknownFields';
  if (hasDefaults(schema)) return [invalid(path, true, 'must be false in order to use defaults in the schema')];
  if (!hasRules(schema)) return [];
  return [invalid(path, true, 'must be false in order to use x-kubernetes-validations in the schema')];
}

function validateSubresources({ subresources }: Version, path: string | undefined): FieldError[] {
  const scale = subresources?.scale;
  if (!scale || path === undefined) return [];
  const place = `${path}.scale`;
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
    if (!isSimplePath(value)) errors.push(invalid(`${place}.${field}`, value, notSimple));
    else if (!roots.some((root) => value.startsWith(`.${root}.`))) {
      const shown = (roots.length > 1 ? 'either ' : '') + roots.map((root) => `.${root}`).join(' or ');
      errors.push(invalid(`${place}.${field}`, value, `should be a json path under ${shown}`));
    }
  };
  check('specReplicasPath', ['spec']);
  check('statusReplicasPath', ['status']);
  check('labelSelectorPath', ['spec', 'status']);
  return errors;
}

/** What the original takes for a path; whether it leads anywhere is seen when it is used. */
const isSimplePath = (text: string): boolean => text.startsWith('.');
const notSimple = 'must be a simple json path starting with .';

function validateColumns({ additionalPrinterColumns: columns }: Version, path: string | undefined): FieldError[] {
  if (path === undefined) return [];
  return (columns ?? []).flatMap((column, index) => {
    const place = `${path}[${index}]`;
    const errors: FieldError[] = [];
    if (!column.name) errors.push(required(`${place}.name`));
    if (!column.type) errors.push(required(`${place}.type`, `must be one of ${columnTypes.join(',')}`));
    else if (!columnTypes.includes(column.type))
      errors.push(invalid(`${place}.type`, column.type, `must be one of ${columnTypes.join(',')}`));
    if (column.format && !columnFormats.includes(column.format)) {
      errors.push(invalid(`${place}.format`, column.format, `must be one of ${columnFormats.join(',')}`));
    }
    if (!column.jsonPath) errors.push(required(`${place}.JSONPath`));
    else if (!isSimplePath(column.jsonPath)) errors.push(invalid(`${place}.JSONPath`, column.jsonPath, notSimple));
    return errors;
  });
}

function validateSelectableFields(
  { selectableFields }: Version,
  schema: Schema | undefined,
  place: string | undefined,
): FieldError[] {
  if (place === undefined) return [];
  const fields = selectableFields ?? [];
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
      const [first = ''] = jsonPath.split(/[.[]/, 1);
      const problem = jsonPath.startsWith('.') ? 'array notation is not allowed' : `expected [ or . but got: ${first}`;
      errors.push(invalid(at, jsonPath, `is an invalid path: ${problem}`));
      return;
    }
    const field =
      steps[0] === 'metadata'
        ? undefined
        : steps.reduce<Schema | undefined>((inner, name) => inner && propertyOf(inner, name), schema);
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
  const errors: FieldError[] = [];
  if (!strategy) errors.push(required(`${path}.strategy`));
  else if (strategy !== 'None' && strategy !== 'Webhook') {
    errors.push(notSupported(`${path}.strategy`, strategy, ['None', 'Webhook']));
  }
  if (preserveUnknownFields && strategy !== 'None') {
    errors.push(invalid(`${path}.strategy`, strategy, 'must be None if spec.preserveUnknownFields is true'));
  }
  const { clientConfig, conversionReviewVersions: versions = [] } = webhook ?? {};
  // The original names both by the places that they had in v1beta1.
  const clientPath = `${path}.webhookClientConfig`;
  const versionsPath = `${path}.conversionReviewVersions`;
  if (strategy !== 'Webhook') {
    const misplaced = 'should not be set when strategy is not set to Webhook';
    if (clientConfig) errors.push(forbidden(clientPath, misplaced));
    if (versions.length > 0) errors.push(forbidden(versionsPath, misplaced));
    return errors;
  }
  if (clientConfig) append(errors, validateClientConfig(clientConfig, clientPath));
  else errors.push(required(clientPath, 'required when strategy is set to Webhook'));
  append(errors, validateReviewVersions(versions, versionsPath));
  return errors;
}

function validateReviewVersions(versions: readonly string[], path: string): FieldError[] {
  if (versions.length === 0) return [required(path)];
  const errors = versions.flatMap((version, index) => {
    const place = `${path}[${index}]`;
    if (versions.indexOf(version) < index) return [invalid(place, version, 'duplicate version')];
    return invalidEach(place, version, isDns1035Label(version));
  });
  if (!versions.some((version) => version === 'v1' || version === 'v1beta1')) {
    errors.push(invalid(path, versions, 'must include at least one of v1, v1beta1'));
  }
  return errors;
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
