import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimStatus,
  TypedObjectReference,
} from '../../shared/api/generated/types.js';
import { compareQuantities, isQuantity } from '../../shared/api/quantity.js';
import { ANNOTATION_STORAGE_CLASS } from '../../shared/api/well-known.js';
import { equal } from './equality.js';
import { append, forbidden, invalid, invalidEach, notSupported, required, type FieldError } from './field-error.js';
import { validateLabelSelector } from './label-selector.js';
import { isDns1123Label, isDns1123Subdomain, isQualifiedName } from './names.js';
import { IMMUTABLE, validateImmutable } from './object-meta.js';
import { validateAccessModes, validateStorageAmount, VOLUME_MODES } from './persistent-volume.js';
import { isNativeResource } from './resource-name.js';

export function validatePersistentVolumeClaim({ spec }: PersistentVolumeClaim): FieldError[] {
  return validateClaimSpec(spec, 'spec');
}

/** The spec of a claim, or of a template of claims. */
export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const { accessModes = [], resources, storageClassName, volumeMode, volumeAttributesClassName } = spec;
  const errors = accessModes.length > 0 ? [] : [required(`${path}.accessModes`, 'at least 1 access mode is required')];
  append(errors, validateLabelSelector(spec.selector, `${path}.selector`));
  append(errors, validateAccessModes(accessModes, `${path}.accessModes`));
  const storage = resources?.requests?.['storage'];
  const at = `${path}.resources[storage]`;
  append(errors, storage === undefined ? [required(at)] : validateStorageAmount(String(storage), at));
  if (storageClassName)
    append(errors, invalidEach(`${path}.storageClassName`, storageClassName, isDns1123Subdomain(storageClassName)));
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode))
    errors.push(notSupported(`${path}.volumeMode`, volumeMode, VOLUME_MODES));
  append(errors, validateSources(spec, path));
  if (volumeAttributesClassName) {
    const problems = isDns1123Subdomain(volumeAttributesClassName);
    append(errors, invalidEach(`${path}.volumeAttributesClassName`, volumeAttributesClassName, problems));
  }
  return errors;
}

function validateSources({ dataSource, dataSourceRef }: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (dataSource) append(errors, validateReference(dataSource, `${path}.dataSource`));
  if (dataSourceRef) {
    append(errors, validateReference(dataSourceRef, `${path}.dataSourceRef`));
    const { namespace } = dataSourceRef;
    if (namespace) append(errors, invalidEach(`${path}.dataSourceRef.namespace`, namespace, isDns1123Label(namespace)));
  }
  if (!dataSource || !dataSourceRef) return errors;
  const { namespace, ...reference } = dataSourceRef;
  if (namespace)
    errors.push(invalid(path, `${path}.dataSource`, 'may not be specified when dataSourceRef.namespace is specified'));
  else if (!equal(dataSource, reference)) errors.push(invalid(path, `${path}.dataSource`, 'must match dataSourceRef'));
  return errors;
}

function validateReference({ apiGroup = '', kind, name }: TypedObjectReference, path: string): FieldError[] {
  const errors = name ? [] : [required(`${path}.name`)];
  if (!kind) errors.push(required(`${path}.kind`));
  if (apiGroup !== '') append(errors, invalidEach(`${path}.apiGroup`, apiGroup, isDns1123Subdomain(apiGroup)));
  else if (kind !== 'PersistentVolumeClaim')
    errors.push(invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  return errors;
}

const AMOUNT = 'spec.resources.requests.storage';
const ATTRIBUTES = 'spec.volumeAttributesClassName';

/** A claim stays as it is, but that it is bound once, then grows, and takes on other attributes. */
export function validateClaimUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors = validatePersistentVolumeClaim(claim);
  append(errors, validateSpecUpdate(claim, old));
  const size = storageOf(claim.spec.resources?.requests);
  const capacity = storageOf(old.status?.capacity);
  const isSmaller = compareQuantities(size, storageOf(old.spec.resources?.requests)) < 0;
  if (isSmaller && compareQuantities(size, capacity) <= 0)
    errors.push(forbidden(AMOUNT, 'field can not be less than status.capacity'));
  append(errors, validateImmutable(claim.spec.volumeMode, old.spec.volumeMode, 'volumeMode'));
  const attributes = claim.spec.volumeAttributesClassName;
  if (old.spec.volumeAttributesClassName === undefined) return errors;
  if (attributes === undefined) errors.push(forbidden(ATTRIBUTES, 'update from non-nil value to nil is forbidden'));
  else if (attributes === '' && old.spec.volumeAttributesClassName !== '')
    errors.push(forbidden(ATTRIBUTES, 'update from non-nil value to an empty string is forbidden'));
  return errors;
}

function storageOf(list: Readonly<Record<string, string>> | undefined): string {
  const amount = String(list?.['storage'] ?? '0');
  return isQuantity(amount) ? amount : '0';
}

function validateSpecUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  const spec = structuredClone(claim.spec);
  const before = structuredClone(old.spec);
  if (!before.volumeName) delete before.volumeName;
  if (!before.volumeName && spec.volumeName) delete spec.volumeName;
  const given = claim.metadata.annotations?.[ANNOTATION_STORAGE_CLASS];
  const annotation = old.metadata.annotations?.[ANNOTATION_STORAGE_CLASS];
  const isFirstClass = spec.storageClassName !== undefined && before.storageClassName === undefined;
  const isAnnotated = annotation !== undefined && spec.storageClassName === annotation;
  if (isFirstClass && isAnnotated && (given === undefined || given === annotation)) delete spec.storageClassName;
  else {
    if ((given ?? '') !== (annotation ?? ''))
      errors.push(invalid(`metadata.annotations.${ANNOTATION_STORAGE_CLASS}`, given ?? '', IMMUTABLE));
    if (isFirstClass && (annotation === undefined || isAnnotated)) delete spec.storageClassName;
  }
  if (claim.status?.phase === 'Bound') {
    const requests = spec.resources?.requests;
    const storage = before.resources?.requests?.['storage'];
    if (requests && storage !== undefined) requests['storage'] = storage;
    if (spec.volumeAttributesClassName !== undefined) {
      if (before.volumeAttributesClassName === undefined) delete spec.volumeAttributesClassName;
      else spec.volumeAttributesClassName = before.volumeAttributesClassName;
    }
  }
  // No class is not the same as the class without a name: that one is never provisioned.
  const hasOtherClass = (spec.storageClassName === undefined) !== (before.storageClassName === undefined);
  if (!equal(spec, before) || (hasOtherClass && !isFirstClass)) {
    const text =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(forbidden('spec', text));
  }
  return errors;
}

const RESIZE_STATES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
].sort();

export function validateClaimStatus({ spec, status = {} }: PersistentVolumeClaim): FieldError[] {
  const errors = (spec.accessModes ?? []).length > 0 ? [] : [required('Spec.accessModes')];
  for (const [name, amount] of Object.entries(status.capacity ?? {}))
    append(errors, validateCapacity(String(amount), `status.capacity[${name}]`));
  return [...errors, ...validateResize(status)];
}

function validateCapacity(amount: string, path: string): FieldError[] {
  const isGood = isQuantity(amount) && compareQuantities(amount, '0') >= 0;
  return isGood ? [] : [invalid(path, amount, 'must be a valid resource quantity')];
}

function validateResize(status: PersistentVolumeClaimStatus): FieldError[] {
  const errors: FieldError[] = [];
  const states = 'status.allocatedResourceStatus';
  for (const [name, state] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    append(errors, validateResizeName(name, states));
    if (!RESIZE_STATES.includes(state)) errors.push(notSupported(states, name, RESIZE_STATES));
  }
  const amounts = 'status.allocatedResources';
  for (const [name, amount] of Object.entries(status.allocatedResources ?? {})) {
    const problems = validateResizeName(name, amounts);
    append(errors, problems.length > 0 ? problems : validateCapacity(String(amount), `${amounts}[${name}]`));
  }
  return errors;
}

function validateResizeName(name: string, path: string): FieldError[] {
  const problems = isQualifiedName(name);
  if (problems.length > 0) return invalidEach(path, name, problems);
  return isNativeResource(name) && name !== 'storage' ? [notSupported(path, name, ['storage'])] : [];
}
