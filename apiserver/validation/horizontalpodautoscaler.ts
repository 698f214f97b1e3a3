import type {
  V2CrossVersionObjectReference,
  V2HPAScalingPolicy,
  V2HPAScalingRules,
  V2HorizontalPodAutoscaler,
  V2HorizontalPodAutoscalerSpec,
  V2MetricIdentifier,
  V2MetricSpec,
  V2MetricTarget,
} from '../../shared/api/generated/types.js';
import { compareQuantities, isQuantity } from '../../shared/api/quantity.js';
import {
  append,
  forbidden,
  invalid,
  invalidEach,
  notNegative,
  notSupported,
  required,
  type FieldError,
} from './field-error.js';
import { isDns1123Label, isPathSegmentName } from './names.js';

const MAX_PERIOD_SECONDS = 1800;
const MAX_WINDOW_SECONDS = 3600;
const SELECT_POLICIES = ['Disabled', 'Max', 'Min'];
const POLICY_TYPES = ['Percent', 'Pods'];
const SOURCES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
const TARGET_TYPES = ['Utilization', 'Value', 'AverageValue'];

export const validateHorizontalPodAutoscaler = ({ spec }: V2HorizontalPodAutoscaler): FieldError[] =>
  validateSpec(spec, 1);

/** An autoscaler that may already scale to zero keeps the right to. */
export const validateHorizontalPodAutoscalerUpdate = (
  { spec }: V2HorizontalPodAutoscaler,
  old: V2HorizontalPodAutoscaler,
): FieldError[] => validateSpec(spec, old.spec?.minReplicas === 0 ? 0 : 1);

export function validateHorizontalPodAutoscalerStatus({ status }: V2HorizontalPodAutoscaler): FieldError[] {
  return (['currentReplicas', 'desiredReplicas'] as const).flatMap((field) =>
    notNegative(`status.${field}`, status?.[field]),
  );
}

function validateSpec(spec: Partial<V2HorizontalPodAutoscalerSpec> | undefined, lowest: number): FieldError[] {
  if (!spec) return [required('spec')];
  const { minReplicas, maxReplicas = 0, metrics = [] } = spec;
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < lowest)
    errors.push(invalid('spec.minReplicas', minReplicas, `must be greater than or equal to ${lowest}`));
  if (maxReplicas < 1) errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  append(errors, validateReference(spec.scaleTargetRef, 'spec.scaleTargetRef'));
  for (const [index, metric] of metrics.entries()) append(errors, validateMetric(metric, `spec.metrics[${index}]`));
  if (minReplicas === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')) {
    const text = 'must specify at least one Object or External metric to support scaling to zero replicas';
    errors.push(forbidden('spec.metrics', text));
  }
  append(errors, validateRules(spec.behavior?.scaleUp, 'spec.behavior.scaleUp'));
  append(errors, validateRules(spec.behavior?.scaleDown, 'spec.behavior.scaleDown'));
  return errors;
}

function validateReference(reference: V2CrossVersionObjectReference | undefined, path: string): FieldError[] {
  return (['kind', 'name'] as const).flatMap((field) => {
    const value = reference?.[field];
    return value ? invalidEach(`${path}.${field}`, value, isPathSegmentName(value)) : [required(`${path}.${field}`)];
  });
}

function validateRules(rules: V2HPAScalingRules | undefined, path: string): FieldError[] {
  if (!rules) return [];
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies = [], tolerance } = rules;
  const errors: FieldError[] = [];
  const at = `${path}.stabilizationWindowSeconds`;
  if (seconds !== undefined && seconds < 0) errors.push(invalid(at, seconds, 'must be greater than or equal to zero'));
  if (seconds !== undefined && seconds > MAX_WINDOW_SECONDS)
    errors.push(invalid(at, seconds, `must be less than or equal to ${MAX_WINDOW_SECONDS}`));
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy))
    errors.push(notSupported(`${path}.selectPolicy`, selectPolicy, SELECT_POLICIES));
  if (policies.length === 0) errors.push(required(`${path}.policies`, 'must specify at least one Policy'));
  for (const [index, policy] of policies.entries())
    append(errors, validatePolicy(policy, `${path}.policies[${index}]`));
  if (tolerance !== undefined && isQuantity(tolerance) && compareQuantities(tolerance, '0') < 0)
    errors.push(invalid(`${path}.tolerance`, tolerance, 'must be greater than or equal to 0'));
  return errors;
}

function validatePolicy(
  { type = '', value = 0, periodSeconds = 0 }: Partial<V2HPAScalingPolicy>,
  path: string,
): FieldError[] {
  const errors = POLICY_TYPES.includes(type) ? [] : [notSupported(`${path}.type`, type, POLICY_TYPES)];
  if (value <= 0) errors.push(invalid(`${path}.value`, value, 'must be greater than zero'));
  const at = `${path}.periodSeconds`;
  if (periodSeconds <= 0) errors.push(invalid(at, periodSeconds, 'must be greater than zero'));
  if (periodSeconds > MAX_PERIOD_SECONDS)
    errors.push(invalid(at, periodSeconds, `must be less than or equal to ${MAX_PERIOD_SECONDS}`));
  return errors;
}

type SourceField = 'object' | 'external' | 'pods' | 'resource' | 'containerResource';
const SOURCE_FIELDS: readonly SourceField[] = ['object', 'external', 'pods', 'resource', 'containerResource'];

function validateMetric(metric: V2MetricSpec, path: string): FieldError[] {
  const { type } = metric;
  const errors: FieldError[] = [];
  if (!type) errors.push(required(`${path}.type`, 'must specify a metric source type'));
  if (!SOURCES.includes(type)) errors.push(notSupported(`${path}.type`, type ?? '', SOURCES));
  const present = SOURCE_FIELDS.filter((field) => metric[field] !== undefined);
  const [first] = present;
  if (first) append(errors, validateSource(metric, first, `${path}.${first}`));
  const expected = SOURCE_FIELDS.find((field) => field.toLowerCase() === (type ?? '').toLowerCase());
  if (expected && metric[expected] === undefined)
    errors.push(required(`${path}.${expected}`, 'must populate information for the given metric source'));
  if (present.length !== 1)
    for (const field of present)
      if (field !== expected) errors.push(forbidden(`${path}.${field}`, 'must populate the given metric source only'));
  return errors;
}

function validateSource(metric: V2MetricSpec, field: SourceField, path: string): FieldError[] {
  switch (field) {
    case 'object':
      return metric.object
        ? [
            ...validateReference(metric.object.describedObject, `${path}.describedObject`),
            ...validateIdentifier(metric.object.metric, `${path}.metric`),
            ...validateTarget(metric.object.target, `${path}.target`),
            ...validateValue(metric.object.target, `${path}.target`, 'must set either a target value or averageValue'),
          ]
        : [];
    case 'external':
      return metric.external ? validateExternal(metric.external, path) : [];
    case 'pods': {
      const { target } = metric.pods ?? {};
      const errors = [
        ...validateIdentifier(metric.pods?.metric, `${path}.metric`),
        ...validateTarget(target, `${path}.target`),
      ];
      if (target?.averageValue === undefined)
        errors.push(required(`${path}.target.averageValue`, 'must specify a positive target averageValue'));
      return errors;
    }
    case 'resource':
      return validateResource(metric.resource?.name, metric.resource?.target, path);
    case 'containerResource':
      return [
        ...validateResource(metric.containerResource?.name, metric.containerResource?.target, path),
        ...validateContainer(metric.containerResource?.container, `${path}.container`),
      ];
  }
}

function validateExternal(external: NonNullable<V2MetricSpec['external']>, path: string): FieldError[] {
  const { metric, target } = external;
  const errors = [
    ...validateIdentifier(metric, `${path}.metric`),
    ...validateTarget(target, `${path}.target`),
    ...validateValue(target, `${path}.target`, 'must set either a target value for metric or a per-pod target'),
  ];
  if (target?.value !== undefined && target.averageValue !== undefined) {
    const text = 'may not set both a target value for metric and a per-pod target';
    errors.push(forbidden(`${path}.target.value`, text));
  }
  return errors;
}

const validateValue = (target: V2MetricTarget | undefined, path: string, text: string): FieldError[] =>
  target?.value === undefined && target?.averageValue === undefined ? [required(`${path}.averageValue`, text)] : [];

const validateContainer = (name: string | undefined, path: string): FieldError[] =>
  name ? invalidEach(path, name, isDns1123Label(name)) : [required(path, 'must specify a container')];

function validateResource(name: string | undefined, target: V2MetricTarget | undefined, path: string): FieldError[] {
  const errors = name ? [] : [required(`${path}.name`, 'must specify a resource name')];
  append(errors, validateTarget(target, `${path}.target`));
  const [utilization, value] = [target?.averageUtilization, target?.averageValue];
  const at = `${path}.target`;
  if (utilization === undefined && value === undefined)
    errors.push(required(`${at}.averageUtilization`, 'must set either a target raw value or a target utilization'));
  if (utilization !== undefined && value !== undefined)
    errors.push(forbidden(`${at}.averageValue`, 'may not set both a target raw value and a target utilization'));
  return errors;
}

function validateTarget(target: V2MetricTarget | undefined, path: string): FieldError[] {
  const { type = '', averageUtilization } = target ?? {};
  const errors: FieldError[] = [];
  if (type === '') errors.push(required(`${path}.type`, 'must specify a metric target type'));
  if (!TARGET_TYPES.includes(type))
    errors.push(invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  for (const field of ['value', 'averageValue'] as const) {
    const quantity = target?.[field];
    if (quantity !== undefined && isQuantity(quantity) && compareQuantities(quantity, '0') <= 0)
      errors.push(invalid(`${path}.${field}`, quantity, 'must be positive'));
  }
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.push(invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'));
  return errors;
}

function validateIdentifier(metric: V2MetricIdentifier | undefined, path: string): FieldError[] {
  const name = metric?.name;
  if (!name) return [required(`${path}.name`, 'must specify a metric name')];
  return invalidEach(`${path}.name`, name, isPathSegmentName(name));
}
