import type { Service, ServiceSpec } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { AddressRange } from './address-range.js';

type StoredService = Service & KubernetesObject;

/** Something of a Service that only its owner can set right. */
export interface ServiceFault {
  readonly service: StoredService;
  readonly reason: 'ClusterIPOutOfRange' | 'ClusterIPAlreadyAllocated' | 'PortOutOfRange' | 'PortAlreadyAllocated';
  readonly message: string;
}

/** From where Services may have addresses and node ports. */
export interface ServiceLimits {
  readonly ranges: readonly AddressRange[];
  readonly nodePorts: { readonly first: number; readonly last: number };
}

/**
 * What the Services hold that they could not have been given: the server was started with other ranges, or somebody wrote
 * to the store. Of two that hold the same the older one is right. In the words of the original's repair loops.
 */
export function serviceFaults(services: readonly StoredService[], limits: ServiceLimits): ServiceFault[] {
  const addresses = new Set<string>();
  const ports = new Set<number>();
  const oldestFirst = services.toSorted((a, b) => age(a).localeCompare(age(b)));
  return oldestFirst.flatMap((service) => [
    ...addressFaults(service, limits.ranges, addresses),
    ...portFaults(service, limits.nodePorts, ports),
  ]);
}

/** Names settle it between those that were made in the same second. */
const age = ({ metadata }: StoredService): string =>
  `${metadata.creationTimestamp ?? ''} ${metadata.namespace ?? ''}/${metadata.name}`;

function addressFaults(
  service: StoredService,
  ranges: readonly AddressRange[],
  held: Set<string>,
): readonly ServiceFault[] {
  return clusterAddresses(service.spec).flatMap((address): ServiceFault[] => {
    if (!ranges.some((range) => range.has(address))) {
      const message = `Cluster IP [IPv4]: ${address} is not within any configured Service CIDR; please recreate service`;
      return [{ service, reason: 'ClusterIPOutOfRange', message }];
    }
    if (held.has(address)) {
      const message = `Cluster IP [IPv4]:${address} was assigned to multiple services; please recreate service`;
      return [{ service, reason: 'ClusterIPAlreadyAllocated', message }];
    }
    held.add(address);
    return [];
  });
}

function portFaults(
  service: StoredService,
  { first, last }: ServiceLimits['nodePorts'],
  held: Set<number>,
): readonly ServiceFault[] {
  return nodePortsOf(service.spec).flatMap((port): ServiceFault[] => {
    if (port < first || port > last) {
      const message = `Port ${port} is not within the port range ${first}-${last}; please recreate service`;
      return [{ service, reason: 'PortOutOfRange', message }];
    }
    if (held.has(port)) {
      const message = `Port ${port} was assigned to multiple services; please recreate service`;
      return [{ service, reason: 'PortAlreadyAllocated', message }];
    }
    held.add(port);
    return [];
  });
}

/** All addresses that a Service holds. */
export function clusterAddresses(spec: ServiceSpec | undefined): string[] {
  if (spec?.type === 'ExternalName') return [];
  const addresses = spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : []);
  return addresses.filter((address) => address !== 'None' && address !== '');
}

/** Each once: protocols may share a number. */
export function nodePortsOf(spec: ServiceSpec | undefined): number[] {
  const ports = (spec?.ports ?? []).flatMap(({ nodePort }) => (nodePort ? [nodePort] : []));
  if (spec?.healthCheckNodePort) ports.push(spec.healthCheckNodePort);
  return [...new Set(ports)];
}
