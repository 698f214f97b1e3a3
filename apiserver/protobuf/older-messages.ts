import type { MessageTable } from './messages.js';

const older = 'k8s.io.api.autoscaling.v2beta1';
const between = 'k8s.io.api.autoscaling.v2beta2';
const newer = 'k8s.io.api.autoscaling.v2';
const quantity = 'k8s.io.apimachinery.pkg.api.resource.Quantity';
const selector = 'k8s.io.apimachinery.pkg.apis.meta.v1.LabelSelector';

/** Where autoscaling/v2beta1 differs from v2. */
const metrics: MessageTable = {
  [`${older}.HorizontalPodAutoscalerSpec`]: {
    scaleTargetRef: [1, `${older}.CrossVersionObjectReference`],
    minReplicas: [2, 'int32'],
    maxReplicas: [3, 'int32'],
    metrics: [4, `repeated ${older}.MetricSpec`],
  },
  [`${older}.ObjectMetricSource`]: {
    target: [1, `${older}.CrossVersionObjectReference`],
    metricName: [2, 'string'],
    targetValue: [3, quantity],
    selector: [4, selector],
    averageValue: [5, quantity],
  },
  [`${older}.ObjectMetricStatus`]: {
    target: [1, `${older}.CrossVersionObjectReference`],
    metricName: [2, 'string'],
    currentValue: [3, quantity],
    selector: [4, selector],
    averageValue: [5, quantity],
  },
  [`${older}.PodsMetricSource`]: {
    metricName: [1, 'string'],
    targetAverageValue: [2, quantity],
    selector: [3, selector],
  },
  [`${older}.PodsMetricStatus`]: {
    metricName: [1, 'string'],
    currentAverageValue: [2, quantity],
    selector: [3, selector],
  },
  [`${older}.ResourceMetricSource`]: {
    name: [1, 'string'],
    targetAverageUtilization: [2, 'int32'],
    targetAverageValue: [3, quantity],
  },
  [`${older}.ResourceMetricStatus`]: {
    name: [1, 'string'],
    currentAverageUtilization: [2, 'int32'],
    currentAverageValue: [3, quantity],
  },
  [`${older}.ContainerResourceMetricSource`]: {
    name: [1, 'string'],
    targetAverageUtilization: [2, 'int32'],
    targetAverageValue: [3, quantity],
    container: [4, 'string'],
  },
  [`${older}.ContainerResourceMetricStatus`]: {
    name: [1, 'string'],
    currentAverageUtilization: [2, 'int32'],
    currentAverageValue: [3, quantity],
    container: [4, 'string'],
  },
  [`${older}.ExternalMetricSource`]: {
    metricName: [1, 'string'],
    metricSelector: [2, selector],
    targetValue: [3, quantity],
    targetAverageValue: [4, quantity],
  },
  [`${older}.ExternalMetricStatus`]: {
    metricName: [1, 'string'],
    metricSelector: [2, selector],
    currentValue: [3, quantity],
    currentAverageValue: [4, quantity],
  },
};

/**
 * Messages of versions that the original has dropped since. autoscaling/v2 took over the numbers of its beta versions, so
 * theirs are read off the table again.
 */
export function olderMessages(table: MessageTable): MessageTable {
  const found: Record<string, MessageTable[string]> = {};
  for (const [name, fields] of Object.entries(table)) {
    if (!name.startsWith(`${newer}.`)) continue;
    for (const version of [between, older]) {
      const inVersion = Object.entries(fields ?? {}).map(([field, [number, type]]) => [
        field,
        [number, type.replace(`${newer}.`, `${version}.`)],
      ]);
      found[`${version}${name.slice(newer.length)}`] = Object.fromEntries(inVersion) as MessageTable[string];
    }
  }
  return { ...found, ...metrics };
}
