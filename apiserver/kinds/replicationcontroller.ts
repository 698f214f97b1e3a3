import { replicationcontrollers } from '../../shared/api/generated/resources.js';
import type { PodTemplateSpec, ReplicationController } from '../../shared/api/generated/types.js';
import { formatSelector, selectorOfMap } from '../../shared/api/selector.js';
import { append, notNegative, required, type FieldError } from '../validation/field-error.js';
import { validateReplicaCounts, validateTemplateOf } from '../validation/workload.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';
import { setPodTemplateDefaults } from './pod-defaults.js';
import { workloadWarnings } from './pod-warnings.js';
import { workloadColumns } from './workload-columns.js';

export const replicationControllerDefinition = defineKind<ReplicationController>({
  resource: replicationcontrollers,
  shortNames: ['rc'],
  categories: ['all'],
  subresources: ['status', 'scale'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Desired', ({ spec }) => spec.replicas ?? 1, {
      type: 'integer',
      description: 'The number of desired pods.',
    }),
    column('Current', ({ status }) => status?.replicas ?? 0, {
      type: 'integer',
      description: 'The most recently observed number of replicas.',
    }),
    column('Ready', ({ status }) => status?.readyReplicas ?? 0, {
      type: 'integer',
      description: 'The number of ready replicas for this replication controller.',
    }),
    ageColumn(),
    ...workloadColumns<ReplicationController>(({ spec }) => ({
      selector: { matchLabels: spec.selector ?? {} },
      ...(spec.template ? { template: spec.template } : {}),
    })),
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  scale: {
    getSpecReplicas: ({ spec }) => spec.replicas ?? 1,
    setSpecReplicas: ({ spec }, replicas) => {
      spec.replicas = replicas;
    },
    getStatusReplicas: ({ status }) => status?.replicas ?? 0,
    getSelector: ({ spec }) => formatSelector(selectorOfMap(spec.selector)),
  },
  strategy: {
    defaults: setDefaults,
    prepareForCreate: (controller) => {
      controller.status = { replicas: 0 };
    },
    validate,
    validateStatusUpdate: ({ status }) => validateReplicaCounts(status),
    warnings: workloadWarnings,
  },
});

/** What the controller's author left out follows from the labels of the template. */
function setDefaults(controller: ReplicationController): void {
  const spec = (controller.spec ??= {});
  if (spec.template) setPodTemplateDefaults(spec.template);
  const labels = spec.template?.metadata?.labels;
  if (labels && Object.keys(labels).length > 0) {
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
    if (Object.keys(controller.metadata.labels ?? {}).length === 0) controller.metadata.labels = { ...labels };
  }
  spec.replicas ??= 1;
}

function validate({ spec }: ReplicationController): FieldError[] {
  const { selector = {}, template } = spec;
  const errors = notNegative('spec.minReadySeconds', spec.minReadySeconds);
  const isEmpty = Object.keys(selector).length === 0;
  if (isEmpty) errors.push(required('spec.selector'));
  append(errors, notNegative('spec.replicas', spec.replicas));
  const given: { template?: PodTemplateSpec } = template ? { template } : {};
  const selecting = isEmpty ? given : { ...given, selector: { matchLabels: selector } };
  return [...errors, ...validateTemplateOf(selecting, 'spec.template', 'ReplicationController')];
}
