import { setCondition } from '../../shared/api/condition.js';
import { pods } from '../../shared/api/generated/resources.js';
import type { Pod, PodCondition } from '../../shared/api/generated/types.js';
import { isPodTerminal, qosClass } from '../../shared/api/pod.js';
import { validatePodCreate, validatePodStatusUpdate, validatePodUpdate } from '../validation/pod.js';
import { validateEphemeralContainersUpdate, validatePodResize } from '../validation/pod-parts.js';
import { QuantityError } from '../../shared/api/quantity.js';
import { defineKind } from './kind.js';
import { podColumns } from './pod-columns.js';
import { setPodDefaults } from './pod-defaults.js';
import { podWarnings } from './pod-warnings.js';

export const podDefinition = defineKind<Pod>({
  resource: pods,
  shortNames: ['po'],
  categories: ['all'],
  subresources: [
    'status',
    'binding',
    'eviction',
    'ephemeralcontainers',
    'resize',
    'log',
    'exec',
    'attach',
    'portforward',
    'proxy',
  ],
  hasGeneration: true,
  columns: podColumns,
  selectableFields: {
    'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIP ?? pod.status?.podIPs?.[0]?.ip ?? '',
    'status.podIPs': (pod) => (pod.status?.podIPs ?? []).map(({ ip }) => ip).join(','),
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
  gracefulDelete,
  strategy: {
    defaults: setPodDefaults,
    prepareForCreate: (pod) => {
      pod.status = { phase: 'Pending', qosClass: qosOf(pod) };
      setSchedulingGated(pod);
    },
    validate: validatePodCreate,
    prepareForUpdate: (pod, old) => {
      pod.status = old.status;
    },
    validateUpdate: validatePodUpdate,
    prepareForStatusUpdate: (pod, old) => {
      pod.spec = old.spec;
      pod.status ??= {};
      pod.status.qosClass ||= old.status?.qosClass ?? qosOf(old);
    },
    validateStatusUpdate: validatePodStatusUpdate,
    validatePartUpdate: { ephemeralcontainers: validateEphemeralContainersUpdate, resize: validatePodResize },
    warnings: podWarnings,
  },
});

/** Runs before validation has refused amounts that are none. */
function qosOf(pod: Pod): string {
  try {
    return qosClass(pod.spec);
  } catch (error) {
    if (error instanceof QuantityError) return 'BestEffort';
    throw error;
  }
}

/** A pod that waits for its gates says so from the start; no scheduler looks at it. */
function setSchedulingGated(pod: Pod): void {
  if ((pod.spec.schedulingGates ?? []).length === 0 || !pod.status) return;
  const gated: PodCondition = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  };
  pod.status.conditions = [...setCondition<PodCondition>([], gated, pod.metadata.creationTimestamp)];
}

/** A pod that no kubelet runs any more, or yet, has nobody to wait for. */
function gracefulDelete(pod: Pod, requestedSeconds: number | undefined): number {
  const seconds = requestedSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  if (!pod.spec.nodeName || isPodTerminal(pod)) return 0;
  // Negative values mean the shortest graceful end.
  return seconds < 0 ? 1 : seconds;
}
