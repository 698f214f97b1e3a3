import type {
  CapacityRequestPolicy,
  CapacityRequestPolicyRange,
  CounterSet,
  Device,
  DeviceAttribute,
  DeviceCapacity,
  DeviceCounterConsumption,
  NodeSelector,
  ResourcePool,
  ResourceSliceSpec,
} from '../../shared/api/generated/types.js';
import { compareQuantities, isQuantity, parseQuantity } from '../../shared/api/quantity.js';
import { validateNodeSelector } from './affinity.js';
import {
  validateBindingConditions,
  validateDeviceTaint,
  validateDriverName,
  validateLabel,
  validateList,
  validatePoolName,
  validateQualifiedName,
  validateSet,
} from './device.js';
import { equal } from './equality.js';
import { append, forbidden, invalid, invalidEach, required, tooLong, tooMany, type FieldError } from './field-error.js';
import { isDns1123Subdomain } from './names.js';
import { validateImmutable } from './object-meta.js';

const MAX_DEVICES = 128;
const MAX_ADVANCED_DEVICES = 64;
const MAX_ATTRIBUTES_AND_CAPACITIES = 32;
const MAX_ATTRIBUTE_LENGTH = 64;
const MAX_TAINTS = 16;
const MAX_COUNTER_SETS = 8;
const MAX_COUNTERS = 32;
const MAX_CONSUMED_SETS = 2;
const MAX_VALID_VALUES = 10;
const UNSET_OR_TRUE = 'must be either unset or set to true';

/** What one driver offers in one pool. `old`: what it offered before, on an update. */
export function validateResourceSlice(spec: ResourceSliceSpec, old?: ResourceSliceSpec): FieldError[] {
  const errors = validateDriverName('spec.driver', spec.driver);
  append(errors, validatePool(spec.pool ?? { name: '', generation: 0, resourceSliceCount: 0 }));
  if (old) {
    append(errors, validateImmutable(spec.pool?.name, old.pool?.name, 'spec.pool.name'));
    append(errors, validateImmutable(spec.driver, old.driver, 'spec.driver'));
    append(errors, validateImmutable(spec.nodeName, old.nodeName, 'spec.nodeName'));
  }
  append(errors, validateNodes(spec));
  if (spec.sharedCounters && spec.devices)
    errors.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  const before = new Map((old?.devices ?? []).map((device) => [device.name, device]));
  append(
    errors,
    validateSet(
      spec.devices,
      (spec.devices ?? []).some(isAdvanced) ? MAX_ADVANCED_DEVICES : MAX_DEVICES,
      'spec.devices',
      (device, path) => validateDevice(device, before.get(device.name), spec.perDeviceNodeSelection === true, path),
      ({ name }) => name,
    ),
  );
  append(
    errors,
    validateSet(spec.sharedCounters, MAX_COUNTER_SETS, 'spec.sharedCounters', validateCounterSet, ({ name }) => name),
  );
  return errors;
}

/** Devices that cost the scheduler more to look at. */
function isAdvanced({ taints = [], consumesCounters = [], attributes = {} }: Device): boolean {
  return (
    taints.length > 0 ||
    consumesCounters.length > 0 ||
    Object.values(attributes).some(({ bools, ints, strings, versions }) => bools ?? ints ?? strings ?? versions)
  );
}

function validatePool({ name, generation, resourceSliceCount: count }: ResourcePool): FieldError[] {
  const errors = validatePoolName('spec.pool.name', name);
  if (!(count > 0)) errors.push(invalid('spec.pool.resourceSliceCount', count ?? 0, 'must be greater than zero'));
  if (generation < 0) errors.push(invalid('spec.pool.generation', generation, 'must be greater than or equal to zero'));
  return errors;
}

interface Placement {
  readonly nodeName?: string;
  readonly nodeSelector?: NodeSelector;
  readonly allNodes?: boolean;
}

/** The ways in which a slice or a device says on which nodes it is, with the errors of each. */
function placementOf(given: Placement, path: string, emptyText: string): { set: string[]; errors: FieldError[] } {
  const { nodeName, nodeSelector, allNodes } = given;
  const set: string[] = [];
  const errors: FieldError[] = [];
  if (nodeName === '') errors.push(invalid(`${path}.nodeName`, nodeName, emptyText));
  else if (nodeName !== undefined) {
    set.push('`nodeName`');
    append(errors, invalidEach(`${path}.nodeName`, nodeName, isDns1123Subdomain(nodeName)));
  }
  if (nodeSelector) {
    set.push('`nodeSelector`');
    append(errors, validateNodeSelector(nodeSelector, `${path}.nodeSelector`));
  }
  if (allNodes) set.push('`allNodes`');
  else if (allNodes === false) errors.push(invalid(`${path}.allNodes`, false, UNSET_OR_TRUE));
  return { set, errors };
}

function validateNodes(spec: ResourceSliceSpec): FieldError[] {
  const { set, errors } = placementOf(spec, 'spec', 'must be either unset or set to a non-empty string');
  const terms = spec.nodeSelector?.nodeSelectorTerms ?? [];
  if (spec.nodeSelector && terms.length !== 1)
    errors.push(invalid('spec.nodeSelector.nodeSelectorTerms', terms, 'must have exactly one node selector term'));
  if (spec.perDeviceNodeSelection) set.push('`perDeviceNodeSelection`');
  else if (spec.perDeviceNodeSelection === false)
    errors.push(invalid('spec.perDeviceNodeSelection', false, UNSET_OR_TRUE));
  const text = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  if (set.length === 0) errors.push(required('spec', text));
  else if (set.length > 1) errors.push(invalid('spec', `{${set.join(', ')}}`, `${text}, but multiple fields are set`));
  return errors;
}

function validateDevice(device: Device, old: Device | undefined, isPlaced: boolean, path: string): FieldError[] {
  const { attributes = {}, capacity = {}, taints = [] } = device;
  const errors = validateLabel(`${path}.name`, device.name);
  const count = Object.keys(attributes).length + Object.keys(capacity).length;
  if (count > MAX_ATTRIBUTES_AND_CAPACITIES) {
    const text = `the total number of attributes and capacities must not exceed ${MAX_ATTRIBUTES_AND_CAPACITIES}`;
    errors.push(invalid(path, count, text));
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    append(errors, validateQualifiedName(`${path}.attributes`, name));
    append(errors, validateAttribute(attribute, `${path}.attributes[${name}]`));
  }
  if (!old || !equal(old.capacity, device.capacity))
    for (const [name, amount] of Object.entries(capacity)) {
      append(errors, validateQualifiedName(`${path}.capacity`, name));
      append(errors, validateCapacity(amount, device.allowMultipleAllocations === true, `${path}.capacity[${name}]`));
    }
  if (!old || !equal(old.taints, taints))
    append(errors, validateList(taints, MAX_TAINTS, `${path}.taints`, validateDeviceTaint));
  append(
    errors,
    validateSet(
      device.consumesCounters,
      MAX_CONSUMED_SETS,
      `${path}.consumesCounters`,
      validateConsumption,
      ({ counterSet }) => counterSet,
    ),
  );
  append(errors, validateDeviceNodes(device, isPlaced, path));
  return [...errors, ...validateBindingConditions(device, path)];
}

function validateDeviceNodes(device: Device, isPlaced: boolean, path: string): FieldError[] {
  if (!isPlaced) {
    const isGiven = device.nodeName !== undefined || device.nodeSelector || device.allNodes !== undefined;
    const text =
      '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
    return isGiven ? [invalid(path, null, text)] : [];
  }
  const { set, errors } = placementOf(device, path, 'must not be empty');
  const text =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  if (set.length === 0) errors.push(required(path, text));
  else if (set.length > 1) errors.push(invalid(path, `{${set.join(', ')}}`, text));
  return errors;
}

/** Semantic versions (semver.org 2.0.0). */
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

function validateAttribute(attribute: DeviceAttribute, path: string): FieldError[] {
  const values = Object.values(attribute).filter((value) => value !== undefined && value !== null);
  const errors: FieldError[] = [];
  if (attribute.string !== undefined) append(errors, validateText(attribute.string, `${path}.string`));
  if (attribute.version !== undefined) append(errors, validateVersion(attribute.version, `${path}.version`));
  for (const field of ['bools', 'ints', 'strings', 'versions'] as const)
    if (attribute[field]?.length === 0) errors.push(invalid(`${path}.${field}`, [], 'must not be empty if specified'));
  for (const [index, text] of (attribute.strings ?? []).entries())
    append(errors, validateText(text, `${path}.strings[${index}]`));
  for (const [index, text] of (attribute.versions ?? []).entries())
    append(errors, validateVersion(text, `${path}.versions[${index}]`));
  if (values.length !== 1)
    errors.push(invalid(path, values.length === 0 ? '' : attribute, 'exactly one value must be specified'));
  return errors;
}

const validateText = (text: string, path: string): FieldError[] =>
  Buffer.byteLength(text) > MAX_ATTRIBUTE_LENGTH ? [tooLong(path, MAX_ATTRIBUTE_LENGTH)] : [];

function validateVersion(text: string, path: string): FieldError[] {
  // A text that is too long is not given to the pattern.
  const errors = validateText(text, path);
  if (errors.length === 0 && !SEMVER.test(text))
    errors.push(invalid(path, text, 'must be a string compatible with semver.org spec 2.0.0'));
  return errors;
}

function validateCapacity(
  { value, requestPolicy: policy }: DeviceCapacity,
  isShared: boolean,
  path: string,
): FieldError[] {
  if (!isQuantity(String(value))) return [invalid(`${path}.value`, value ?? '', 'must be a valid resource quantity')];
  if (!policy) return [];
  const at = `${path}.requestPolicy`;
  if (!isShared) return [forbidden(at, 'allowMultipleAllocations must be true')];
  const { validValues = [], validRange } = policy;
  if (validValues.length > 0 && validRange) {
    const text = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    return [forbidden(at, text)];
  }
  const kind = validValues.length > 0 ? 'validValues' : validRange ? 'validRange' : undefined;
  if (kind === undefined) return [];
  if (policy.default === undefined) return [required(`${at}.default`, `required when ${kind} is defined`)];
  if (![policy.default, ...validValues, ...Object.values(validRange ?? {})].every(isQuantity))
    return [invalid(at, policy, 'must have valid resource quantities')];
  return validRange
    ? validateRange(policy.default, value, validRange, `${at}.validRange`)
    : validateValues(policy.default, value, policy, `${at}.validValues`);
}

function validateValues(
  chosen: string,
  capacity: string,
  { validValues = [] }: CapacityRequestPolicy,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, value] of validValues.entries()) {
    const previous = validValues[index - 1];
    if (previous !== undefined && compareQuantities(previous, value) > 0)
      errors.push(invalid(`${path}[${index}]`, value, 'values must be sorted in ascending order'));
  }
  const check = (value: string, at: string): FieldError[] =>
    compareQuantities(value, capacity) > 0
      ? [invalid(at, value, `option is larger than capacity value: ${capacity}`)]
      : [];
  append(
    errors,
    validateSet(validValues, MAX_VALID_VALUES, path, check, (value) => String(parseQuantity(value).nanos)),
  );
  if (!validValues.some((value) => compareQuantities(value, chosen) === 0))
    errors.push(invalid(path, chosen, 'default value is not valid according to the requestPolicy'));
  return errors;
}

function validateRange(
  chosen: string,
  capacity: string,
  { min, max, step }: CapacityRequestPolicyRange,
  path: string,
): FieldError[] {
  if (min === undefined) return [required(`${path}.min`, 'required when validRange is defined')];
  const errors: FieldError[] = [];
  const check = (low: string, high: string, field: string, shown: string, text: string): void => {
    if (compareQuantities(low, high) > 0) errors.push(invalid(`${path}.${field}`, shown, text));
  };
  check(min, capacity, 'min', min, `min is larger than capacity value: ${capacity}`);
  check(min, chosen, 'default', chosen, `default is less than min: ${min}`);
  if (max !== undefined) {
    check(min, max, 'max', min, `min is larger than max: ${max}`);
    check(max, capacity, 'max', max, `max is larger than capacity value: ${capacity}`);
    check(chosen, max, 'default', chosen, `default is more than max: ${max}`);
  }
  if (step === undefined) return errors;
  const each = parseQuantity(step).nanos;
  if (each <= 0n) return [...errors, invalid(`${path}.step`, step, 'must be greater than zero')];
  const first = parseQuantity(min).nanos;
  if (first + each > parseQuantity(capacity).nanos)
    errors.push(invalid(`${path}.step`, step, `one step ${step} is larger than capacity value: ${capacity}`));
  for (const value of max === undefined ? [chosen] : [chosen, max])
    if ((parseQuantity(value).nanos - first) % each !== 0n) {
      const text = `value is not a multiple of a given step (${step}) from (${min})`;
      errors.push(invalid(`${path}.step`, value, text));
    }
  return errors;
}

function validateConsumption({ counterSet, counters }: DeviceCounterConsumption, path: string): FieldError[] {
  return validateCounters(counterSet, counters, `${path}.counterSet`, path);
}

function validateCounterSet({ name, counters }: CounterSet, path: string): FieldError[] {
  return validateCounters(name, counters, `${path}.name`, path);
}

function validateCounters(
  name: string,
  counters: CounterSet['counters'] | undefined,
  nameAt: string,
  path: string,
): FieldError[] {
  const errors = name ? validateLabel(nameAt, name) : [required(nameAt)];
  const names = Object.keys(counters ?? {});
  const at = `${path}.counters`;
  if (names.length === 0) errors.push(required(at));
  else if (names.length > MAX_COUNTERS) errors.push(tooMany(at, names.length, MAX_COUNTERS));
  else for (const counter of names) append(errors, validateLabel(at, counter));
  return errors;
}
