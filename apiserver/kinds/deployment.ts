import { deployments } from '../../shared/api/generated/resources.js';
import type { Deployment } from '../../shared/api/generated/types.js';
import { formatSelector, selectorOf } from '../../shared/api/selector.js';
import { validateDeployment, validateReplicaCounts, validateSelectorUpdate } from '../validation/workload.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';
import { setPodTemplateDefaults } from './pod-defaults.js';
import { workloadWarnings } from './pod-warnings.js';
import { workloadColumns } from './workload-columns.js';

export const deploymentDefinition = defineKind<Deployment>({
  resource: deployments,
  shortNames: ['deploy'],
  categories: ['all'],
  subresources: ['status', 'scale'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 1}`, {
      description: 'Number of the pod with ready state',
    }),
    column('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0, {
      description:
        'Total number of non-terminated pods targeted by this deployment that have the desired template spec.',
    }),
    column('Available', ({ status }) => status?.availableReplicas ?? 0, {
      description: 'Total number of available non-terminating pods (ready for at least minReadySeconds).',
    }),
    ageColumn(),
    ...workloadColumns<Deployment>(),
  ],
  scale: {
    getSpecReplicas: (deployment) => deployment.spec?.replicas ?? 1,
    setSpecReplicas: (deployment, replicas) => {
      if (deployment.spec) deployment.spec.replicas = replicas;
    },
    getStatusReplicas: (deployment) => deployment.status?.replicas ?? 0,
    getSelector: (deployment) => formatSelector(selectorOf(deployment.spec?.selector)),
  },
  strategy: {
    defaults: setDefaults,
    prepareForCreate: (deployment) => {
      deployment.status = {};
    },
    prepareForUpdate: (deployment, old) => {
      deployment.status = old.status;
    },
    prepareForStatusUpdate: (deployment, old) => {
      deployment.spec = old.spec;
      deployment.metadata.labels = old.metadata.labels;
    },
    validate: validateDeployment,
    validateUpdate: (deployment, old) => [
      ...validateDeployment(deployment),
      ...validateSelectorUpdate(deployment, old),
    ],
    validateStatusUpdate: ({ status }) => validateReplicaCounts(status),
    warnings: workloadWarnings,
  },
});

function setDefaults(deployment: Deployment): void {
  const spec = (deployment.spec ??= {} as NonNullable<Deployment['spec']>);
  spec.template ??= { spec: { containers: [] } };
  setPodTemplateDefaults(spec.template);
  spec.replicas ??= 1;
  const strategy = (spec.strategy ??= {});
  strategy.type ||= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= '25%';
    strategy.rollingUpdate.maxSurge ??= '25%';
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
}
