import { volumeattributesclasses } from '../../shared/api/generated/resources.js';
import type { VolumeAttributesClass } from '../../shared/api/generated/types.js';
import { validateVolumeAttributesClass, validateVolumeAttributesClassUpdate } from '../validation/storage.js';
import { ageColumn, column, defaultableNameColumn } from './column.js';
import { defineKind } from './kind.js';

export const volumeAttributesClassDefinition = defineKind<VolumeAttributesClass>({
  resource: volumeattributesclasses,
  shortNames: ['vac'],
  columns: [
    defaultableNameColumn('volumeattributesclass.alpha.kubernetes.io/is-default-class'),
    column('DriverName', ({ driverName }) => driverName, { description: 'Name of the CSI driver' }),
    ageColumn(),
  ],
  strategy: { validate: validateVolumeAttributesClass, validateUpdate: validateVolumeAttributesClassUpdate },
});
