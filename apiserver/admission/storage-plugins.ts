import { storageclasses } from '../../shared/api/generated/resources.js';
import type { PersistentVolumeClaim, StorageClass } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { compareQuantities } from '../../shared/api/quantity.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { forbidden } from '../registry/status-errors.js';
import type { AdmissionPlugin } from './admission.js';
import { isFor, newest } from './resource-match.js';

const betaClassAnnotation = 'volume.beta.kubernetes.io/storage-class';
const defaultAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

const isDefault = ({ metadata }: StorageClass): boolean =>
  defaultAnnotations.some((key) => metadata.annotations?.[key] === 'true');

/** A claim that names no class gets the default one. */
export function defaultStorageClass(objects: ObjectReader): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    mutate: (request) => {
      if (request.operation !== 'CREATE' || !isFor(request, '', 'persistentvolumeclaims')) return;
      const claim = request.object as unknown as PersistentVolumeClaim;
      if (!claim.spec || claim.spec.storageClassName !== undefined) return;
      if (claim.metadata.annotations?.[betaClassAnnotation] !== undefined) return;
      const found = newest(objects.list(storageclasses).filter(isDefault));
      if (found) claim.spec.storageClassName = found.metadata.name;
    },
  };
}

const protections: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
};

/** Claims and volumes stay until nobody uses them any more: controllers take the finalizer away. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  mutate: ({ operation, definition, subresource, object }) => {
    if (operation !== 'CREATE' || subresource !== '' || definition.resource.group !== '' || !object) return;
    const finalizer = protections[definition.resource.resource];
    if (finalizer === undefined) return;
    const { metadata } = object;
    if (!metadata.finalizers?.includes(finalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
  },
};

/** A claim may grow only where its class says so. */
export function persistentVolumeClaimResize(objects: ObjectReader): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    validate: (request) => {
      if (request.operation !== 'UPDATE' || !isFor(request, '', 'persistentvolumeclaims')) return;
      const claim = request.object as unknown as PersistentVolumeClaim & KubernetesObject;
      const old = request.oldObject as unknown as PersistentVolumeClaim;
      const wanted = claim.spec?.resources?.requests?.['storage'] ?? '0';
      if (compareQuantities(wanted, old.spec?.resources?.requests?.['storage'] ?? '0') <= 0) return;
      const names = [claim, old].map(
        ({ metadata, spec }) => metadata.annotations?.[betaClassAnnotation] ?? spec?.storageClassName ?? '',
      );
      const [name = ''] = names;
      const found = name !== '' && name === names[1] ? objects.find(storageclasses, undefined, name) : undefined;
      if (found?.allowVolumeExpansion === true) return;
      const why =
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
      throw forbidden(request.definition.resource, claim.metadata.name, why);
    },
  };
}
