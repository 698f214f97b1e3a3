import { member, rename, type Json } from './served-version.js';

/**
 * Metrics of autoscaling/v2 and their older, flat form: that of v2beta1, and of the annotations in which autoscaling/v1 keeps
 * what it has no field for.
 */

/** Type of a source -> its field. */
const FIELDS: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

const sources = (metric: Json): [field: string, source: Json][] =>
  Object.values(FIELDS).flatMap((field): [string, Json][] => {
    const source = member(metric, field);
    return source ? [[field, { ...source }]] : [];
  });

function compact(object: Json): Json {
  for (const name of Object.keys(object)) if (object[name] === undefined) delete object[name];
  return object;
}

/** Changes each source of a metric by `change`; the metric itself stays as it is. */
const turn = (metric: Json, change: (field: string, source: Json) => Json): Json => ({
  ...metric,
  ...Object.fromEntries(sources(metric).map(([field, source]) => [field, compact(change(field, source))])),
});

export const flatSpec = (metric: Json): Json => turn(metric, flattenSource);
export const nestedSpec = (metric: Json): Json => turn(metric, nestSource);
export const flatStatus = (metric: Json): Json => turn(metric, flattenStatus);
export const nestedStatus = (metric: Json): Json => turn(metric, nestStatus);

function flattenSource(field: string, source: Json): Json {
  const { metric: _metric, target: _target, describedObject, ...rest } = source;
  const [metric, target] = [member(source, 'metric'), member(source, 'target')];
  const { name, selector } = metric ?? {};
  const { value, averageValue, averageUtilization } = target ?? {};
  switch (field) {
    case 'object':
      // The flat form cannot do without a value.
      return { target: describedObject, metricName: name, selector, targetValue: value ?? '0', averageValue };
    case 'pods':
      return { metricName: name, selector, targetAverageValue: averageValue };
    case 'external':
      return { metricName: name, metricSelector: selector, targetValue: value, targetAverageValue: averageValue };
    default:
      return { ...rest, targetAverageUtilization: averageUtilization, targetAverageValue: averageValue };
  }
}

function nestSource(field: string, source: Json): Json {
  const { metricName: name, selector, metricSelector, averageValue, targetValue, targetAverageValue } = source;
  switch (field) {
    case 'object': {
      const target =
        averageValue === undefined ? { type: 'Value', value: targetValue } : { type: 'AverageValue', averageValue };
      return { describedObject: source['target'], metric: compact({ name, selector }), target };
    }
    case 'pods':
      return {
        metric: compact({ name, selector }),
        target: compact({ type: 'AverageValue', averageValue: targetAverageValue }),
      };
    case 'external': {
      const isValue = targetValue !== undefined;
      const target = { type: isValue ? 'Value' : 'AverageValue', value: targetValue, averageValue: targetAverageValue };
      return { metric: compact({ name, selector: metricSelector }), target: compact(target) };
    }
    default: {
      const { targetAverageUtilization, targetAverageValue: _value, ...rest } = source;
      const isUtilization = targetAverageUtilization !== undefined;
      const target = {
        type: isUtilization ? 'Utilization' : 'AverageValue',
        averageUtilization: targetAverageUtilization,
        averageValue: targetAverageValue,
      };
      return { ...rest, target: compact(target) };
    }
  }
}

function flattenStatus(field: string, source: Json): Json {
  const { metric: _metric, current: _current, describedObject, ...rest } = source;
  const { name, selector } = member(source, 'metric') ?? {};
  const { value, averageValue, averageUtilization } = member(source, 'current') ?? {};
  switch (field) {
    case 'object':
      return { target: describedObject, metricName: name, selector, currentValue: value ?? '0', averageValue };
    case 'pods':
      return { metricName: name, selector, currentAverageValue: averageValue };
    case 'external':
      return {
        metricName: name,
        metricSelector: selector,
        currentValue: value ?? '0',
        currentAverageValue: averageValue,
      };
    default:
      return { ...rest, currentAverageUtilization: averageUtilization, currentAverageValue: averageValue };
  }
}

function nestStatus(field: string, source: Json): Json {
  const { metricName: name, selector, metricSelector, averageValue, currentValue, currentAverageValue } = source;
  switch (field) {
    case 'object':
      return {
        describedObject: source['target'],
        metric: compact({ name, selector }),
        current: compact({ value: currentValue, averageValue }),
      };
    case 'pods':
      return { metric: compact({ name, selector }), current: compact({ averageValue: currentAverageValue }) };
    case 'external':
      return {
        metric: compact({ name, selector: metricSelector }),
        current: compact({ value: currentValue, averageValue: currentAverageValue }),
      };
    default: {
      rename(source, 'currentAverageUtilization', 'averageUtilization');
      const { averageUtilization, currentAverageValue: _value, ...rest } = source;
      return { ...rest, current: compact({ averageUtilization, averageValue: currentAverageValue }) };
    }
  }
}
