import { storageclasses } from '../../shared/api/generated/resources.js';
import type { StorageClass } from '../../shared/api/generated/types.js';
import {
  ANNOTATION_DEFAULT_STORAGE_CLASS,
  ANNOTATION_DEFAULT_STORAGE_CLASS_BETA,
} from '../../shared/api/well-known.js';
import { validateStorageClass, validateStorageClassUpdate } from '../validation/storage.js';
import { ageColumn, column, defaultableNameColumn } from './column.js';
import { defineKind } from './kind.js';
import { deprecatedLabelWarnings } from './pod-warnings.js';

export const storageClassDefinition = defineKind<StorageClass>({
  resource: storageclasses,
  shortNames: ['sc'],
  columns: [
    defaultableNameColumn(ANNOTATION_DEFAULT_STORAGE_CLASS, ANNOTATION_DEFAULT_STORAGE_CLASS_BETA),
    column('Provisioner', ({ provisioner }) => provisioner, {
      description: 'provisioner indicates the type of the provisioner.',
    }),
    column('ReclaimPolicy', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete', {
      description: 'reclaimPolicy controls the reclaimPolicy for dynamically provisioned PersistentVolumes.',
    }),
    column('VolumeBindingMode', ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate', {
      description: 'volumeBindingMode indicates how PersistentVolumeClaims should be provisioned and bound.',
    }),
    column('AllowVolumeExpansion', ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false, {
      description: 'allowVolumeExpansion shows whether the storage class allow volume expand.',
    }),
    ageColumn(),
  ],
  strategy: {
    defaults: (storageClass) => {
      storageClass.reclaimPolicy ??= 'Delete';
      storageClass.volumeBindingMode ??= 'Immediate';
    },
    validate: validateStorageClass,
    validateUpdate: validateStorageClassUpdate,
    warnings: ({ allowedTopologies = [] }) =>
      allowedTopologies.flatMap(({ matchLabelExpressions = [] }, index) =>
        matchLabelExpressions.flatMap(({ key }, at) =>
          deprecatedLabelWarnings(key, `allowedTopologies[${index}].matchLabelExpressions[${at}].key`),
        ),
      ),
  },
});
