import type { Pod, PodSpec } from '../shared/api/generated/types.js';
import { isPodTerminal, podLimits, podRequests, type ResourceAmounts } from '../shared/api/pod.js';
import { metricText, type Sample } from '../shared/metrics/text-format.js';
import { reservedSpec } from './reserved-spec.js';

const explanation =
  'This shows the resource usage the scheduler and kubelet expect per pod for resources along with the unit for the resource if any.';
const metrics = {
  limit: `[STABLE] Resources limit for workloads on the cluster, broken down by pod. ${explanation}`,
  request: `[STABLE] Resources requested by workloads on the cluster, broken down by pod. ${explanation}`,
};

/** The text of /metrics/resources: what the pods that have not ended ask for, and may use at most. */
export function podResourceMetrics(pods: readonly Pod[]): string {
  const living = pods.filter((pod) => !isPodTerminal(pod));
  const samples = (amounts: (spec: PodSpec) => ResourceAmounts): Sample[] =>
    living.flatMap((pod) => [...amounts(reservedSpec(pod))].flatMap(([name, amount]) => sampleOf(pod, name, amount)));
  const text = (kind: keyof typeof metrics, of: Sample[]): string =>
    metricText({ name: `kube_pod_resource_${kind}`, help: metrics[kind], type: 'gauge' }, of);
  return text('limit', samples(podLimits)) + text('request', samples(podRequests));
}

function sampleOf({ metadata, spec }: Pod, resource: string, amount: number): Sample[] {
  if (amount === 0) return [];
  const labels = {
    namespace: metadata.namespace ?? '',
    pod: metadata.name,
    node: spec.nodeName ?? '',
    scheduler: spec.schedulerName ?? '',
    priority: spec.priority === undefined ? '' : String(spec.priority),
    resource,
    unit: unitOf(resource),
  };
  return [[labels, resource === 'cpu' ? amount / 1000 : amount]];
}

function unitOf(resource: string): string {
  if (resource === 'cpu') return 'cores';
  const isBytes = ['memory', 'storage', 'ephemeral-storage'].includes(resource) || resource.startsWith('hugepages-');
  return isBytes ? 'bytes' : 'integer';
}
