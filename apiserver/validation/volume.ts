import type { DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection } from '../../shared/api/generated/types.js';
import { compareQuantities, isQuantity } from '../../shared/api/quantity.js';
import { validateFieldRef, validateResourceFieldRef } from './env.js';
import { append, duplicate, forbidden, invalid, invalidEach, required, type FieldError } from './field-error.js';
import { validateInlineSource } from './inline-volume.js';
import { validateLocalNonReservedPath } from './local-path.js';
import { isConfigMapKey, isDns1123Label } from './names.js';
import { repeats } from './repeats.js';

const FILE_MODE = 'must be a number between 0 and 0777 (octal), both inclusive';
const DOWNWARD_FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
/** Names that are good, once each, and one source a volume. */
export function validateVolumes(volumes: readonly Volume[], path: string, isPod: boolean): FieldError[] {
  const repeated = repeats(volumes.map(({ name }) => name));
  return volumes.flatMap((volume, index) => {
    const at = `${path}[${index}]`;
    const errors = validateSource(volume, at, isPod);
    if (!volume.name) errors.push(required(`${at}.name`));
    else append(errors, invalidEach(`${at}.name`, volume.name, isDns1123Label(volume.name)));
    if (repeated.has(index)) errors.push(duplicate(`${at}.name`, volume.name));
    return errors;
  });
}

function validateSource(volume: Volume, path: string, isPod: boolean): FieldError[] {
  const sources = (Object.keys(volume) as (keyof Volume)[]).filter((key) => key !== 'name' && volume[key]);
  const [first, ...more] = sources;
  if (first === undefined) return [required(path, 'must specify a volume type')];
  return [
    ...validateOneSource(volume, path, isPod),
    ...more.map((name) => forbidden(`${path}.${name}`, 'may not specify more than 1 volume type')),
  ];
}

function validateOneSource(volume: Volume, path: string, isPod: boolean): FieldError[] {
  const { emptyDir, configMap, secret, downwardAPI, projected, persistentVolumeClaim } = volume;
  if (emptyDir?.sizeLimit !== undefined) {
    const limit = emptyDir.sizeLimit;
    if (!isQuantity(limit) || compareQuantities(limit, '0') < 0)
      return [forbidden(`${path}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity')];
  }
  if (configMap) return validateNamedFiles(configMap.name, 'name', configMap, `${path}.configMap`);
  if (secret) return validateNamedFiles(secret.secretName, 'secretName', secret, `${path}.secret`);
  if (downwardAPI)
    return [
      ...validateMode(downwardAPI.defaultMode, `${path}.downwardAPI.defaultMode`),
      ...(downwardAPI.items ?? []).flatMap((item) => validateDownwardFile(item, `${path}.downwardAPI`)),
    ];
  if (projected)
    return [
      ...validateMode(projected.defaultMode, `${path}.projected.defaultMode`),
      ...validateProjections(projected.sources ?? [], `${path}.projected`),
    ];
  if (persistentVolumeClaim && !persistentVolumeClaim.claimName)
    return [required(`${path}.persistentVolumeClaim.claimName`)];
  return validateInlineSource(volume, path, isPod);
}

function validateMode(mode: number | undefined, path: string): FieldError[] {
  return mode !== undefined && (mode < 0 || mode > 0o777) ? [invalid(path, mode, FILE_MODE)] : [];
}

interface NamedFiles {
  readonly defaultMode?: number;
  readonly items?: readonly KeyToPath[];
}

function validateNamedFiles(name: string | undefined, field: string, source: NamedFiles, path: string): FieldError[] {
  return [
    ...(name ? [] : [required(`${path}.${field}`)]),
    ...validateMode(source.defaultMode, `${path}.defaultMode`),
    ...(source.items ?? []).flatMap((item, index) => validateKeyToPath(item, `${path}.items[${index}]`)),
  ];
}

function validateKeyToPath({ key, path: file, mode }: KeyToPath, path: string): FieldError[] {
  return [
    ...(key ? invalidEach(`${path}.key`, key, isConfigMapKey(key)) : [required(`${path}.key`)]),
    ...(file ? validateLocalNonReservedPath(`${path}.path`, file) : [required(`${path}.path`)]),
    ...validateMode(mode, `${path}.mode`),
  ];
}

function validateDownwardFile(file: DownwardAPIVolumeFile, path: string): FieldError[] {
  const { fieldRef, resourceFieldRef, mode } = file;
  const errors = file.path ? validateLocalNonReservedPath(`${path}.path`, file.path) : [required(`${path}.path`)];
  if (fieldRef) {
    append(errors, validateFieldRef(fieldRef, DOWNWARD_FIELDS, `${path}.fieldRef`));
    if (resourceFieldRef)
      errors.push(invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
  } else if (resourceFieldRef)
    append(errors, validateResourceFieldRef(resourceFieldRef, `${path}.resourceFieldRef`, true));
  else errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'));
  return [...errors, ...validateMode(mode, `${path}.mode`)];
}

function validateProjections(sources: readonly VolumeProjection[], path: string): FieldError[] {
  const files = new Set<string>();
  return sources.flatMap((source, index) => {
    const at = `${path}.sources[${index}]`;
    const errors = validateProjection(source, at, path);
    for (const file of projectedFiles(source)) {
      if (files.has(file)) errors.push(invalid(path, file, 'conflicting duplicate paths'));
      files.add(file);
    }
    if (Object.values(source).filter(Boolean).length > 1)
      errors.push(forbidden(at, 'may not specify more than 1 volume type per source'));
    return errors;
  });
}

function projectedFiles({ configMap, secret, downwardAPI, clusterTrustBundle }: VolumeProjection): string[] {
  const files: string[] = [];
  for (const source of [configMap, secret, downwardAPI]) for (const { path } of source?.items ?? []) files.push(path);
  if (clusterTrustBundle) files.push(clusterTrustBundle.path);
  return files;
}

function validateProjection(source: VolumeProjection, at: string, path: string): FieldError[] {
  const { configMap, secret, downwardAPI, serviceAccountToken: token } = source;
  const errors: FieldError[] = [];
  if (configMap) append(errors, validateNamedFiles(configMap.name, 'name', configMap, `${at}.configMap`));
  if (secret) append(errors, validateNamedFiles(secret.name, 'name', secret, `${at}.secret`));
  for (const item of downwardAPI?.items ?? []) append(errors, validateDownwardFile(item, `${at}.downwardAPI`));
  if (!token) return errors;
  const seconds = token.expirationSeconds ?? 3600;
  const seconds32 = `${at}.serviceAccountToken.expirationSeconds`;
  if (seconds < 600) errors.push(invalid(seconds32, seconds, 'may not specify a duration less than 10 minutes'));
  if (seconds > 2 ** 32)
    errors.push(invalid(seconds32, seconds, 'may not specify a duration larger than 2^32 seconds'));
  if (!token.path) errors.push(required(`${path}.path`));
  else append(errors, validateLocalNonReservedPath(`${path}.path`, token.path));
  return errors;
}
