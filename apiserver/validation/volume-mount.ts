import type {
  Container,
  EphemeralContainer,
  Volume,
  VolumeDevice,
  VolumeMount,
} from '../../shared/api/generated/types.js';
import { forbidden, invalid, notFound, notSupported, required, type FieldError } from './field-error.js';
import { validateLocalPath, validateNoBacksteps } from './local-path.js';

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];
const RECURSIVE_READ_ONLY = ['Disabled', 'Enabled', 'IfPossible'];

/** Mounts and block devices of a container against the volumes of its pod. */
export function validateMounts(
  container: Container | EphemeralContainer,
  volumes: ReadonlyMap<string, Volume>,
  path: string,
): FieldError[] {
  const mounts = container.volumeMounts ?? [];
  const devices = container.volumeDevices ?? [];
  return [
    ...mounts.flatMap((mount, index) => [
      ...validateMount(mount, volumes.get(mount.name), `${path}.volumeMounts[${index}]`),
      ...validateUse(mounts, devices, index, `${path}.volumeMounts[${index}]`),
      ...validatePropagation(mount, container, `${path}.volumeMounts`),
    ]),
    ...devices.flatMap((device, index) =>
      validateDevice(device, index, { devices, mounts, volumes }, `${path}.volumeDevices[${index}]`),
    ),
  ];
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
    errors.push(...validateLocalPath(`${list}.${field}`, value));
  }
  return errors;
}

function validateUse(
  mounts: readonly VolumeMount[],
  devices: readonly VolumeDevice[],
  index: number,
  path: string,
): FieldError[] {
  const mount = mounts[index];
  if (!mount) return [];
  const errors: FieldError[] = [];
  if (mounts.findIndex(({ mountPath }) => mountPath === mount.mountPath) < index)
    errors.push(invalid(`${path}.mountPath`, mount.mountPath, 'must be unique'));
  if (devices.some(({ name }) => name === mount.name))
    errors.push(invalid(`${path}.name`, mount.name, 'must not already exist in volumeDevices'));
  if (devices.some(({ devicePath }) => devicePath === mount.mountPath))
    errors.push(invalid(`${path}.mountPath`, mount.mountPath, 'must not already exist as a path in volumeDevices'));
  return errors;
}

function validatePropagation(
  mount: VolumeMount,
  container: Container | EphemeralContainer,
  path: string,
): FieldError[] {
  const { mountPropagation: mode, recursiveReadOnly: recursive, readOnly } = mount;
  const errors: FieldError[] = [];
  if (mode !== undefined && !PROPAGATIONS.includes(mode))
    errors.push(notSupported(`${path}.mountPropagation`, mode, PROPAGATIONS));
  if (mode === 'Bidirectional' && !container.securityContext?.privileged) {
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

interface DeviceContext {
  readonly devices: readonly VolumeDevice[];
  readonly mounts: readonly VolumeMount[];
  readonly volumes: ReadonlyMap<string, Volume>;
}

function validateDevice(device: VolumeDevice, index: number, context: DeviceContext, path: string): FieldError[] {
  const { name, devicePath } = device;
  const { devices, mounts, volumes } = context;
  const volume = volumes.get(name);
  const errors: FieldError[] = [];
  if (!name) errors.push(required(`${path}.name`));
  if (devices.findIndex((other) => other.name === name) < index)
    errors.push(invalid(`${path}.name`, name, 'must be unique'));
  if (!volume) errors.push(notFound(`${path}.name`, name));
  else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
    const text = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
    errors.push(invalid(`${path}.name`, name, text));
  }
  if (!devicePath) errors.push(required(`${path}.devicePath`));
  if (devices.findIndex((other) => other.devicePath === devicePath) < index)
    errors.push(invalid(`${path}.devicePath`, devicePath, 'must be unique'));
  if (devicePath && validateNoBacksteps(path, devicePath).length > 0)
    errors.push(invalid(`${path}.devicePath`, devicePath, "can not contain backsteps ('..')"));
  if (mounts.some((mount) => mount.name === name))
    errors.push(invalid(`${path}.name`, name, 'must not already exist in volumeMounts'));
  if (mounts.some((mount) => mount.mountPath === devicePath))
    errors.push(invalid(`${path}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
  return errors;
}
