import { horizontalpodautoscalers } from '../../../shared/api/generated/resources.js';
import type { ResourceDefinition } from '../../registry/definition.js';
import { horizontalPodAutoscalerDefinition } from '../horizontalpodautoscaler.js';
import { flatSpec, flatStatus, nestedSpec, nestedStatus } from './metrics.js';
import { member, members, olderVersion, servedVersion, type Json, type VersionChange } from './served-version.js';

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics';
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';

/** What a version has no field for stands in annotations, as JSON; what cannot be read is as good as absent. */
function takeAnnotation(object: Json, name: string): unknown {
  const annotations = member(member(object, 'metadata'), 'annotations');
  const text = annotations?.[name];
  if (!annotations || typeof text !== 'string') return undefined;
  delete annotations[name];
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function putAnnotation(object: Json, name: string, value: unknown): void {
  const metadata = member(object, 'metadata');
  if (metadata) metadata['annotations'] = { ...member(metadata, 'annotations'), [name]: JSON.stringify(value) };
}

function dropEmptyAnnotations(object: Json): void {
  const metadata = member(object, 'metadata');
  const annotations = member(metadata, 'annotations');
  if (metadata && annotations && Object.keys(annotations).length === 0) delete metadata['annotations'];
}

const objectsOf = (value: unknown): Json[] => members({ value } as Json, 'value');

const isCpuUtilization = (metric: Json): boolean => {
  const resource = member(metric, 'resource');
  return (
    metric['type'] === 'Resource' &&
    resource?.['name'] === 'cpu' &&
    member(resource, 'target')?.['averageUtilization'] !== undefined
  );
};

/** autoscaling/v1 knows one metric, the use of CPUs. */
const v1: VersionChange = {
  fromStored: (object) => {
    for (const name of [METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR]) takeAnnotation(object, name);
    dropEmptyAnnotations(object);
    const spec = { ...member(object, 'spec') };
    const status = { ...member(object, 'status') };
    const metrics = members(spec, 'metrics');
    const cpu = metrics.find(isCpuUtilization);
    if (cpu) spec['targetCPUUtilizationPercentage'] = member(member(cpu, 'resource'), 'target')?.['averageUtilization'];
    const others = metrics.filter((metric) => !isCpuUtilization(metric));
    if (others.length > 0) putAnnotation(object, METRICS, others.map(flatSpec));
    const current = members(status, 'currentMetrics');
    if (current.length > 0) putAnnotation(object, CURRENT_METRICS, current.map(flatStatus));
    const use = current.map((metric) => member(metric, 'resource')).find((resource) => resource?.['name'] === 'cpu');
    const percentage = member(use, 'current')?.['averageUtilization'];
    if (percentage !== undefined) status['currentCPUUtilizationPercentage'] = percentage;
    if (members(status, 'conditions').length > 0) putAnnotation(object, CONDITIONS, status['conditions']);
    if (spec['behavior'] !== undefined) putAnnotation(object, BEHAVIOR, spec['behavior']);
    for (const field of ['metrics', 'behavior']) delete spec[field];
    for (const field of ['currentMetrics', 'conditions']) delete status[field];
    object['spec'] = spec;
    if (object['status'] !== undefined) object['status'] = status;
  },
  toStored: (object) => {
    const [metrics, current, conditions, behavior] = [METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR].map((name) =>
      takeAnnotation(object, name),
    );
    dropEmptyAnnotations(object);
    const spec = member(object, 'spec');
    if (spec) {
      const percentage = spec['targetCPUUtilizationPercentage'];
      delete spec['targetCPUUtilizationPercentage'];
      const cpu = {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percentage } },
      };
      spec['metrics'] = [...(percentage === undefined ? [] : [cpu]), ...objectsOf(metrics).map(nestedSpec)];
      if (behavior !== undefined) spec['behavior'] = behavior;
    }
    const status = member(object, 'status');
    if (!status) return;
    const use = status['currentCPUUtilizationPercentage'];
    delete status['currentCPUUtilizationPercentage'];
    if (use !== undefined)
      status['currentMetrics'] = [
        { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: use } } },
      ];
    // The annotation knows more.
    if (current !== undefined) status['currentMetrics'] = objectsOf(current).map(nestedStatus);
    if (conditions !== undefined) status['conditions'] = conditions;
  },
};

const v2beta1: VersionChange = {
  fromStored: (object) => {
    takeAnnotation(object, BEHAVIOR);
    dropEmptyAnnotations(object);
    const [spec, status] = [member(object, 'spec'), member(object, 'status')];
    if (spec) {
      if (spec['behavior'] !== undefined) putAnnotation(object, BEHAVIOR, spec['behavior']);
      delete spec['behavior'];
      if (spec['metrics'] !== undefined) spec['metrics'] = members(spec, 'metrics').map(flatSpec);
    }
    if (status?.['currentMetrics'] !== undefined)
      status['currentMetrics'] = members(status, 'currentMetrics').map(flatStatus);
  },
  toStored: (object) => {
    const behavior = takeAnnotation(object, BEHAVIOR);
    dropEmptyAnnotations(object);
    const [spec, status] = [member(object, 'spec'), member(object, 'status')];
    if (spec) {
      if (behavior !== undefined) spec['behavior'] = behavior;
      if (spec['metrics'] !== undefined) spec['metrics'] = members(spec, 'metrics').map(nestedSpec);
    }
    if (status?.['currentMetrics'] !== undefined)
      status['currentMetrics'] = members(status, 'currentMetrics').map(nestedStatus);
  },
};

/** Tolerances came with v2. */
const v2beta2: VersionChange = {
  fromStored: (object) => {
    const behavior = member(member(object, 'spec'), 'behavior');
    for (const rules of [member(behavior, 'scaleUp'), member(behavior, 'scaleDown')]) delete rules?.['tolerance'];
  },
};

const stored = horizontalPodAutoscalerDefinition as unknown as ResourceDefinition;

export const horizontalPodAutoscalerVersions: readonly ResourceDefinition[] = [
  servedVersion(stored, horizontalpodautoscalers, v1),
  olderVersion(stored, 'autoscaling/v2beta2', { deprecated: '1.23', removed: '1.26' }, v2beta2),
  olderVersion(stored, 'autoscaling/v2beta1', { deprecated: '1.22', removed: '1.25' }, v2beta1),
];
