import { isConditionTrue } from '../../shared/api/condition.js';
import type { Node, Service } from '../../shared/api/generated/types.js';
import { objectKey } from '../../shared/api/object.js';
import { ANNOTATION_BUSY_PORTS, ANNOTATION_LINK_ADDRESS } from '../../shared/api/well-known.js';

/** What one Service of type LoadBalancer gets. */
export interface Addresses {
  /** Link addresses of the hosts that serve it. */
  readonly ips: readonly string[];
  /** Who holds the ports where it could not be served; empty when it is served everywhere. */
  readonly holders: readonly string[];
}

interface Host {
  readonly address: string;
  /** Port -> who has it. */
  readonly taken: Map<string, string>;
}

const addressOf = (node: Node): string | undefined =>
  node.metadata.annotations?.[ANNOTATION_LINK_ADDRESS] ??
  node.status?.addresses?.find((a) => a.type === 'InternalIP')?.address;

function busyPorts(node: Node): string[] {
  const text = node.metadata.annotations?.[ANNOTATION_BUSY_PORTS];
  if (text === undefined) return [];
  try {
    const ports = JSON.parse(text) as unknown;
    return Array.isArray(ports) ? ports.filter((p) => typeof p === 'string') : [];
  } catch {
    // Anyone who may edit Nodes can write nonsense there: it names no port.
    return [];
  }
}

/**
 * Hosts with a Ready node, in the order of their addresses. Where no host has one, all of them: kubelets that are away
 * do not keep pods from serving, and no other host could do it better.
 */
function hostsOf(nodes: readonly Node[]): Host[] {
  const ready = nodes.filter((node) => isConditionTrue(node.status?.conditions, 'Ready'));
  const hosts = new Map<string, Host>();
  for (const node of ready.length > 0 ? ready : nodes) {
    const address = addressOf(node);
    if (!address) continue;
    const host = hosts.get(address) ?? { address, taken: new Map<string, string>() };
    for (const port of busyPorts(node)) host.taken.set(port, `a process of host ${address}`);
    hosts.set(address, host);
  }
  return [...hosts.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

/** Whether we serve it: a Service with a class is another controller's. */
const isOurs = (service: Service): boolean =>
  service.spec.type === 'LoadBalancer' && !service.spec.loadBalancerClass && !service.metadata.deletionTimestamp;

const older = (a: Service, b: Service): number => {
  const [x, y] = [`${a.metadata.creationTimestamp} ${objectKey(a)}`, `${b.metadata.creationTimestamp} ${objectKey(b)}`];
  return x < y ? -1 : x > y ? 1 : 0;
};

/** Gives each Service the address of every host whose ports are free; where two want the same, the older one has it. Keyed by `namespace/name`. */
export function planAddresses(services: readonly Service[], nodes: readonly Node[]): Map<string, Addresses> {
  const hosts = hostsOf(nodes);
  const plan = new Map<string, Addresses>();
  for (const service of services.filter(isOurs).sort(older)) {
    const ports = (service.spec.ports ?? []).map((p) => `${(p.protocol ?? 'TCP').toLowerCase()} ${p.port}`);
    const ips: string[] = [];
    const holders: string[] = [];
    for (const { address, taken } of hosts) {
      const held = ports.find((port) => taken.has(port));
      if (held !== undefined) {
        holders.push(
          `port ${held.split(' ').reverse().join('/').toUpperCase()} of ${address} belongs to ${taken.get(held) ?? ''}`,
        );
        continue;
      }
      for (const port of ports) taken.set(port, `Service ${objectKey(service)}`);
      ips.push(address);
    }
    plan.set(objectKey(service), { ips, holders });
  }
  return plan;
}
