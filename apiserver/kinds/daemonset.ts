import { daemonsets } from '../../shared/api/generated/resources.js';
import type { DaemonSet } from '../../shared/api/generated/types.js';
import { formatSelector, selectorOfMap } from '../../shared/api/selector.js';
import { validateDaemonSet, validateDaemonSetStatus } from '../validation/daemonset.js';
import { equal } from '../validation/equality.js';
import { validateSelectorUpdate } from '../validation/workload.js';
import { ageColumn, column, nameColumn, orNone } from './column.js';
import { defineKind } from './kind.js';
import { setPodTemplateDefaults } from './pod-defaults.js';
import { workloadWarnings } from './pod-warnings.js';
import { workloadColumns } from './workload-columns.js';

export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

type Count =
  'desiredNumberScheduled' | 'currentNumberScheduled' | 'numberReady' | 'updatedNumberScheduled' | 'numberAvailable';

const countColumn = (name: string, field: Count, description: string): ReturnType<typeof column<DaemonSet>> =>
  column(name, ({ status }) => status?.[field] ?? 0, { type: 'integer', description });

export const daemonSetDefinition = defineKind<DaemonSet>({
  resource: daemonsets,
  shortNames: ['ds'],
  categories: ['all'],
  subresources: ['status'],
  hasGeneration: true,
  columns: [
    nameColumn(),
    countColumn(
      'Desired',
      'desiredNumberScheduled',
      'The total number of nodes that should be running the daemon pod (including nodes correctly running the daemon pod).',
    ),
    countColumn(
      'Current',
      'currentNumberScheduled',
      'The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod.',
    ),
    countColumn(
      'Ready',
      'numberReady',
      'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running with a Ready Condition.',
    ),
    countColumn(
      'Up-to-date',
      'updatedNumberScheduled',
      'The total number of nodes that are running updated daemon pod',
    ),
    countColumn(
      'Available',
      'numberAvailable',
      'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available.',
    ),
    column('Node Selector', ({ spec }) => orNone(formatSelector(selectorOfMap(spec?.template?.spec.nodeSelector))), {
      description: 'NodeSelector is a selector which must be true for the pod to fit on a node.',
    }),
    ageColumn(),
    ...workloadColumns<DaemonSet>(),
  ],
  strategy: {
    defaults: setDefaults,
    prepareForCreate: (daemonSet) => {
      daemonSet.status = {
        currentNumberScheduled: 0,
        desiredNumberScheduled: 0,
        numberMisscheduled: 0,
        numberReady: 0,
      };
      setTemplateGeneration(daemonSet, Math.max(1, templateGeneration(daemonSet)));
    },
    prepareForUpdate: (daemonSet, old) => {
      if (old.status) daemonSet.status = old.status;
      const isChanged = !equal(daemonSet.spec?.template, old.spec?.template);
      setTemplateGeneration(daemonSet, templateGeneration(old) + (isChanged ? 1 : 0));
    },
    prepareForStatusUpdate: (daemonSet, old) => {
      if (old.spec) daemonSet.spec = old.spec;
      setTemplateGeneration(daemonSet, templateGeneration(old));
    },
    validate: validateDaemonSet,
    validateUpdate: (daemonSet, old) => [...validateDaemonSet(daemonSet), ...validateSelectorUpdate(daemonSet, old)],
    validateStatusUpdate: validateDaemonSetStatus,
    warnings: workloadWarnings,
  },
});

function setDefaults(daemonSet: DaemonSet): void {
  const spec = (daemonSet.spec ??= {} as NonNullable<DaemonSet['spec']>);
  spec.template ??= { spec: { containers: [] } };
  setPodTemplateDefaults(spec.template);
  const strategy = (spec.updateStrategy ??= {});
  strategy.type ||= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= 1;
    strategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
}

/** Counts the changes of the template; apps/v1 has no field for it, and the original keeps it in an annotation. */
function templateGeneration({ metadata }: DaemonSet): number {
  const text = metadata.annotations?.[TEMPLATE_GENERATION] ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

function setTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  if (generation === 0) return;
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
}
