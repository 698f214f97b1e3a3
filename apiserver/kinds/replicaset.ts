import { replicasets } from '../../shared/api/generated/resources.js';
import type { ReplicaSet } from '../../shared/api/generated/types.js';
import { formatSelector, selectorOf } from '../../shared/api/selector.js';
import { validateReplicaCounts, validateReplicaSet, validateSelectorUpdate } from '../validation/workload.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';
import { setPodTemplateDefaults } from './pod-defaults.js';
import { workloadWarnings } from './pod-warnings.js';
import { workloadColumns } from './workload-columns.js';

export const replicaSetDefinition = defineKind<ReplicaSet>({
  resource: replicasets,
  shortNames: ['rs'],
  categories: ['all'],
  subresources: ['status', 'scale'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Desired', ({ spec }) => spec?.replicas ?? 1, {
      type: 'integer',
      description: 'The number of desired pods.',
    }),
    column('Current', ({ status }) => status?.replicas ?? 0, {
      type: 'integer',
      description: 'The most recently observed number of non-terminating pods.',
    }),
    column('Ready', ({ status }) => status?.readyReplicas ?? 0, {
      type: 'integer',
      description: 'The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition.',
    }),
    ageColumn(),
    ...workloadColumns<ReplicaSet>(),
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  scale: {
    getSpecReplicas: (replicaSet) => replicaSet.spec?.replicas ?? 1,
    setSpecReplicas: (replicaSet, replicas) => {
      if (replicaSet.spec) replicaSet.spec.replicas = replicas;
    },
    getStatusReplicas: (replicaSet) => replicaSet.status?.replicas ?? 0,
    getSelector: (replicaSet) => formatSelector(selectorOf(replicaSet.spec?.selector)),
  },
  strategy: {
    defaults: (replicaSet) => {
      const spec = (replicaSet.spec ??= {} as NonNullable<ReplicaSet['spec']>);
      spec.template ??= { spec: { containers: [] } };
      setPodTemplateDefaults(spec.template);
      spec.replicas ??= 1;
    },
    prepareForCreate: (replicaSet) => {
      replicaSet.status = { replicas: 0 };
    },
    prepareForUpdate: (replicaSet, old) => {
      replicaSet.status = old.status;
    },
    prepareForStatusUpdate: (replicaSet, old) => {
      replicaSet.spec = old.spec;
    },
    validate: validateReplicaSet,
    validateUpdate: (replicaSet, old) => [
      ...validateReplicaSet(replicaSet),
      ...validateSelectorUpdate(replicaSet, old),
    ],
    validateStatusUpdate: ({ status }) => validateReplicaCounts(status),
    warnings: workloadWarnings,
  },
});
