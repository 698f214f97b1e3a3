import { posix } from 'node:path';
import type { NodeSelectorTerm, PersistentVolume, PersistentVolumeSpec } from '../../shared/api/generated/types.js';
import { isQuantity, parseQuantity } from '../../shared/api/quantity.js';
import { validateNodeSelector } from './affinity.js';
import { equal } from './equality.js';
import { append, forbidden, invalid, invalidEach, notSupported, required, type FieldError } from './field-error.js';
import { isDns1123Subdomain } from './names.js';
import { IMMUTABLE, validateImmutable } from './object-meta.js';
import { PERSISTENT_SOURCES, validatePersistentSource } from './volume-source.js';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const VOLUME_MODES: readonly string[] = ['Block', 'Filesystem'];
const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain'];

export function validatePersistentVolume({ metadata, spec }: PersistentVolume): FieldError[] {
  const { storageClassName, volumeAttributesClassName: attributes, volumeMode } = spec;
  const policy = spec.persistentVolumeReclaimPolicy;
  const errors = [...validateAccessModes(spec.accessModes ?? [], 'spec.accessModes'), ...validateCapacity(spec)];
  if ((spec.accessModes ?? []).length === 0) errors.unshift(required('spec.accessModes'));
  if (policy && !RECLAIM_POLICIES.includes(policy))
    errors.push(notSupported('spec.persistentVolumeReclaimPolicy', policy, RECLAIM_POLICIES));
  if (spec.nodeAffinity) append(errors, validateAffinity(spec));
  append(errors, validateSources(spec, metadata.name ?? '', 'spec'));
  if (spec.local && !spec.nodeAffinity)
    errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
  if (spec.hostPath && posix.normalize(spec.hostPath.path || '.') === '/' && policy === 'Recycle') {
    const text = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(forbidden('spec.persistentVolumeReclaimPolicy', text));
  }
  if (storageClassName)
    append(errors, invalidEach('spec.storageClassName', storageClassName, isDns1123Subdomain(storageClassName)));
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode))
    errors.push(notSupported('spec.volumeMode', volumeMode, VOLUME_MODES));
  if (attributes !== undefined) append(errors, validateAttributesClass(attributes, spec));
  return errors;
}

/** The part of a volume that a VolumeAttachment carries itself: a CSI source and little else. */
export function validateInlineVolume(spec: PersistentVolumeSpec, path: string): FieldError[] {
  const context = 'in the context of inline volumes';
  const errors: FieldError[] = [];
  const refuse = (field: keyof PersistentVolumeSpec): void => {
    errors.push(forbidden(`${path}.${field}`, `may not be specified ${context}`));
  };
  if (spec.claimRef) refuse('claimRef');
  if (Object.keys(spec.capacity ?? {}).length > 0) refuse('capacity');
  if (!spec.csi) errors.push(required(`${path}.csi`, `has to be specified ${context}`));
  if ((spec.accessModes ?? []).length === 0) errors.push(required(`${path}.accessModes`));
  append(errors, validateAccessModes(spec.accessModes ?? [], `${path}.accessModes`));
  const policy = spec.persistentVolumeReclaimPolicy;
  if (policy && policy !== 'Retain')
    errors.push(forbidden(`${path}.persistentVolumeReclaimPolicy`, `may only be Retain ${context}`));
  if (spec.nodeAffinity) refuse('nodeAffinity');
  append(errors, validateSources(spec, '', path));
  if (spec.storageClassName) refuse('storageClassName');
  if (spec.volumeMode !== undefined && spec.volumeMode !== 'Filesystem')
    errors.push(forbidden(`${path}.volumeMode`, `may not specify volumeMode other than Filesystem ${context}`));
  return errors;
}

export function validateAccessModes(modes: readonly string[], path: string): FieldError[] {
  const errors = modes
    .filter((mode) => !ACCESS_MODES.includes(mode))
    .map((mode) => notSupported(path, mode, ACCESS_MODES));
  const good = new Set(modes.filter((mode) => ACCESS_MODES.includes(mode)));
  if (good.has('ReadWriteOncePod') && good.size > 1)
    errors.push(forbidden(path, 'may not use ReadWriteOncePod with other access modes'));
  return errors;
}

function validateCapacity({ capacity = {} }: PersistentVolumeSpec): FieldError[] {
  const names = Object.keys(capacity);
  const errors = names.length === 0 ? [required('spec.capacity')] : [];
  if (names.length !== 1 || names[0] !== 'storage') errors.push(notSupported('spec.capacity', capacity, ['storage']));
  for (const [name, amount] of Object.entries(capacity))
    append(errors, validateStorageAmount(String(amount), `spec.capacity[${name}]`));
  return errors;
}

/** An amount of storage: greater than nothing. */
export function validateStorageAmount(amount: string, path: string): FieldError[] {
  if (!isQuantity(amount)) return [invalid(path, amount, 'must be a valid resource quantity')];
  return parseQuantity(amount).nanos > 0n ? [] : [invalid(path, amount, 'must be greater than zero')];
}

function validateAffinity({ nodeAffinity }: PersistentVolumeSpec): FieldError[] {
  const path = 'spec.nodeAffinity.required';
  if (!nodeAffinity?.required) return [required(path, 'must specify required node constraints')];
  return validateNodeSelector(nodeAffinity.required, path);
}

function validateSources(spec: PersistentVolumeSpec, volume: string, path: string): FieldError[] {
  const [first, ...more] = PERSISTENT_SOURCES.filter((name) => spec[name]);
  if (first === undefined) return [required(path, 'must specify a volume type')];
  return [
    ...validatePersistentSource(spec, first, path, volume),
    ...more.map((name) =>
      forbidden(`${path}.${name === 'cephfs' ? 'cephFS' : name}`, 'may not specify more than 1 volume type'),
    ),
  ];
}

function validateAttributesClass(name: string, { csi }: PersistentVolumeSpec): FieldError[] {
  const path = 'spec.volumeAttributesClassName';
  const errors =
    name === '' ? [required(path, 'an empty string is disallowed')] : invalidEach(path, name, isDns1123Subdomain(name));
  if (!csi) errors.push(required('spec.csi', 'has to be specified when using volumeAttributesClassName'));
  return errors;
}

/** Where the bytes are is settled when the volume is made. */
export function validatePersistentVolumeUpdate(volume: PersistentVolume, old: PersistentVolume): FieldError[] {
  const errors = validatePersistentVolume(volume);
  const { spec } = volume;
  if (!equal(sourceOf(spec, old.spec), sourceOf(old.spec, old.spec))) {
    const text = `spec.persistentvolumesource is immutable after creation`;
    errors.push(forbidden('spec.persistentvolumesource', text));
  }
  append(errors, validateImmutable(spec.volumeMode, old.spec.volumeMode, 'volumeMode'));
  if (old.spec.nodeAffinity) append(errors, validateAffinityUpdate(spec, old.spec));
  if (old.spec.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined)
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'));
  return errors;
}

/** The source without what may be added to it once: the secret for its expansion. */
function sourceOf(spec: PersistentVolumeSpec, old: PersistentVolumeSpec): unknown {
  const sources = Object.fromEntries(PERSISTENT_SOURCES.map((name) => [name, spec[name]]));
  if (spec.csi && old.csi && !old.csi.controllerExpandSecretRef)
    sources['csi'] = { ...spec.csi, controllerExpandSecretRef: undefined } as typeof spec.csi;
  return sources;
}

/** Labels of nodes that were given other names; an affinity may follow. */
const RENAMED: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
};

function validateAffinityUpdate(spec: PersistentVolumeSpec, old: PersistentVolumeSpec): FieldError[] {
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms;
  const before = old.nodeAffinity?.required?.nodeSelectorTerms;
  const isRenaming =
    terms !== undefined &&
    before !== undefined &&
    terms.length === before.length &&
    terms.every((term, index) => isSameTerm(term, before[index] ?? {}));
  return isRenaming || equal(spec.nodeAffinity, old.nodeAffinity)
    ? []
    : [invalid('nodeAffinity', spec.nodeAffinity ?? null, IMMUTABLE)];
}

function isSameTerm(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const expressions = term.matchExpressions ?? [];
  const before = old.matchExpressions ?? [];
  if (expressions.length !== before.length || !equal(term.matchFields, old.matchFields)) return false;
  return expressions.every((expression, index) => {
    const previous = before[index];
    if (!previous || equal(expression, previous)) return true;
    return RENAMED[previous.key] === expression.key && equal({ ...expression, key: previous.key }, previous);
  });
}
