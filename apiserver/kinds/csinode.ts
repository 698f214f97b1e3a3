import { csinodes } from '../../shared/api/generated/resources.js';
import type { CSINode } from '../../shared/api/generated/types.js';
import { validateCsiNode, validateCsiNodeUpdate } from '../validation/storage.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const csiNodeDefinition = defineKind<CSINode>({
  resource: csinodes,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn(),
    column('Drivers', ({ spec }) => (spec.drivers ?? []).length, {
      type: 'integer',
      description: 'Drivers indicates the number of CSI drivers registered on the node',
    }),
    ageColumn(),
  ],
  strategy: {
    defaults: (node) => {
      node.spec ??= { drivers: [] };
    },
    validate: validateCsiNode,
    validateUpdate: validateCsiNodeUpdate,
  },
});
