import { priorityclasses } from '../../shared/api/generated/resources.js';
import type { PriorityClass } from '../../shared/api/generated/types.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const priorityClassDefinition = defineKind<PriorityClass>({
  resource: priorityclasses,
  shortNames: ['pc'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Value', ({ value }) => value ?? 0, {
      type: 'integer',
      description: 'value represents the integer value of this priority class.',
    }),
    column('Global-Default', ({ globalDefault }) => globalDefault ?? false, {
      type: 'boolean',
      description:
        'globalDefault specifies whether this PriorityClass should be considered as the default priority for pods that do not have any priority class.',
    }),
    ageColumn(),
    column('PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy ?? '', {
      description: 'preemptionPolicy is the Policy for preempting pods with lower priority.',
    }),
  ],
  strategy: {
    defaults: (priorityClass) => {
      priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
      priorityClass.value ??= 0;
    },
  },
});
