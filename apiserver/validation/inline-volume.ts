import type {
  CSIVolumeSource,
  EphemeralVolumeSource,
  ISCSIVolumeSource,
  LocalObjectReference,
  StorageOSVolumeSource,
  Volume,
} from '../../shared/api/generated/types.js';
import { append, invalid, invalidEach, oneOf, required, type FieldError } from './field-error.js';
import { validateLocalPath } from './local-path.js';
import { isDns1123Subdomain } from './names.js';
import { validateTemplateMetadata } from './object-meta.js';
import { validateClaimSpec } from './persistent-volume-claim.js';
import {
  isIscsiName,
  validateByte,
  validateCsiDriverName,
  validatePersistentSource,
  validateStorageOsNames,
  type PersistentSource,
} from './volume-source.js';

/** Sources that a pod states as a PersistentVolume does. */
const SHARED = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'glusterfs',
  'hostPath',
  'nfs',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'vsphereVolume',
] as const satisfies readonly (PersistentSource & keyof Volume)[];

/** Volumes that a pod states itself, those of files aside. The secrets they name are in the pod's namespace. */
export function validateInlineSource(volume: Volume, path: string, isPod: boolean): FieldError[] {
  const { cinder, csi, ephemeral, gitRepo, image, iscsi, storageos } = volume;
  const shared = SHARED.find((name) => volume[name]);
  if (shared) return validatePersistentSource(volume, shared, path, '');
  if (cinder)
    return [
      ...(cinder.volumeID ? [] : [required(`${path}.cinder.volumeID`)]),
      ...validateSecret(cinder.secretRef, `${path}.cinder`),
    ];
  if (csi) return validateCsi(csi, `${path}.csi`);
  if (ephemeral) return validateEphemeral(ephemeral, `${path}.ephemeral`);
  if (gitRepo)
    return [
      ...(gitRepo.repository ? [] : [required(`${path}.gitRepo.repository`)]),
      ...validateLocalPath(`${path}.gitRepo.directory`, gitRepo.directory ?? ''),
    ];
  if (image)
    return [
      ...(isPod && !image.reference ? [required(`${path}.image.reference`)] : []),
      ...oneOf(`${path}.image.pullPolicy`, image.pullPolicy, ['Always', 'IfNotPresent', 'Never']),
    ];
  if (iscsi) return validateIscsi(iscsi, `${path}.iscsi`);
  return storageos ? validateStorageOs(storageos, `${path}.storageos`) : [];
}

const validateSecret = (secret: LocalObjectReference | undefined, path: string): FieldError[] =>
  secret && !secret.name ? [required(`${path}.secretRef.name`)] : [];

const validateStorageOs = (source: StorageOSVolumeSource, path: string): FieldError[] => [
  ...validateStorageOsNames(source, path),
  ...validateSecret(source.secretRef, path),
];

function validateCsi({ driver, nodePublishSecretRef: secret }: CSIVolumeSource, path: string): FieldError[] {
  const errors = validateCsiDriverName(`${path}.driver`, driver);
  if (!secret) return errors;
  const { name } = secret;
  append(
    errors,
    name
      ? invalidEach(`${path}.name`, name, isDns1123Subdomain(name))
      : [required(`${path}.nodePublishSecretRef.name`)],
  );
  return errors;
}

function validateEphemeral({ volumeClaimTemplate: template }: EphemeralVolumeSource, path: string): FieldError[] {
  const at = `${path}.volumeClaimTemplate`;
  if (!template) return [required(at)];
  return [
    ...validateTemplateMetadata(template.metadata ?? {}, `${at}.metadata`),
    ...validateClaimSpec(template.spec, `${at}.spec`),
  ];
}

function validateIscsi(source: ISCSIVolumeSource, path: string): FieldError[] {
  const { targetPortal, iqn, lun, initiatorName, chapAuthDiscovery, chapAuthSession, secretRef } = source;
  const errors = targetPortal ? [] : [required(`${path}.targetPortal`)];
  append(errors, iqn ? validateIscsiName(`${path}.iqn`, iqn) : [required(`${path}.iqn`)]);
  append(errors, validateByte(lun, `${path}.lun`));
  if ((chapAuthDiscovery || chapAuthSession) && !secretRef) errors.push(required(`${path}.secretRef`));
  if (initiatorName !== undefined) append(errors, validateIscsiName(`${path}.initiatorname`, initiatorName));
  return errors;
}

function validateIscsiName(path: string, name: string): FieldError[] {
  if (isIscsiName(name)) return [];
  const isKnown = /^(iqn|eui|naa)/.test(name);
  return [invalid(path, name, `must be valid format${isKnown ? '' : ' starting with iqn, eui, or naa'}`)];
}
