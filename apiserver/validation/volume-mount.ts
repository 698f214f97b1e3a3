import type {
  Container,
  EphemeralContainer,
  Volume,
  VolumeDevice,
  VolumeMount,
} from '../../shared/api/generated/types.js';
import { append, forbidden, invalid, notFound, notSupported, required, type FieldError } from './field-error.js';
import { validateLocalPath, validateNoBacksteps } from './local-path.js';
import { repeats } from './repeats.js';

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];
const RECURSIVE_READ_ONLY = ['Disabled', 'Enabled', 'IfPossible'];

/** Names and paths that the mounts and devices of one container take. */
interface Taken {
  readonly mountNames: ReadonlySet<string>;
  readonly mountPaths: ReadonlySet<string>;
  readonly deviceNames: ReadonlySet<string>;
  readonly devicePaths: ReadonlySet<string>;
}

const NOTHING: ReadonlySet<string> = new Set();
/** They matter to each other only where there are both. */
const NOT_SHARED: Taken = { mountNames: NOTHING, mountPaths: NOTHING, deviceNames: NOTHING, devicePaths: NOTHING };

/** Mounts and block devices of a container against the volumes of its pod. */
export function validateMounts(
  container: Container | EphemeralContainer,
  volumes: ReadonlyMap<string, Volume>,
  path: string,
): FieldError[] {
  const mounts = container.volumeMounts ?? [];
  const devices = container.volumeDevices ?? [];
  const taken = devices.length === 0 ? NOT_SHARED : takenBy(mounts, devices);
  const isPrivileged = container.securityContext?.privileged === true;
  return [
    ...validateAllMounts(mounts, volumes, taken, isPrivileged, `${path}.volumeMounts`),
    ...validateDevices(devices, volumes, taken, `${path}.volumeDevices`),
  ];
}

const takenBy = (mounts: readonly VolumeMount[], devices: readonly VolumeDevice[]): Taken => ({
  mountNames: new Set(mounts.map(({ name }) => name)),
  mountPaths: new Set(mounts.map(({ mountPath }) => mountPath)),
  deviceNames: new Set(devices.map(({ name }) => name)),
  devicePaths: new Set(devices.map(({ devicePath }) => devicePath)),
});

function validateAllMounts(
  mounts: readonly VolumeMount[],
  volumes: ReadonlyMap<string, Volume>,
  taken: Taken,
  isPrivileged: boolean,
  path: string,
): FieldError[] {
  const repeated = repeats(mounts.map(({ mountPath }) => mountPath));
  return mounts.flatMap((mount, index) => {
    const at = `${path}[${index}]`;
    const errors = validateMount(mount, volumes.get(mount.name), at);
    if (repeated.has(index)) errors.push(invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    if (taken.deviceNames.has(mount.name))
      errors.push(invalid(`${at}.name`, mount.name, 'must not already exist in volumeDevices'));
    if (taken.devicePaths.has(mount.mountPath))
      errors.push(invalid(`${at}.mountPath`, mount.mountPath, 'must not already exist as a path in volumeDevices'));
    return [...errors, ...validatePropagation(mount, isPrivileged, path)];
  });
}

function validateMount(mount: VolumeMount, volume: Volume | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!mount.name) errors.push(required(`${path}.name`));
  if (!volume) errors.push(notFound(`${path}.name`, mount.name));
  if (!mount.mountPath) errors.push(required(`${path}.mountPath`));
  // The original reports these two without the index.
  const list = path.slice(0, path.lastIndexOf('['));
  for (const field of ['subPath', 'subPathExpr'] as const) {
    const value = mount[field];
    if (!value) continue;
    if (volume?.image) errors.push(invalid(`${path}.${field}`, value, 'not allowed in image volume sources'));
    if (field === 'subPathExpr' && mount.subPath)
      errors.push(invalid(`${path}.${field}`, value, 'subPathExpr and subPath are mutually exclusive'));
    append(errors, validateLocalPath(`${list}.${field}`, value));
  }
  return errors;
}

function validatePropagation(mount: VolumeMount, isPrivileged: boolean, path: string): FieldError[] {
  const { mountPropagation: mode, recursiveReadOnly: recursive, readOnly } = mount;
  const errors: FieldError[] = [];
  if (mode !== undefined && !PROPAGATIONS.includes(mode))
    errors.push(notSupported(`${path}.mountPropagation`, mode, PROPAGATIONS));
  if (mode === 'Bidirectional' && !isPrivileged) {
    const text = 'Bidirectional mount propagation is available only to privileged containers';
    errors.push(forbidden(`${path}.mountPropagation`, text));
  }
  const at = `${path}.recursiveReadOnly`;
  if (recursive === undefined || recursive === 'Disabled') return errors;
  if (!RECURSIVE_READ_ONLY.includes(recursive)) return [...errors, notSupported(at, recursive, RECURSIVE_READ_ONLY)];
  if (!readOnly) errors.push(forbidden(at, 'may only be specified when readOnly is true'));
  if (mode !== undefined && mode !== 'None')
    errors.push(forbidden(at, 'may only be specified when mountPropagation is None or not specified'));
  return errors;
}

function validateDevices(
  devices: readonly VolumeDevice[],
  volumes: ReadonlyMap<string, Volume>,
  taken: Taken,
  path: string,
): FieldError[] {
  const repeatedNames = repeats(devices.map(({ name }) => name));
  const repeatedPaths = repeats(devices.map(({ devicePath }) => devicePath));
  return devices.flatMap((device, index) => {
    const { name, devicePath } = device;
    const at = `${path}[${index}]`;
    const errors = validateDevice(device, volumes.get(name), at);
    if (repeatedNames.has(index)) errors.push(invalid(`${at}.name`, name, 'must be unique'));
    if (repeatedPaths.has(index)) errors.push(invalid(`${at}.devicePath`, devicePath, 'must be unique'));
    if (taken.mountNames.has(name)) errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeMounts'));
    if (taken.mountPaths.has(devicePath))
      errors.push(invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
    return errors;
  });
}

function validateDevice({ name, devicePath }: VolumeDevice, volume: Volume | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!name) errors.push(required(`${path}.name`));
  if (!volume) errors.push(notFound(`${path}.name`, name));
  else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
    const text = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
    errors.push(invalid(`${path}.name`, name, text));
  }
  if (!devicePath) errors.push(required(`${path}.devicePath`));
  else if (validateNoBacksteps(path, devicePath).length > 0)
    errors.push(invalid(`${path}.devicePath`, devicePath, "can not contain backsteps ('..')"));
  return errors;
}
