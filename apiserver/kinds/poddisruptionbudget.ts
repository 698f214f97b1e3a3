import { poddisruptionbudgets } from '../../shared/api/generated/resources.js';
import type { PodDisruptionBudget } from '../../shared/api/generated/types.js';
import { validatePodDisruptionBudget, validatePodDisruptionBudgetStatus } from '../validation/poddisruptionbudget.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const podDisruptionBudgetDefinition = defineKind<PodDisruptionBudget>({
  resource: poddisruptionbudgets,
  shortNames: ['pdb'],
  subresources: ['status'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Min Available', ({ spec }) => String(spec?.minAvailable ?? 'N/A'), {
      description: 'The minimum number of pods that must be available.',
    }),
    column('Max Unavailable', ({ spec }) => String(spec?.maxUnavailable ?? 'N/A'), {
      description: 'The maximum number of pods that may be unavailable.',
    }),
    column('Allowed Disruptions', ({ status }) => status?.disruptionsAllowed ?? 0, {
      type: 'integer',
      description: 'Calculated number of pods that may be disrupted at this time.',
    }),
    ageColumn(),
  ],
  strategy: {
    defaults: (budget) => {
      budget.spec ??= {};
    },
    prepareForCreate: (budget) => {
      budget.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
    },
    prepareForUpdate: (budget, old) => {
      if (old.status) budget.status = old.status;
    },
    prepareForStatusUpdate: (budget, old) => {
      budget.spec = old.spec;
    },
    validate: validatePodDisruptionBudget,
    validateStatusUpdate: validatePodDisruptionBudgetStatus,
  },
});
