import { isIPv6 } from 'node:net';
import { getCondition } from '../../shared/api/condition.js';
import type { DiscoveryV1EndpointPort, Endpoint, Pod, Service, ServicePort } from '../../shared/api/generated/types.js';
import { isPodReady, isPodTerminal, isSidecar } from '../../shared/api/pod.js';

export type AddressType = 'IPv4' | 'IPv6';

/** One pod behind a Service: its endpoint, and the ports under which it serves. */
export interface PodEndpoint {
  readonly endpoint: Endpoint;
  readonly ports: readonly DiscoveryV1EndpointPort[];
}

/** Address types of a Service: those of its ipFamilies; IPv4 for a headless one that says nothing. */
export function addressTypes(service: Service): AddressType[] {
  const families = service.spec?.ipFamilies ?? [];
  return families.length > 0 ? families.filter((family) => family === 'IPv4' || family === 'IPv6') : ['IPv4'];
}

/** Whether the endpoint controllers look after the Service: it selects pods and is not just a name. */
export function hasEndpoints(service: Service): boolean {
  return service.spec?.selector !== undefined && service.spec.type !== 'ExternalName';
}

/** The pod's port for a Service's port; undefined when the pod has no port of that name. */
export function podPort(pod: Pod, port: ServicePort): number | undefined {
  const { targetPort = port.port } = port;
  if (typeof targetPort === 'number') return targetPort === 0 ? port.port : targetPort;
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []).filter(isSidecar)];
  for (const container of containers) {
    const found = container.ports?.find(
      ({ name, protocol }) => name === targetPort && (protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    );
    if (found) return found.containerPort;
  }
  return undefined;
}

export function podAddresses(pod: Pod, type: AddressType): string[] {
  const all = pod.status?.podIPs?.map(({ ip }) => ip) ?? (pod.status?.podIP ? [pod.status.podIP] : []);
  return all.filter((ip) => isIPv6(ip) === (type === 'IPv6'));
}

/** The endpoint of a pod, terminating ones included; undefined while the pod has no address, and once it has ended. */
export function podEndpoint(
  service: Service,
  pod: Pod,
  type: AddressType,
  zone: string | undefined,
): PodEndpoint | undefined {
  const addresses = podAddresses(pod, type);
  if (addresses.length === 0 || isPodTerminal(pod)) return undefined;
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameUnder(service, pod);
  const { name, namespace, uid } = pod.metadata;
  const endpoint: Endpoint = {
    addresses,
    conditions: { ready, serving, terminating },
    targetRef: { kind: 'Pod', ...(namespace ? { namespace } : {}), name, uid },
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    ...(zone ? { zone } : {}),
    ...(hostname ? { hostname } : {}),
  };
  return { endpoint, ports: slicePorts(service, pod) };
}

/** A pod has a name of its own under a headless Service that it names as its subdomain. */
export function hostnameUnder(service: Service, pod: Pod): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  return hostname && subdomain === service.metadata.name ? hostname : undefined;
}

function slicePorts(service: Service, pod: Pod): DiscoveryV1EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((port) => {
    const number = podPort(pod, port);
    if (number === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = port;
    return [{ name, port: number, protocol, ...(appProtocol ? { appProtocol } : {}) }];
  });
}

/** When the endpoints last had a reason to change: a pod became ready or not, or the Service was made. For latency measurements. */
export function triggerTime(service: Service, pods: readonly Pod[]): string {
  const times = pods.map((pod) => getCondition(pod.status?.conditions, 'Ready')?.lastTransitionTime ?? '');
  return [service.metadata.creationTimestamp, ...times].reduce((latest, time) => (time > latest ? time : latest));
}
