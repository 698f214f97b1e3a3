import { statefulsets } from '../../shared/api/generated/resources.js';
import type { StatefulSet } from '../../shared/api/generated/types.js';
import { formatSelector, selectorOf } from '../../shared/api/selector.js';
import { isDns1123Label } from '../validation/names.js';
import {
  validateStatefulSet,
  validateStatefulSetStatus,
  validateStatefulSetUpdate,
} from '../validation/statefulset.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';
import { setPodTemplateDefaults } from './pod-defaults.js';
import { workloadWarnings } from './pod-warnings.js';
import { workloadColumns } from './workload-columns.js';

export const statefulSetDefinition = defineKind<StatefulSet>({
  resource: statefulsets,
  shortNames: ['sts'],
  categories: ['all'],
  subresources: ['status', 'scale'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 1}`, {
      description: 'Number of the pod with ready state',
    }),
    ageColumn(),
    ...workloadColumns<StatefulSet>().filter(({ name }) => name !== 'Selector'),
  ],
  scale: {
    getSpecReplicas: ({ spec }) => spec?.replicas ?? 1,
    setSpecReplicas: ({ spec }, replicas) => {
      if (spec) spec.replicas = replicas;
    },
    getStatusReplicas: ({ status }) => status?.replicas ?? 0,
    getSelector: ({ spec }) => formatSelector(selectorOf(spec?.selector)),
  },
  strategy: {
    validateName: isDns1123Label,
    defaults: setDefaults,
    prepareForCreate: (statefulSet) => {
      statefulSet.status = { replicas: 0, availableReplicas: 0 };
    },
    prepareForUpdate: (statefulSet, old) => {
      if (old.status) statefulSet.status = old.status;
    },
    prepareForStatusUpdate: (statefulSet, old) => {
      if (old.spec) statefulSet.spec = old.spec;
    },
    validate: validateStatefulSet,
    validateUpdate: validateStatefulSetUpdate,
    validateStatusUpdate: validateStatefulSetStatus,
    warnings: workloadWarnings,
  },
});

function setDefaults(statefulSet: StatefulSet): void {
  const spec = (statefulSet.spec ??= {} as NonNullable<StatefulSet['spec']>);
  spec.template ??= { spec: { containers: [] } };
  setPodTemplateDefaults(spec.template);
  spec.podManagementPolicy ||= 'OrderedReady';
  const strategy = (spec.updateStrategy ??= {});
  strategy.type ||= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.partition ??= 0;
    strategy.rollingUpdate.maxUnavailable ??= 1;
  }
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
  retention.whenDeleted ||= 'Retain';
  retention.whenScaled ||= 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion ||= 'v1';
    claim.kind ||= 'PersistentVolumeClaim';
    claim.spec ??= {};
    claim.spec.volumeMode ||= 'Filesystem';
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
  }
}
