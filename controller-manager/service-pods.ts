import { objectKey } from '../shared/api/object.js';
import type { Pod, Service } from '../shared/api/generated/types.js';
import { stableJson } from '../shared/api/hash.js';
import { matchesSelector, selectorOfMap } from '../shared/api/selector.js';
import type { Lister } from '../shared/cache/informer.js';
import type { SharedInformer } from '../shared/cache/shared-informer.js';

/** The pods that a Service selects. */
export function podsOfService(pods: Lister<Pod>, service: Service): Pod[] {
  const selector = selectorOfMap(service.spec?.selector);
  const candidates = pods.listNamespace(service.metadata.namespace ?? '');
  return candidates.filter(({ metadata }) => matchesSelector(selector, metadata.labels));
}

/** Calls `enqueue` with the keys of the Services that a change of a pod may touch, and of the Services that change. */
export function watchServicesAndPods(
  services: SharedInformer<Service>,
  pods: SharedInformer<Pod>,
  enqueue: (key: string) => void,
): void {
  services.addHandler({
    onAdd: (service) => enqueue(objectKey(service)),
    onUpdate: (_, service) => enqueue(objectKey(service)),
    onDelete: (service) => enqueue(objectKey(service)),
  });
  const enqueueServicesOf = ({ metadata }: Pod): void => {
    for (const service of services.lister.listNamespace(metadata.namespace ?? '')) {
      const { selector } = service.spec ?? {};
      if (selector && matchesSelector(selectorOfMap(selector), metadata.labels)) enqueue(objectKey(service));
    }
  };
  pods.addHandler({
    onAdd: enqueueServicesOf,
    onUpdate: (previous, pod) => {
      const labelsChanged = stableJson(previous.metadata.labels) !== stableJson(pod.metadata.labels);
      if (!labelsChanged && endpointView(previous) === endpointView(pod)) return;
      enqueueServicesOf(pod);
      if (labelsChanged) enqueueServicesOf(previous);
    },
    onDelete: enqueueServicesOf,
  });
}

/** What endpoints show of a pod: other changes of it wake nobody. */
function endpointView(pod: Pod): string {
  const { status, spec, metadata } = pod;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return stableJson([
    status?.podIP,
    status?.podIPs,
    spec?.nodeName,
    ready,
    isOver,
    !!metadata.deletionTimestamp,
    spec?.hostname,
  ]);
}
