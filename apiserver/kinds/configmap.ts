import { configmaps } from '../../shared/api/generated/resources.js';
import type { ConfigMap } from '../../shared/api/generated/types.js';
import { validateConfigMap, validateConfigMapUpdate } from '../validation/config-data.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const configMapDefinition = defineKind<ConfigMap>({
  resource: configmaps,
  shortNames: ['cm'],
  columns: [
    nameColumn(),
    column('Data', ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length, {
      description: 'Data contains the configuration data.',
    }),
    ageColumn(),
  ],
  strategy: { validate: validateConfigMap, validateUpdate: validateConfigMapUpdate },
});
