import type {
  EndpointAddress,
  EndpointPort,
  Endpoints,
  EndpointSubset,
  Pod,
  Service,
} from '../../shared/api/generated/types.js';
import { stableJson } from '../../shared/api/hash.js';
import { isPodReady, isPodTerminal } from '../../shared/api/pod.js';
import {
  ANNOTATION_ENDPOINTS_OVER_CAPACITY,
  ANNOTATION_ENDPOINTS_TRIGGER_TIME,
  LABEL_HEADLESS,
} from '../../shared/api/well-known.js';
import { addressTypes, hostnameUnder, podAddresses, podPort, triggerTime } from '../endpointslice/pod-endpoints.js';

/** An Endpoints object carries no more addresses; EndpointSlices carry all. */
export const maxAddresses = 1000;
const managedBy = 'endpoints.kubernetes.io/managed-by';

export interface DesiredEndpoints {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly subsets: EndpointSubset[];
}

interface Entry {
  readonly address: EndpointAddress;
  readonly ready: boolean;
  readonly ports: readonly EndpointPort[];
}

/** The Endpoints of a Service: one subset for each set of ports, addresses in order. */
export function planEndpoints(service: Service, pods: readonly Pod[]): DesiredEndpoints {
  const entries = pods
    .flatMap((pod) => entryOf(service, pod) ?? [])
    .toSorted((a, b) => (a.address.ip < b.address.ip ? -1 : 1));
  const kept = truncate(entries);
  const isTruncated = kept.length < entries.length;
  return {
    labels: {
      ...service.metadata.labels,
      [managedBy]: 'endpoint-controller',
      ...(service.spec?.clusterIP === 'None' ? { [LABEL_HEADLESS]: '' } : {}),
    },
    annotations: {
      [ANNOTATION_ENDPOINTS_TRIGGER_TIME]: triggerTime(service, pods),
      ...(isTruncated ? { [ANNOTATION_ENDPOINTS_OVER_CAPACITY]: 'truncated' } : {}),
    },
    subsets: subsetsOf(kept),
  };
}

/** Terminating pods are not in Endpoints, which know only ready and not ready. */
function entryOf(service: Service, pod: Pod): Entry | undefined {
  const [type = 'IPv4'] = addressTypes(service);
  const ip = podAddresses(pod, type)[0];
  const tolerant = service.spec?.publishNotReadyAddresses === true;
  if (ip === undefined || isPodTerminal(pod) || (pod.metadata.deletionTimestamp && !tolerant)) return undefined;
  const { name, namespace, uid } = pod.metadata;
  const hostname = hostnameUnder(service, pod);
  const address: EndpointAddress = {
    ip,
    ...(hostname ? { hostname } : {}),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', ...(namespace ? { namespace } : {}), name, uid },
  };
  const declared = service.spec?.ports ?? [];
  const ports = declared.flatMap((port): EndpointPort[] => {
    const number = podPort(pod, port);
    if (number === undefined) return [];
    const { name: portName, protocol = 'TCP', appProtocol } = port;
    return [
      { ...(portName ? { name: portName } : {}), port: number, protocol, ...(appProtocol ? { appProtocol } : {}) },
    ];
  });
  if (declared.length > 0 && ports.length === 0) return undefined;
  return { address, ready: tolerant || isPodReady(pod), ports };
}

/** Ready addresses first. */
function truncate(entries: readonly Entry[]): readonly Entry[] {
  if (entries.length <= maxAddresses) return entries;
  const ready = entries.filter((entry) => entry.ready);
  return [...ready, ...entries.filter((entry) => !entry.ready)].slice(0, maxAddresses);
}

function subsetsOf(entries: readonly Entry[]): EndpointSubset[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const key = stableJson(entry.ports);
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => {
      const addresses = group.filter((entry) => entry.ready).map((entry) => entry.address);
      const notReadyAddresses = group.filter((entry) => !entry.ready).map((entry) => entry.address);
      const ports = [...(group[0]?.ports ?? [])];
      return {
        ...(addresses.length > 0 ? { addresses } : {}),
        ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
        ...(ports.length > 0 ? { ports } : {}),
      };
    });
}

/** Whether the object already says what is desired; the trigger time alone is no reason to write. */
export function isUpToDate(current: Endpoints, desired: DesiredEndpoints): boolean {
  const isOver = (annotations: Record<string, string> | undefined): boolean =>
    annotations?.[ANNOTATION_ENDPOINTS_OVER_CAPACITY] !== undefined;
  return (
    stableJson(current.subsets ?? []) === stableJson(desired.subsets) &&
    stableJson(current.metadata.labels ?? {}) === stableJson(desired.labels) &&
    isOver(current.metadata.annotations) === isOver(desired.annotations)
  );
}
