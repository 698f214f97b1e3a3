import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceRequestAllocationResult,
  DeviceSubRequest,
  NetworkDeviceData,
  ResourceClaimConsumerReference,
  ResourceClaimSpec,
  ResourceV1ResourceClaim,
} from '../../shared/api/generated/types.js';
import { validateNodeSelector } from './affinity.js';
import { validateCidr } from './address.js';
import { validateConditions } from './condition.js';
import {
  validateBindingConditions,
  validateConfiguration,
  validateDeviceClassName,
  validateDeviceToleration,
  validateDriverName,
  validateFullyQualifiedName,
  validateLabel,
  validateList,
  validateObject,
  validatePoolName,
  validateSelectors,
  validateSet,
} from './device.js';
import {
  append,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
  type FieldError,
} from './field-error.js';
import { validateImmutable } from './object-meta.js';

const MAX_REQUESTS = 32;
const MAX_CONSTRAINTS = 32;
const MAX_CONFIGS = 32;
const MAX_ALTERNATIVES = 8;
const MAX_RESULTS = 32;
const MAX_CONSUMERS = 256;
const MAX_DEVICE_CONDITIONS = 8;
const MAX_DEVICE_DATA = 10 * 1024;
const MAX_INTERFACE_NAME = 256;
const MAX_HARDWARE_ADDRESS = 128;
const MAX_IPS = 16;

export function validateResourceClaimSpec({ devices = {} }: ResourceClaimSpec, path: string): FieldError[] {
  const at = `${path}.devices`;
  const names = requestNames(devices);
  return [
    ...validateSet(devices.requests, MAX_REQUESTS, `${at}.requests`, validateRequest, ({ name }) => name),
    ...validateList(devices.constraints, MAX_CONSTRAINTS, `${at}.constraints`, (one, where) =>
      validateConstraint(one, names, where),
    ),
    ...validateList(devices.config, MAX_CONFIGS, `${at}.config`, (one, where) => [
      ...validateRequestNames(one.requests, names, `${where}.requests`),
      ...validateConfiguration(one, where),
    ]),
  ];
}

/** `request` and `request/alternative`: what constraints, configurations and results may refer to. */
function requestNames({ requests = [] }: DeviceClaim): ReadonlySet<string> {
  return new Set(
    requests.flatMap(({ name, firstAvailable = [] }) => [name, ...firstAvailable.map((one) => `${name}/${one.name}`)]),
  );
}

function validateRequest(request: DeviceRequest, path: string): FieldError[] {
  const { name, exactly, firstAvailable = [] } = request;
  const errors = validateLabel(`${path}.name`, name);
  const text = 'exactly one of `exactly` or `firstAvailable` is required';
  if (!exactly && firstAvailable.length === 0) errors.push(required(path, text));
  else if (exactly && firstAvailable.length > 0)
    errors.push(invalid(path, null, `${text}, but multiple fields are set`));
  else if (exactly) append(errors, validateExactly(exactly, `${path}.exactly`));
  else
    append(
      errors,
      validateSet(
        firstAvailable,
        MAX_ALTERNATIVES,
        `${path}.firstAvailable`,
        (one, at) => [...validateLabel(`${at}.name`, one.name), ...validateExactly(one, at)],
        (one) => one.name,
      ),
    );
  return errors;
}

function validateExactly(request: Omit<DeviceSubRequest, 'name'>, path: string): FieldError[] {
  const { allocationMode, count = 0, tolerations = [] } = request;
  const errors = validateDeviceClassName(`${path}.deviceClassName`, request.deviceClassName);
  append(errors, validateSelectors(request.selectors, `${path}.selectors`));
  if (allocationMode === 'All') {
    if (count !== 0) errors.push(invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'"));
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) errors.push(invalid(`${path}.count`, count, 'must be greater than zero'));
  } else errors.push(notSupported(`${path}.allocationMode`, allocationMode ?? '', ['All', 'ExactCount']));
  for (const [index, toleration] of tolerations.entries())
    append(errors, validateDeviceToleration(toleration, `${path}.tolerations[${index}]`));
  return errors;
}

function validateConstraint(constraint: DeviceConstraint, names: ReadonlySet<string>, path: string): FieldError[] {
  const { requests, matchAttribute, distinctAttribute } = constraint;
  const errors = validateRequestNames(requests, names, `${path}.requests`);
  if (matchAttribute !== undefined)
    append(errors, validateFullyQualifiedName(`${path}.matchAttribute`, matchAttribute));
  else if (distinctAttribute !== undefined)
    append(errors, validateFullyQualifiedName(`${path}.distinctAttribute`, distinctAttribute));
  else {
    const text = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
    errors.push(required(path, text));
  }
  return errors;
}

function validateRequestNames(
  requests: readonly string[] | undefined,
  names: ReadonlySet<string>,
  path: string,
): FieldError[] {
  return validateSet(requests, MAX_REQUESTS, path, (name, at) => validateRequestName(name, names, at), String);
}

function validateRequestName(name: string, names: ReadonlySet<string>, path: string): FieldError[] {
  const text = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
  const parts = name.split('/', 3);
  const errors = parts.length > 2 ? [] : parts.flatMap((part) => validateLabel(path, part));
  if (!names.has(name)) errors.push(invalid(path, name, text));
  return errors;
}

type Claim = ResourceV1ResourceClaim;

/** Who uses the claim, and which devices it got: settled once, until the claim is free again. */
export function validateResourceClaimStatus(claim: Claim, old: Claim): FieldError[] {
  const { status = {}, metadata } = claim;
  const { allocation, reservedFor = [], devices } = status;
  const path = 'status.reservedFor';
  const errors = validateSet(reservedFor, MAX_CONSUMERS, path, validateConsumer, ({ uid }) => uid);
  const allocated = new Set((allocation?.devices?.results ?? []).map(deviceId));
  append(
    errors,
    validateSet(
      devices,
      Infinity,
      'status.devices',
      (device, at) => validateDeviceStatus(device, allocated, at),
      deviceId,
    ),
  );
  if (reservedFor.length > 0 && !allocation)
    errors.push(forbidden(path, 'may not be specified when `allocated` is not set'));
  if (allocation && metadata.deletionTimestamp !== undefined) {
    const before = new Set((old.status?.reservedFor ?? []).map((consumer) => JSON.stringify(sorted(consumer))));
    if (reservedFor.some((consumer) => !before.has(JSON.stringify(sorted(consumer)))))
      errors.push(
        forbidden(path, 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'),
      );
  }
  const at = 'status.allocation';
  if (allocation && old.status?.allocation) append(errors, validateImmutable(allocation, old.status.allocation, at));
  else if (allocation) append(errors, validateAllocation(allocation, requestNames(claim.spec.devices ?? {}), at));
  return errors;
}

const sorted = ({ apiGroup, resource, name, uid }: ResourceClaimConsumerReference): unknown => [
  apiGroup ?? '',
  resource,
  name,
  uid,
];

interface DeviceName {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
  readonly shareID?: string;
}

/** One device, or one share of it. */
export const deviceId = ({ driver, pool, device, shareID }: DeviceName): string =>
  `${driver}/${pool}/${device}${shareID === undefined ? '' : `/${shareID}`}`;

function validateConsumer(consumer: ResourceClaimConsumerReference, path: string): FieldError[] {
  return (['resource', 'name', 'uid'] as const)
    .filter((field) => !consumer[field])
    .map((field) => required(`${path}.${field}`));
}

function validateAllocation(allocation: AllocationResult, names: ReadonlySet<string>, path: string): FieldError[] {
  const at = `${path}.devices`;
  const { results, config } = allocation.devices ?? {};
  const errors = validateList(results, MAX_RESULTS, `${at}.results`, (result, where) =>
    validateResult(result, names, where),
  );
  // One list for the claim and one for its class.
  append(
    errors,
    validateList(config, 2 * MAX_CONFIGS, `${at}.config`, (one, where) => [
      ...validateSource(one.source, `${where}.source`),
      ...validateRequestNames(one.requests, names, `${where}.requests`),
      ...validateConfiguration(one, where),
    ]),
  );
  if (allocation.nodeSelector) append(errors, validateNodeSelector(allocation.nodeSelector, `${path}.nodeSelector`));
  return errors;
}

function validateSource(source: string | undefined, path: string): FieldError[] {
  if (!source) return [required(path)];
  const sources = ['FromClaim', 'FromClass'];
  return sources.includes(source) ? [] : [notSupported(path, source, sources)];
}

function validateResult(result: DeviceRequestAllocationResult, names: ReadonlySet<string>, path: string): FieldError[] {
  const errors = validateRequestName(result.request ?? '', names, `${path}.request`);
  append(errors, validateDeviceName(result, path));
  append(errors, validateBindingConditions(result, path));
  for (const [index, toleration] of (result.tolerations ?? []).entries())
    append(errors, validateDeviceToleration(toleration, `${path}.tolerations[${index}]`));
  return errors;
}

function validateDeviceName({ driver, pool, device, shareID }: DeviceName, path: string): FieldError[] {
  const errors = validateDriverName(`${path}.driver`, driver);
  append(errors, validatePoolName(`${path}.pool`, pool));
  append(errors, validateLabel(`${path}.device`, device));
  if (shareID !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(shareID)) {
    const text =
      'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters';
    errors.push(invalid(`${path}.shareID`, shareID, text));
  }
  return errors;
}

function validateDeviceStatus(
  status: AllocatedDeviceStatus,
  allocated: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors = validateDeviceName(status, path);
  const { conditions = [], data, networkData } = status;
  if (!allocated.has(deviceId(status)))
    errors.push(invalid(path, deviceId(status), 'must be an allocated device in the claim'));
  if (conditions.length > MAX_DEVICE_CONDITIONS)
    errors.push(tooMany(`${path}.conditions`, conditions.length, MAX_DEVICE_CONDITIONS));
  append(errors, validateConditions(conditions, `${path}.conditions`));
  if (data !== undefined && data !== null) append(errors, validateObject(data, `${path}.data`, MAX_DEVICE_DATA));
  if (networkData) append(errors, validateNetworkData(networkData, `${path}.networkData`));
  return errors;
}

function validateNetworkData(data: NetworkDeviceData, path: string): FieldError[] {
  const { interfaceName = '', hardwareAddress = '', ips } = data;
  const errors: FieldError[] = [];
  if (interfaceName.length > MAX_INTERFACE_NAME) errors.push(tooLong(`${path}.interfaceName`, MAX_INTERFACE_NAME));
  if (hardwareAddress.length > MAX_HARDWARE_ADDRESS)
    errors.push(tooLong(`${path}.hardwareAddress`, MAX_HARDWARE_ADDRESS));
  append(
    errors,
    validateSet(
      ips,
      MAX_IPS,
      `${path}.ips`,
      (ip, at) =>
        validateCidr(at, ip).map(() =>
          invalid(at, ip, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'),
        ),
      String,
    ),
  );
  return errors;
}
