import { csistoragecapacities } from '../../shared/api/generated/resources.js';
import type { CSIStorageCapacity } from '../../shared/api/generated/types.js';
import { validateStorageCapacity, validateStorageCapacityUpdate } from '../validation/storage.js';
import { column, nameColumn } from './column.js';
import { canonical } from './container-defaults.js';
import { defineKind } from './kind.js';

export const csiStorageCapacityDefinition = defineKind<CSIStorageCapacity>({
  resource: csistoragecapacities,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn(),
    column('StorageClassName', ({ storageClassName }) => storageClassName, {
      description: 'storageClassName represents the name of the StorageClass that the reported capacity applies to.',
    }),
    column('Capacity', ({ capacity }) => capacity ?? '<unset>', {
      description:
        'capacity is the value reported by the CSI driver in its GetCapacityResponse for a GetCapacityRequest.',
    }),
  ],
  strategy: {
    defaults: (given) => {
      if (given.capacity !== undefined) given.capacity = canonical(given.capacity);
      if (given.maximumVolumeSize !== undefined) given.maximumVolumeSize = canonical(given.maximumVolumeSize);
    },
    validate: validateStorageCapacity,
    validateUpdate: validateStorageCapacityUpdate,
  },
});
