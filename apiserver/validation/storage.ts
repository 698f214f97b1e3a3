import type {
  CSIDriver,
  CSIDriverSpec,
  CSINode,
  CSINodeDriver,
  CSIStorageCapacity,
  StorageClass,
  StorageV1TokenRequest,
  TopologySelectorTerm,
  VolumeAttachment,
  VolumeAttachmentStatus,
  VolumeAttributesClass,
  VolumeError,
} from '../../shared/api/generated/types.js';
import { compareQuantities, isQuantity } from '../../shared/api/quantity.js';
import { equal } from './equality.js';
import {
  append,
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notNegative,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from './field-error.js';
import { validateLabelName, validateLabelSelector } from './label-selector.js';
import { isDns1123Subdomain, isLabelValue, isQualifiedName, rangeMessage } from './names.js';
import { NOT_NEGATIVE, validateImmutable } from './object-meta.js';
import { validateInlineVolume } from './persistent-volume.js';
import { repeats } from './repeats.js';
import { validateCsiDriverName } from './volume-source.js';

const MAX_PARAMETERS = 512;
const MAX_PARAMETERS_BYTES = 256 * 1024;
const MAX_ATTACHMENT_BYTES = 256 * 1024;
const MAX_ERROR_BYTES = 1024;
const MAX_NODE_ID = 256;
const MAX_INT32 = 0x7fffffff;

export function validateStorageClass(given: StorageClass): FieldError[] {
  const errors = validateProvisioner(given.provisioner, 'provisioner');
  append(errors, validateParameters(given.parameters ?? {}, 'parameters'));
  const { reclaimPolicy, volumeBindingMode } = given;
  if (reclaimPolicy && reclaimPolicy !== 'Delete' && reclaimPolicy !== 'Retain')
    errors.push(notSupported('reclaimPolicy', reclaimPolicy, ['Delete', 'Retain']));
  const modes = ['Immediate', 'WaitForFirstConsumer'];
  if (volumeBindingMode === undefined) errors.push(required('volumeBindingMode'));
  else if (!modes.includes(volumeBindingMode)) errors.push(notSupported('volumeBindingMode', volumeBindingMode, modes));
  return [...errors, ...validateTopologies(given.allowedTopologies ?? [], 'allowedTopologies')];
}

/** What volumes were made with is not changed behind them. */
export function validateStorageClassUpdate(given: StorageClass, old: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['parameters', 'provisioner', 'reclaimPolicy'] as const)
    if (!equal(given[field], old[field])) errors.push(forbidden(field, `updates to ${field} are forbidden.`));
  return [...errors, ...validateImmutable(given.volumeBindingMode, old.volumeBindingMode, 'volumeBindingMode')];
}

function validateProvisioner(name: string, path: string): FieldError[] {
  return name ? invalidEach(path, name.toLowerCase(), isQualifiedName(name.toLowerCase())) : [required(path)];
}

function validateParameters(parameters: Readonly<Record<string, string>>, path: string): FieldError[] {
  const entries = Object.entries(parameters);
  if (entries.length > MAX_PARAMETERS) return [tooLong(path, MAX_PARAMETERS)];
  const errors = '' in parameters ? [invalid(path, '', 'field can not be empty.')] : [];
  if (sizeOf(entries) > MAX_PARAMETERS_BYTES) errors.push(tooLong(path, MAX_PARAMETERS_BYTES));
  return errors;
}

const sizeOf = (entries: readonly (readonly [string, string])[]): number =>
  entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);

function validateTopologies(terms: readonly TopologySelectorTerm[], path: string): FieldError[] {
  const errors = terms.flatMap((term, index) => validateTopology(term, `${path}[${index}]`));
  for (const index of repeats(terms.map(canonicalTopology)))
    errors.push(duplicate(`${path}[${index}].matchLabelExpressions`, ''));
  return errors;
}

const canonicalTopology = ({ matchLabelExpressions = [] }: TopologySelectorTerm): string =>
  JSON.stringify(
    matchLabelExpressions.map(({ key, values }) => JSON.stringify([key, (values ?? []).toSorted()])).toSorted(),
  );

function validateTopology({ matchLabelExpressions = [] }: TopologySelectorTerm, path: string): FieldError[] {
  const repeated = repeats(matchLabelExpressions.map(({ key }) => key));
  return matchLabelExpressions.flatMap(({ key, values: given }, index) => {
    const values = given ?? [];
    const at = `${path}.matchLabelExpressions[${index}]`;
    const errors = values.length === 0 ? [required(`${at}.values`)] : [];
    const seen = repeats(values);
    for (const [number, value] of values.entries()) {
      if (seen.has(number)) errors.push(duplicate(`${at}.values[${number}]`, value));
      append(errors, invalidEach(`${at}.values[${number}]`, value, isLabelValue(value)));
    }
    append(errors, validateLabelName(key ?? '', `${at}.key`));
    if (repeated.has(index)) errors.push(duplicate(`${at}.key`, key));
    return errors;
  });
}

export function validateVolumeAttributesClass({ driverName, parameters = {} }: VolumeAttributesClass): FieldError[] {
  const errors = [...validateProvisioner(driverName, 'driverName'), ...validateParameters(parameters, 'parameters')];
  if (Object.keys(parameters).length === 0)
    errors.push(required('parameters', 'must contain at least one key/value pair'));
  return errors;
}

export function validateVolumeAttributesClassUpdate(
  given: VolumeAttributesClass,
  old: VolumeAttributesClass,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['driverName', 'parameters'] as const)
    if (!equal(given[field], old[field])) errors.push(forbidden(field, `updates to ${field} are forbidden.`));
  return [...errors, ...validateVolumeAttributesClass(given)];
}

/** An attachment that is new; an old one may have been made under laxer rules. */
export function validateNewAttachment(attachment: VolumeAttachment): FieldError[] {
  const { attacher, source } = attachment.spec;
  const errors = [...validateAttachment(attachment), ...validateCsiDriverName('spec.attacher', attacher)];
  const volume = source?.persistentVolumeName;
  if (volume !== undefined)
    append(errors, invalidEach('spec.source.persistentVolumeName', volume, isDns1123Subdomain(volume)));
  return errors;
}

function validateAttachment({ spec, status }: VolumeAttachment): FieldError[] {
  const errors = spec.attacher ? [] : [required('spec.attacher')];
  const { inlineVolumeSpec: inline, persistentVolumeName: volume } = spec.source ?? {};
  const path = 'spec.source';
  const text = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (!inline && volume === undefined) errors.push(required(path, text));
  else if (inline && volume !== undefined) errors.push(forbidden(path, text));
  else if (volume === '')
    errors.push(required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName'));
  else if (inline) append(errors, validateInlineVolume(inline, `${path}.inlineVolumeSpec`));
  append(errors, invalidEach('spec.nodeName', spec.nodeName, isDns1123Subdomain(spec.nodeName)));
  return [...errors, ...validateAttachmentStatus(status)];
}

export function validateAttachmentUpdate(attachment: VolumeAttachment, old: VolumeAttachment): FieldError[] {
  return [...validateAttachment(attachment), ...validateImmutable(attachment.spec, old.spec, 'spec')];
}

function validateAttachmentStatus(status: VolumeAttachmentStatus | undefined): FieldError[] {
  const errors: FieldError[] = [];
  if (sizeOf(Object.entries(status?.attachmentMetadata ?? {})) > MAX_ATTACHMENT_BYTES)
    errors.push(tooLong('status.attachmentMetadata', MAX_ATTACHMENT_BYTES));
  append(errors, validateVolumeError(status?.attachError, 'status.attachError'));
  return [...errors, ...validateVolumeError(status?.detachError, 'status.detachError')];
}

function validateVolumeError(error: VolumeError | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  // The original names the wrong limit.
  if (Buffer.byteLength(error?.message ?? '') > MAX_ERROR_BYTES)
    errors.push(tooLong(`${path}.message`, MAX_ATTACHMENT_BYTES));
  const code = error?.errorCode;
  if (code !== undefined && code < 0) errors.push(invalid(`${path}.errorCode`, code, rangeMessage(0, MAX_INT32)));
  return errors;
}

export function validateCsiNode({ spec }: CSINode): FieldError[] {
  const drivers = spec.drivers ?? [];
  const repeated = repeats(drivers.map(({ name }) => name));
  return drivers.flatMap((driver, index) => {
    const path = `spec.drivers[${index}]`;
    const errors = validateNodeDriver(driver, path);
    if (repeated.has(index)) errors.push(duplicate(`${path}.name`, driver.name));
    const { topologyKeys = [] } = driver;
    const repeatedKeys = repeats(topologyKeys);
    for (const [at, key] of topologyKeys.entries()) {
      if (!key) errors.push(required(path));
      if (repeatedKeys.has(at)) errors.push(duplicate(path, key));
      append(errors, validateLabelName(key, path));
    }
    return errors;
  });
}

function validateNodeDriver({ name, nodeID: given, allocatable }: CSINodeDriver, path: string): FieldError[] {
  const nodeID = given ?? '';
  const errors = validateCsiDriverName(`${path}.name`, name);
  if (!nodeID) errors.push(required(`${path}.nodeID`));
  if (nodeID.length > MAX_NODE_ID)
    errors.push(invalid(`${path}.nodeID`, nodeID, `must be ${MAX_NODE_ID} characters or less`));
  return [...errors, ...notNegative(`${path}.allocatable.count`, allocatable?.count)];
}

/** A driver's entry stays, but for how many volumes the node takes. */
export function validateCsiNodeUpdate(node: CSINode, old: CSINode): FieldError[] {
  const errors = validateCsiNode(node);
  const before = new Map((old.spec.drivers ?? []).map((driver) => [driver.name, driver]));
  for (const driver of node.spec.drivers ?? []) {
    const previous = before.get(driver.name);
    if (previous)
      append(errors, validateImmutable({ ...driver, allocatable: previous.allocatable }, previous, 'spec.drivers'));
  }
  return errors;
}

const GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType'];
const LIFECYCLES = ['Persistent', 'Ephemeral'];

export function validateCsiDriver({ spec }: CSIDriver): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.attachRequired === undefined) errors.push(required('spec.attachedRequired'));
  if (spec.podInfoOnMount === undefined) errors.push(required('spec.podInfoOnMount'));
  if (spec.storageCapacity === undefined) errors.push(required('spec.storageCapacity'));
  if (spec.fsGroupPolicy !== undefined && !GROUP_POLICIES.includes(spec.fsGroupPolicy))
    errors.push(notSupported('spec.fsGroupPolicy', spec.fsGroupPolicy, GROUP_POLICIES));
  append(errors, validateTokenRequests(spec));
  for (const mode of spec.volumeLifecycleModes ?? [])
    if (!LIFECYCLES.includes(mode)) errors.push(notSupported('spec.volumeLifecycleModes', mode, LIFECYCLES));
  if (spec.seLinuxMount === undefined) errors.push(required('spec.seLinuxMount'));
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < 10) {
    const text = 'must be greater than or equal to 10 seconds';
    errors.push(invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, text));
  }
  return errors;
}

export function validateCsiDriverUpdate(driver: CSIDriver, old: CSIDriver): FieldError[] {
  const { attachRequired, volumeLifecycleModes } = driver.spec;
  return [
    ...validateCsiDriver(driver),
    ...validateImmutable(attachRequired, old.spec.attachRequired, 'spec.attachedRequired'),
    ...validateImmutable(volumeLifecycleModes, old.spec.volumeLifecycleModes, 'spec.volumeLifecycleModes'),
  ];
}

function validateTokenRequests({ tokenRequests = [], serviceAccountTokenInSecrets }: CSIDriverSpec): FieldError[] {
  const path = 'spec.tokenRequests';
  const repeated = repeats(tokenRequests.map(({ audience }) => audience));
  const errors = tokenRequests.flatMap((request, index) => {
    const at = `${path}[${index}]`;
    return repeated.has(index) ? [duplicate(`${at}.audience`, request.audience)] : validateExpiration(request, at);
  });
  if (serviceAccountTokenInSecrets !== undefined && tokenRequests.length === 0) {
    const text = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified';
    errors.push(invalid('spec.serviceAccountTokenInSecrets', serviceAccountTokenInSecrets, text));
  }
  return errors;
}

function validateExpiration({ expirationSeconds: seconds }: StorageV1TokenRequest, path: string): FieldError[] {
  const at = `${path}.expirationSeconds`;
  if (seconds === undefined) return [];
  if (seconds < 600) return [invalid(at, seconds, 'may not specify a duration less than 10 minutes')];
  return seconds > 2 ** 32 ? [invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds')] : [];
}

export function validateStorageCapacity(given: CSIStorageCapacity): FieldError[] {
  const { nodeTopology, storageClassName, capacity, maximumVolumeSize } = given;
  const errors = validateLabelSelector(nodeTopology, 'nodeTopology');
  append(errors, invalidEach('storageClassName', storageClassName, isDns1123Subdomain(storageClassName)));
  for (const [field, amount] of Object.entries({ capacity, maximumVolumeSize })) {
    if (amount === undefined) continue;
    if (!isQuantity(String(amount))) errors.push(invalid(field, amount, 'must be a valid resource quantity'));
    else if (field === 'capacity' && compareQuantities(String(amount), '0') < 0)
      errors.push(invalid(field, amount, NOT_NEGATIVE));
  }
  return errors;
}

/** What the capacity is of stays. */
export function validateStorageCapacityUpdate(given: CSIStorageCapacity, old: CSIStorageCapacity): FieldError[] {
  return [
    ...validateImmutable(given.nodeTopology, old.nodeTopology, 'nodeTopology'),
    ...validateImmutable(given.storageClassName, old.storageClassName, 'storageClassName'),
  ];
}
