import type {
  AzureDiskVolumeSource,
  CSIPersistentVolumeSource,
  FCVolumeSource,
  FlexPersistentVolumeSource,
  FlockerVolumeSource,
  GlusterfsPersistentVolumeSource,
  HostPathVolumeSource,
  ISCSIPersistentVolumeSource,
  PersistentVolumeSpec,
  QuobyteVolumeSource,
  SecretReference,
  StorageOSPersistentVolumeSource,
} from '../../shared/api/generated/types.js';
import {
  append,
  invalid,
  invalidEach,
  notSupported,
  optionalOneOf,
  required,
  tooLong,
  type FieldError,
} from './field-error.js';
import { validateNoBacksteps } from './local-path.js';
import { isDns1123Label, isDns1123Subdomain, rangeMessage } from './names.js';

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

function validateNfs({ server, path: folder }: { server: string; path: string }, path: string): FieldError[] {
  const errors = server ? [] : [required(`${path}.server`)];
  if (!folder) errors.push(required(`${path}.path`));
  else if (!folder.startsWith('/')) errors.push(invalid(`${path}.path`, folder, 'must be an absolute path'));
  return errors;
}

function validateHostPath({ path: folder, type }: HostPathVolumeSource, path: string): FieldError[] {
  if (!folder) return [required(`${path}.path`)];
  const errors = validateNoBacksteps(`${path}.path`, folder);
  if (type !== undefined && !HOST_PATH_TYPES.includes(type))
    errors.push(notSupported(`${path}.type`, type, HOST_PATH_TYPES));
  return errors;
}

/** The fields of PersistentVolumeSpec that say where the bytes are; exactly one is set. */
export const PERSISTENT_SOURCES = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const satisfies readonly (keyof PersistentVolumeSpec)[];
export type PersistentSource = (typeof PERSISTENT_SOURCES)[number];

type Check<T> = (source: T, path: string, volume: string) => FieldError[];
type Checks = { readonly [K in PersistentSource]: Check<NonNullable<PersistentVolumeSpec[K]>> };

/** One `required` for each of the fields that is empty. */
const need =
  <T extends object>(...fields: (keyof T & string)[]): Check<T> =>
  (source, path) =>
    fields.filter((field) => isEmpty(source[field])).map((field) => required(`${path}.${field}`));

const isEmpty = (value: unknown): boolean => !value || (Array.isArray(value) && value.length === 0);

const CHECKS: Checks = {
  hostPath: validateHostPath,
  gcePersistentDisk: (source, path) => [
    ...need<typeof source>('pdName')(source, path, ''),
    ...validateByte(source.partition, `${path}.partition`, 1),
  ],
  awsElasticBlockStore: (source, path) => [
    ...need<typeof source>('volumeID')(source, path, ''),
    ...validateByte(source.partition, `${path}.partition`, 1),
  ],
  glusterfs: validateGlusterfs,
  flocker: validateFlocker,
  nfs: validateNfs,
  rbd: need('monitors', 'image'),
  quobyte: validateQuobyte,
  cephfs: need('monitors'),
  iscsi: validateIscsi,
  cinder: (source, path) => [
    ...need<typeof source>('volumeID')(source, path, ''),
    ...validateReference(source.secretRef, `${path}.secretRef`),
  ],
  fc: validateFibreChannel,
  flexVolume: validateFlex,
  azureFile: (source, path) => [
    ...need<typeof source>('secretName', 'shareName')(source, path, ''),
    ...(source.secretNamespace === '' ? [required(`${path}.secretNamespace`)] : []),
  ],
  vsphereVolume: need('volumePath'),
  photonPersistentDisk: need('pdID'),
  portworxVolume: need('volumeID'),
  azureDisk: validateAzureDisk,
  scaleIO: need('gateway', 'system', 'volumeName'),
  local: (source, path) =>
    source.path ? validateNoBacksteps(`${path}.path`, source.path) : [required(`${path}.path`)],
  storageos: validateStorageOs,
  csi: validateCsi,
};

/** The original looks for a persistent disk under another name. */
const PATHS: Readonly<Partial<Record<PersistentSource, string>>> = { gcePersistentDisk: 'persistentDisk' };

/** Checks one source of a PersistentVolume, or of a volume of a pod that has the fields of one. */
export function validatePersistentSource<K extends PersistentSource>(
  spec: Pick<PersistentVolumeSpec, K>,
  name: K,
  path: string,
  volume: string,
): FieldError[] {
  const source = spec[name] as NonNullable<PersistentVolumeSpec[K]>;
  return (CHECKS[name] as Check<NonNullable<PersistentVolumeSpec[K]>>)(
    source,
    `${path}.${PATHS[name] ?? name}`,
    volume,
  );
}

/** @param low what the message calls the least; zero is fine all the same: it is what an unset number is */
export function validateByte(value: number | undefined, path: string, low = 0): FieldError[] {
  return value !== undefined && (value < 0 || value > 255) ? [invalid(path, value, rangeMessage(low, 255))] : [];
}

function validateReference(reference: SecretReference | undefined, path: string): FieldError[] {
  return reference ? need<SecretReference>('name', 'namespace')(reference, path, '') : [];
}

function validateGlusterfs(source: GlusterfsPersistentVolumeSource, path: string): FieldError[] {
  const errors = need<GlusterfsPersistentVolumeSource>('endpoints', 'path')(source, path, '');
  const { endpointsNamespace: namespace } = source;
  if (namespace === undefined) return errors;
  const problems =
    namespace === ''
      ? ['if the endpointnamespace is set, it must be a valid namespace name']
      : isDns1123Label(namespace);
  return [...errors, ...invalidEach(`${path}.endpointsNamespace`, namespace, problems)];
}

function validateFlocker({ datasetName = '', datasetUUID = '' }: FlockerVolumeSource, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!datasetName && !datasetUUID) errors.push(required(path, 'one of datasetName and datasetUUID is required'));
  if (datasetName && datasetUUID)
    errors.push(invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  if (datasetName.includes('/')) errors.push(invalid(`${path}.datasetName`, datasetName, "must not contain '/'"));
  return errors;
}

function validateQuobyte({ registry, tenant = '', volume }: QuobyteVolumeSource, path: string): FieldError[] {
  const text = 'must be a host:port pair or multiple pairs separated by commas';
  const errors: FieldError[] = [];
  if (!registry) errors.push(required(`${path}.registry`, text));
  else if (tenant.length >= 65)
    errors.push(required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  else
    for (const pair of registry.split(','))
      if (!/^(\[[^\]]*\]|[^:[\]]*):[^:]*$/.test(pair)) errors.push(invalid(`${path}.registry`, registry, text));
  if (!volume) errors.push(required(`${path}.volume`));
  return errors;
}

/** Names of initiators and targets: by domain, by IEEE number, by network address authority. */
const ISCSI_NAMES: Readonly<Record<string, RegExp>> = {
  iqn: /^iqn\.\d{4}-\d{2}\.([a-z0-9-_.]+)(:[^,;*&$|\s]+)$/i,
  eui: /^eui.[a-z0-9]{16}$/i,
  naa: /^naa.[a-z0-9]{32}$/i,
};
export const isIscsiName = (name: string): boolean => ISCSI_NAMES[name.slice(0, 3)]?.test(name) ?? false;

function validateIscsi(source: ISCSIPersistentVolumeSource, path: string, volume: string): FieldError[] {
  const { targetPortal, iqn, lun, initiatorName, secretRef } = source;
  const errors = targetPortal ? [] : [required(`${path}.targetPortal`)];
  if (initiatorName !== undefined && `${volume}:${targetPortal}`.length > 64) {
    const text =
      'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
    errors.push(invalid(`${path}.targetportal`, targetPortal, text));
  }
  if (!iqn) errors.push(required(`${path}.iqn`));
  else if (!isIscsiName(iqn)) errors.push(invalid(`${path}.iqn`, iqn, 'must be valid format'));
  append(errors, validateByte(lun, `${path}.lun`));
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !secretRef) errors.push(required(`${path}.secretRef`));
  if (secretRef && !secretRef.name) errors.push(required(`${path}.secretRef.name`));
  if (initiatorName !== undefined && !isIscsiName(initiatorName))
    errors.push(invalid(`${path}.initiatorname`, initiatorName, 'must be valid format'));
  return errors;
}

function validateFibreChannel({ targetWWNs = [], wwids = [], lun }: FCVolumeSource, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (targetWWNs.length === 0 && wwids.length === 0)
    errors.push(required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  if (targetWWNs.length === 0) return errors;
  if (wwids.length > 0) {
    const text = 'targetWWNs and wwids can not be specified simultaneously';
    errors.push(invalid(`${path}.targetWWNs`, targetWWNs, text));
  }
  if (lun === undefined) errors.push(required(`${path}.lun`, 'lun is required if targetWWNs is specified'));
  return [...errors, ...validateByte(lun, `${path}.lun`)];
}

function validateFlex({ driver, options = {} }: FlexPersistentVolumeSource, path: string): FieldError[] {
  const errors = driver ? [] : [required(`${path}.driver`)];
  for (const key of Object.keys(options)) {
    const slash = key.indexOf('/');
    const namespace = `.${(slash < 0 ? key : key.slice(0, slash)).toLowerCase()}`;
    if (namespace.endsWith('.kubernetes.io') || namespace.endsWith('.k8s.io'))
      errors.push(invalid(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'));
  }
  return errors;
}

function validateAzureDisk(source: AzureDiskVolumeSource, path: string): FieldError[] {
  const { kind } = source;
  const diskURI = source.diskURI ?? '';
  const errors = need<AzureDiskVolumeSource>('diskName', 'diskURI')(source, path, '');
  append(errors, optionalOneOf(`${path}.cachingMode`, source.cachingMode, ['None', 'ReadOnly', 'ReadWrite']));
  append(errors, optionalOneOf(`${path}.kind`, kind, ['Dedicated', 'Managed', 'Shared']));
  const managed = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
  const blob = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';
  if (kind === 'Managed' && !diskURI.startsWith('/subscriptions/'))
    errors.push(notSupported(`${path}.diskURI`, diskURI, [managed]));
  if (kind !== undefined && kind !== 'Managed' && !diskURI.startsWith('https://'))
    errors.push(notSupported(`${path}.diskURI`, diskURI, [blob]));
  return errors;
}

function validateStorageOs(source: StorageOSPersistentVolumeSource, path: string): FieldError[] {
  return [...validateStorageOsNames(source, path), ...validateReference(source.secretRef, `${path}.secretRef`)];
}

interface StorageOsNames {
  readonly volumeName?: string;
  readonly volumeNamespace?: string;
}

export function validateStorageOsNames({ volumeName, volumeNamespace }: StorageOsNames, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!volumeName) errors.push(required(`${path}.volumeName`));
  else append(errors, invalidEach(`${path}.volumeName`, volumeName, isDns1123Label(volumeName)));
  if (volumeNamespace)
    append(errors, invalidEach(`${path}.volumeNamespace`, volumeNamespace, isDns1123Label(volumeNamespace)));
  return errors;
}

export function validateCsiDriverName(path: string, name: string | undefined = ''): FieldError[] {
  const errors = name ? [] : [required(path)];
  if (name.length > 63) errors.push(tooLong(path, 63));
  return [...errors, ...invalidEach(path, name, isDns1123Subdomain(name.toLowerCase()))];
}

const CSI_SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

function validateCsi(source: CSIPersistentVolumeSource, path: string): FieldError[] {
  const errors = validateCsiDriverName(`${path}.driver`, source.driver);
  if (!source.volumeHandle) errors.push(required(`${path}.volumeHandle`));
  for (const field of CSI_SECRETS) {
    const reference = source[field];
    if (!reference) continue;
    const { name, namespace } = reference;
    const at = `${path}.${field}`;
    append(errors, name ? invalidEach(`${at}.name`, name, isDns1123Subdomain(name)) : [required(`${at}.name`)]);
    if (!namespace) errors.push(required(`${at}.namespace`));
    else append(errors, invalidEach(`${at}.namespace`, namespace, isDns1123Label(namespace)));
  }
  return errors;
}
