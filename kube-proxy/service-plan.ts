import type { EndpointSlice, Service, ServicePort } from '../shared/api/generated/types.js';
import { type AffinityPorts, affinityObject } from './affinity.js';
import {
  type ChainObject,
  type Contribution,
  type Element,
  noContribution,
  type ProxyContext,
  type SetName,
} from './rule-set.js';
import { sourceRanges } from './source-ranges.js';

/** An address that a port of a Service may be served at. */
export interface Backend {
  readonly address: string;
  readonly port: number;
  readonly isReady: boolean;
  readonly isServing: boolean;
  readonly isTerminating: boolean;
  readonly isLocal: boolean;
}

/** Names the proxy that serves a Service; without it that is us. */
const LABEL_SERVICE_PROXY_NAME = 'service.kubernetes.io/service-proxy-name';
const protocols: Readonly<Record<string, string>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' };
/** Beyond it, endpoints of one port are left out: the index of the maps ends here. */
const mostEndpoints = 65_536;

/** All backends of one port, once each, in a stable order. */
function backendsOf(
  port: ServicePort,
  slices: readonly EndpointSlice[],
  context: Pick<ProxyContext, 'localNodes'>,
): Backend[] {
  const found = new Map<string, Backend>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    const slicePort = (slice.ports ?? []).find(
      (p) => (p.name ?? '') === (port.name ?? '') && (p.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    );
    if (slicePort?.port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const address = endpoint.addresses[0];
      if (address === undefined) continue;
      const { ready, serving, terminating } = endpoint.conditions ?? {};
      found.set(`${address} . ${slicePort.port}`, {
        address,
        port: slicePort.port,
        isReady: ready ?? true,
        isServing: serving ?? ready ?? true,
        isTerminating: terminating ?? false,
        isLocal: endpoint.nodeName !== undefined && context.localNodes.has(endpoint.nodeName),
      });
    }
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, backend]) => backend);
}

/** Ready backends; when there is none, those that end but still serve (KEP-1669). */
function usable(backends: readonly Backend[]): Backend[] {
  const ready = backends.filter((b) => b.isReady);
  return (ready.length > 0 ? ready : backends.filter((b) => b.isServing && b.isTerminating)).slice(0, mostEndpoints);
}

/** The rules that one Service needs. Headless, ExternalName and addressless Services need none, those of another proxy none of ours. */
export function planService(service: Service, slices: readonly EndpointSlice[], context: ProxyContext): Contribution {
  const { spec } = service;
  if (service.metadata.labels?.[LABEL_SERVICE_PROXY_NAME] !== undefined) return noContribution;
  if (spec.type === 'ExternalName' || !spec.clusterIP || spec.clusterIP === 'None') return noContribution;
  const plan = new ServicePlan(service, context);
  plan.claimAddress(spec.clusterIP);
  for (const port of spec.ports ?? []) plan.addPort(port, backendsOf(port, slices, context));
  return plan.contribution();
}

class ServicePlan {
  readonly #service: Service;
  readonly #context: ProxyContext;
  readonly #elements: Element[] = [];
  readonly #objects = new Map<string, ChainObject>();
  readonly #balancers = new Set<number>();

  constructor(service: Service, context: ProxyContext) {
    this.#service = service;
    this.#context = context;
  }

  contribution(): Contribution {
    return { elements: this.#elements, objects: this.#objects, balancers: this.#balancers };
  }

  /** What comes for none of its ports is refused. */
  claimAddress(clusterIP: string): void {
    this.#elements.push({ set: 'cluster_ips', key: clusterIP });
  }

  addPort(port: ServicePort, backends: readonly Backend[]): void {
    const { spec, status } = this.#service;
    const protocol = protocols[port.protocol ?? 'TCP'];
    if (protocol === undefined || !spec.clusterIP) return;
    const all = usable(backends);
    const local = usable(backends.filter((b) => b.isLocal));
    const inside = spec.internalTrafficPolicy === 'Local' ? local : all;
    const outside = spec.externalTrafficPolicy === 'Local' ? local : all;
    const address = (ip: string): string => `${ip} . ${protocol} . ${port.port}`;
    this.#serve({
      key: address(spec.clusterIP),
      protocol,
      port,
      backends: inside,
      hasOthers: all.length > 0,
      isNodePort: false,
    });
    const ingress = (status?.loadBalancer?.ingress ?? []).flatMap((i) =>
      i.ip !== undefined && i.ip === this.#context.linkAddress && i.ipMode !== 'Proxy' ? [i.ip] : [],
    );
    for (const ip of ingress) this.#guard(address(ip));
    for (const ip of new Set([...(spec.externalIPs ?? []), ...ingress])) {
      this.#serve({
        key: address(ip),
        protocol,
        port,
        backends: outside,
        hasOthers: all.length > 0,
        isNodePort: false,
      });
    }
    if (port.nodePort)
      this.#serve({
        key: `${protocol} . ${port.nodePort}`,
        protocol,
        port,
        backends: outside,
        hasOthers: all.length > 0,
        isNodePort: true,
      });
  }

  /** Only the load balancer's address is for certain sources; the port of the node is for all, as in the original. */
  #guard(key: string): void {
    const ranges = sourceRanges(this.#service.spec);
    if (!ranges) return;
    this.#elements.push({ set: 'guarded_ports', key });
    for (const range of ranges) this.#elements.push({ set: 'allowed_sources', key: `${range} . ${key}` });
  }

  #serve(at: {
    key: string;
    protocol: string;
    port: ServicePort;
    backends: readonly Backend[];
    hasOthers: boolean;
    isNodePort: boolean;
  }): void {
    const { key, backends, isNodePort } = at;
    const pick = (service: SetName, node: SetName): SetName => (isNodePort ? node : service);
    if (backends.length === 0) {
      // Backends elsewhere only: a policy says Local, so packets are dropped for another host to be tried. None at all: refused.
      const set = at.hasOthers
        ? pick('dropped_ports', 'dropped_node_ports')
        : pick('rejected_ports', 'rejected_node_ports');
      this.#elements.push({ set, key });
      return;
    }
    for (const { address } of backends.filter((b) => b.isLocal))
      this.#elements.push({ set: 'hairpin', key: `${address} . ${address}` });
    const ports = pick('service_ports', 'node_ports');
    if (this.#service.spec.sessionAffinity === 'ClientIP') {
      this.#elements.push({ set: ports, key, value: `goto ${this.#affine(at)}` });
      return;
    }
    const count = backends.length;
    this.#balancers.add(count);
    this.#elements.push({ set: ports, key, value: `goto ${isNodePort ? 'node' : 'service'}_${count}` });
    const endpoints = pick('service_endpoints', 'node_endpoints');
    backends.forEach((b, i) =>
      this.#elements.push({ set: endpoints, key: `${key} . ${i}`, value: `${b.address} . ${b.port}` }),
    );
  }

  /** One chain serves all addresses of a port with the same backends. */
  #affine(at: AffinityPorts): string {
    const { metadata, spec } = this.#service;
    const timeoutSeconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800;
    const { name, object } = affinityObject(metadata.uid, at, timeoutSeconds);
    this.#objects.set(name, object);
    return name;
  }
}
