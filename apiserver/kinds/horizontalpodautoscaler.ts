import { horizontalpodautoscalersAutoscalingV2 } from '../../shared/api/generated/resources.js';
import type {
  V2HPAScalingRules,
  V2HorizontalPodAutoscaler,
  V2MetricSpec,
  V2MetricStatus,
} from '../../shared/api/generated/types.js';
import {
  validateHorizontalPodAutoscaler,
  validateHorizontalPodAutoscalerStatus,
  validateHorizontalPodAutoscalerUpdate,
} from '../validation/horizontalpodautoscaler.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

/** autoscaling/v2 HorizontalPodAutoscaler: the stored form. */
export const horizontalPodAutoscalerDefinition = defineKind<V2HorizontalPodAutoscaler>({
  resource: horizontalpodautoscalersAutoscalingV2,
  shortNames: ['hpa'],
  categories: ['all'],
  subresources: ['status'],
  columns: [
    nameColumn(),
    column('Reference', ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`, {
      description:
        'scaleTargetRef points to the target resource to scale, and is used to the pods for which metrics should be collected, as well as to actually change the replica count.',
    }),
    column('Targets', ({ spec, status }) => targetsText(spec?.metrics ?? [], status?.currentMetrics ?? []), {
      description:
        'metrics contains the specifications for which to use to calculate the desired replica count (the maximum replica count across all metrics will be used).',
    }),
    column('MinPods', ({ spec }) => String(spec?.minReplicas ?? '<unset>'), {
      description:
        'minReplicas is the lower limit for the number of replicas to which the autoscaler can scale down. It defaults to 1 pod.',
    }),
    column('MaxPods', ({ spec }) => spec?.maxReplicas ?? 0, {
      type: 'integer',
      description: 'maxReplicas is the upper limit for the number of replicas to which the autoscaler can scale up.',
    }),
    column('Replicas', ({ status }) => status?.currentReplicas ?? 0, {
      type: 'integer',
      description:
        'currentReplicas is current number of replicas of pods managed by this autoscaler, as last seen by the autoscaler.',
    }),
    ageColumn(),
  ],
  strategy: {
    defaults: setDefaults,
    prepareForCreate: (autoscaler) => {
      autoscaler.status = { desiredReplicas: 0, currentReplicas: 0 };
    },
    prepareForUpdate: (autoscaler, old) => {
      if (old.status) autoscaler.status = old.status;
    },
    prepareForStatusUpdate: (autoscaler, old) => {
      autoscaler.spec = old.spec;
    },
    validate: validateHorizontalPodAutoscaler,
    validateUpdate: validateHorizontalPodAutoscalerUpdate,
    validateStatusUpdate: validateHorizontalPodAutoscalerStatus,
  },
});

const SCALE_UP: V2HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const SCALE_DOWN: V2HPAScalingRules = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};

function setDefaults(autoscaler: V2HorizontalPodAutoscaler): void {
  const spec = (autoscaler.spec ??= {} as V2HorizontalPodAutoscaler['spec']);
  spec.minReplicas ??= 1;
  if ((spec.metrics ?? []).length === 0)
    spec.metrics = [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
    ];
  if (!spec.behavior) return;
  spec.behavior.scaleUp = { ...structuredClone(SCALE_UP), ...spec.behavior.scaleUp };
  spec.behavior.scaleDown = { ...structuredClone(SCALE_DOWN), ...spec.behavior.scaleDown };
}

const SHOWN_METRICS = 2;
const UNKNOWN = '<unknown>';

function targetsText(metrics: readonly V2MetricSpec[], statuses: readonly V2MetricStatus[]): string {
  if (metrics.length === 0) return '<none>';
  const texts = metrics.slice(0, SHOWN_METRICS).map((metric, index) => metricText(metric, statuses[index]));
  const more = metrics.length > SHOWN_METRICS ? ` + ${metrics.length - SHOWN_METRICS} more...` : '';
  return `${texts.join(', ')}${more}`;
}

function metricText(metric: V2MetricSpec, status: V2MetricStatus | undefined): string {
  switch (metric.type) {
    case 'External':
    case 'Object': {
      const field = metric.type === 'External' ? 'external' : 'object';
      const target = metric[field]?.target;
      const current = status?.[field]?.current;
      return target?.averageValue === undefined
        ? `${current?.value ?? UNKNOWN}/${target?.value ?? ''}`
        : `${current?.averageValue ?? UNKNOWN}/${target.averageValue} (avg)`;
    }
    case 'Pods':
      return `${status?.pods?.current?.averageValue ?? UNKNOWN}/${metric.pods?.target?.averageValue ?? ''}`;
    case 'Resource':
    case 'ContainerResource': {
      const field = metric.type === 'Resource' ? 'resource' : 'containerResource';
      const { name = '', target } = metric[field] ?? {};
      const current = status?.[field]?.current;
      if (target?.averageValue !== undefined)
        return `${name}: ${current?.averageValue ?? UNKNOWN}/${target.averageValue}`;
      return `${name}: ${percent(current?.averageUtilization, UNKNOWN)}/${percent(target?.averageUtilization, '<auto>')}`;
    }
    default:
      return '<unknown type>';
  }
}

const percent = (value: number | undefined, absent: string): string => (value === undefined ? absent : `${value}%`);
