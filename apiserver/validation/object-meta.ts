import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../../shared/api/generated/types.js';
import { equal } from './equality.js';
import { append, forbidden, invalid, required, tooLong, type FieldError } from './field-error.js';
import { isDns1123Label, isLabelValue, isQualifiedName, maskTrailingDash } from './names.js';

const ANNOTATIONS_MAX_BYTES = 256 * 1024;
export const IMMUTABLE = 'field is immutable';
export const NOT_NEGATIVE = 'must be greater than or equal to 0';

export interface ObjectMetaRules {
  readonly namespaced: boolean;
  readonly validateName: (name: string) => string[];
}

/** Metadata of a new object; the name has been generated already. */
export function validateObjectMeta(meta: ObjectMeta, rules: ObjectMetaRules, path = 'metadata'): FieldError[] {
  const errors: FieldError[] = [];
  if (meta.generateName) {
    const problems = rules.validateName(maskTrailingDash(meta.generateName));
    append(
      errors,
      problems.map((problem) => invalid(`${path}.generateName`, meta.generateName, problem)),
    );
  }
  if (!meta.name) errors.push(required(`${path}.name`, 'name or generateName is required'));
  else
    append(
      errors,
      rules.validateName(meta.name).map((problem) => invalid(`${path}.name`, meta.name, problem)),
    );
  append(errors, validateScope(meta, rules, path));
  if ((meta.generation ?? 0) < 0) errors.push(invalid(`${path}.generation`, meta.generation, NOT_NEGATIVE));
  append(errors, validateLabels(meta.labels, `${path}.labels`));
  append(errors, validateAnnotations(meta.annotations, `${path}.annotations`));
  append(errors, validateOwnerReferences(meta.ownerReferences ?? [], `${path}.ownerReferences`));
  append(errors, validateFinalizers(meta.finalizers ?? [], `${path}.finalizers`));
  append(errors, validateManagedFields(meta.managedFields ?? [], `${path}.managedFields`));
  return errors;
}

function validateScope(meta: ObjectMeta, rules: ObjectMetaRules, path: string): FieldError[] {
  if (!rules.namespaced) return meta.namespace ? [forbidden(`${path}.namespace`, 'not allowed on this type')] : [];
  if (!meta.namespace) return [required(`${path}.namespace`)];
  return isDns1123Label(meta.namespace).map((problem) => invalid(`${path}.namespace`, meta.namespace, problem));
}

/** What an update may not do to metadata. */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, path = 'metadata'): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp) {
    const known = new Set(old.finalizers);
    const extra = (meta.finalizers ?? []).filter((name) => !known.has(name)).sort();
    if (extra.length > 0) {
      const found = `[]string{${[...new Set(extra)].map((name) => JSON.stringify(name)).join(', ')}}`;
      const text = `no new finalizers can be added if the object is being deleted, found new finalizers ${found}`;
      errors.push(forbidden(`${path}.finalizers`, text));
    }
  }
  if (!meta.resourceVersion)
    errors.push(invalid(`${path}.resourceVersion`, meta.resourceVersion ?? '', 'must be specified for an update'));
  if ((meta.generation ?? 0) < (old.generation ?? 0))
    errors.push(invalid(`${path}.generation`, meta.generation ?? 0, 'must not be decremented'));
  const fixed = ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'];
  for (const field of fixed as (keyof ObjectMeta)[])
    append(errors, validateImmutable(meta[field], old[field], `${path}.${field}`));
  append(errors, validateLabels(meta.labels, `${path}.labels`));
  append(errors, validateAnnotations(meta.annotations, `${path}.annotations`));
  append(errors, validateOwnerReferences(meta.ownerReferences ?? [], `${path}.ownerReferences`));
  append(errors, validateFinalizers(meta.finalizers ?? [], `${path}.finalizers`));
  append(errors, validateManagedFields(meta.managedFields ?? [], `${path}.managedFields`));
  return errors;
}

export function validateImmutable(value: unknown, old: unknown, path: string): FieldError[] {
  return equal(value, old) ? [] : [invalid(path, value ?? null, IMMUTABLE)];
}

export function validateLabels(labels: Record<string, string> | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    append(
      errors,
      isQualifiedName(key).map((problem) => invalid(path, key, problem)),
    );
    append(
      errors,
      isLabelValue(value).map((problem) => invalid(path, value, problem)),
    );
  }
  return errors;
}

export function validateAnnotations(annotations: Record<string, string> | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let sizeBytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    // Case does not matter in the prefix of an annotation's key.
    append(
      errors,
      isQualifiedName(key.toLowerCase()).map((problem) => invalid(path, key, problem)),
    );
    sizeBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (sizeBytes > ANNOTATIONS_MAX_BYTES) errors.push(tooLong(path, ANNOTATIONS_MAX_BYTES));
  return errors;
}

function validateOwnerReferences(references: readonly OwnerReference[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  let controller = '';
  for (const reference of references) {
    append(errors, validateOwnerReference(reference, path));
    if (reference.controller !== true) continue;
    const current = `${reference.kind}/${reference.name}`;
    if (controller !== '') {
      const text = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`;
      errors.push(invalid(path, references, text));
    } else controller = current;
  }
  return errors;
}

function validateOwnerReference(reference: OwnerReference, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const slashes = (reference.apiVersion ?? '').split('/');
  if (slashes.length > 2 || !slashes.at(-1))
    errors.push(invalid(`${path}.apiVersion`, reference.apiVersion ?? '', 'version must not be empty'));
  for (const field of ['kind', 'name', 'uid'] as const)
    if (!reference[field]) errors.push(invalid(`${path}.${field}`, reference[field] ?? '', 'must not be empty'));
  if (reference.apiVersion === 'v1' && reference.kind === 'Event')
    errors.push(invalid(path, reference, '/v1, Kind=Event is disallowed from being an owner'));
  return errors;
}

export function validateFinalizers(finalizers: readonly string[], path: string): FieldError[] {
  const errors = finalizers.flatMap((name) => isQualifiedName(name).map((problem) => invalid(path, name, problem)));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    errors.push(invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  return errors;
}

function validateManagedFields(entries: readonly ManagedFieldsEntry[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, entry] of entries.entries()) {
    const at = `${path}[${index}]`;
    if (entry.operation !== 'Apply' && entry.operation !== 'Update')
      errors.push(invalid(`${at}.operation`, entry.operation ?? '', 'must be `Apply` or `Update`'));
    if ((entry.fieldsType ?? '') !== '' && entry.fieldsType !== 'FieldsV1')
      errors.push(invalid(`${at}.fieldsType`, entry.fieldsType, 'must be `FieldsV1`'));
    append(errors, validateFieldManager(entry.manager ?? '', `${at}.manager`));
    if ((entry.subresource ?? '').length > 256) errors.push(tooLong(`${at}.subresource`, 256));
  }
  return errors;
}

/** The name of a field manager: at most 128 printable characters. */
function validateFieldManager(manager: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (manager.length > 128) errors.push(tooLong(path, 128));
  if (/[\p{C}]/u.test(manager)) errors.push(invalid(path, manager, 'should only contain printable characters'));
  return errors;
}

/** Metadata of a template of claims: the claims get its labels and annotations, and nothing else. */
export function validateTemplateMetadata(metadata: Partial<ObjectMeta>, path: string): FieldError[] {
  const { labels, annotations, ...others } = metadata;
  const set = Object.entries(others).filter(([, value]) => Boolean(value));
  return [
    ...validateAnnotations(annotations, `${path}.annotations`),
    ...validateLabels(labels, `${path}.labels`),
    ...set.map(([field]) => forbidden(`${path}.${field}`, 'cannot be set')),
  ];
}
