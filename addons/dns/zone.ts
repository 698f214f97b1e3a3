import type { Answer } from 'dns-packet';
import type { Endpoint, EndpointSlice, Service } from '../../shared/api/generated/types.js';

/** What the zone is made of; asked at each query, never copied. */
export interface ZoneSource {
  readonly domain: string;
  hasNamespace(name: string): boolean;
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  /** Names of the Services (`namespace/name`) that have this ClusterIP or this ready endpoint. */
  servicesOf(address: string): readonly Service[];
}

/** Outcome of a look-up in our zone. `outside`: not ours, ask upstream. */
export type Lookup =
  | { readonly kind: 'records'; readonly answers: readonly Answer[]; readonly additionals: readonly Answer[] }
  | { readonly kind: 'nodata' }
  | { readonly kind: 'nxdomain' }
  | { readonly kind: 'outside' };

/** Seconds that clients may keep an answer. */
const ttl = 5;
const specificationVersion = '1.1.0';
const nodata: Lookup = { kind: 'nodata' };
const nxdomain: Lookup = { kind: 'nxdomain' };

const records = (answers: readonly Answer[], additionals: readonly Answer[] = []): Lookup =>
  answers.length > 0 ? { kind: 'records', answers, additionals } : nodata;
const addressRecord = (name: string, address: string): Answer => ({ type: 'A', class: 'IN', name, ttl, data: address });

/** A place that serves a headless Service, under the name that it has there. */
interface Place {
  readonly label: string;
  readonly address: string;
}

const labelOf = (endpoint: Endpoint, address: string): string => endpoint.hostname || address.replaceAll('.', '-');
const isReady = (endpoint: Endpoint): boolean => endpoint.conditions?.ready ?? true;

function places(slices: readonly EndpointSlice[]): Place[] {
  const found = new Map<string, Place>();
  for (const slice of slices.filter((s) => s.addressType === 'IPv4')) {
    for (const endpoint of (slice.endpoints ?? []).filter(isReady)) {
      for (const address of endpoint.addresses) found.set(address, { label: labelOf(endpoint, address), address });
    }
  }
  return [...found.values()];
}

const isHeadless = (service: Service): boolean => service.spec.clusterIP === 'None';

/** The records of Kubernetes' DNS-based service discovery, version 1.1.0. */
export class Zone {
  readonly #source: ZoneSource;
  readonly #domain: readonly string[];

  constructor(source: ZoneSource) {
    this.#source = source;
    this.#domain = source.domain.toLowerCase().split('.');
  }

  get domain(): string {
    return this.#source.domain;
  }

  /** `name` is lower-case without a final dot; `type` as in `A`, `SRV`. */
  lookup(name: string, type: string): Lookup {
    const labels = name === '' ? [] : name.split('.');
    if (name.endsWith('.in-addr.arpa')) return this.#reverse(name, labels, type);
    const inside = labels.slice(0, labels.length - this.#domain.length);
    if (labels.length < this.#domain.length || !this.#domain.every((label, i) => labels[inside.length + i] === label))
      return { kind: 'outside' };
    return this.#inside(name, inside, type);
  }

  #inside(name: string, labels: readonly string[], type: string): Lookup {
    const kind = labels.at(-1);
    if (kind === undefined) return this.#apex(name, type);
    if (kind === 'svc') return this.#services(name, labels.slice(0, -1), type);
    if (kind === 'pod') return this.#pods(name, labels.slice(0, -1), type);
    if (labels.length === 1 && kind === 'dns-version')
      return type === 'TXT' ? records([{ type: 'TXT', class: 'IN', name, ttl, data: specificationVersion }]) : nodata;
    if (kind === 'dns') return this.#nameServer(name, labels, type);
    return nxdomain;
  }

  #apex(name: string, type: string): Lookup {
    if (type === 'SOA') return records([this.startOfAuthority()]);
    if (type === 'NS') return records([{ type: 'NS', class: 'IN', name, ttl, data: `ns.dns.${this.domain}` }]);
    return nodata;
  }

  #nameServer(name: string, labels: readonly string[], type: string): Lookup {
    if (labels.length === 1) return nodata;
    if (labels.length !== 2 || labels[0] !== 'ns') return nxdomain;
    const address = this.#source.service('kube-system', 'kube-dns')?.spec.clusterIP;
    return type === 'A' && address ? records([addressRecord(name, address)]) : nodata;
  }

  /** For negative answers, too: it says how long they hold. */
  startOfAuthority(): Answer {
    const data = {
      mname: `ns.dns.${this.domain}`,
      rname: `hostmaster.${this.domain}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttl,
    };
    return { type: 'SOA', class: 'IN', name: this.domain, ttl, data };
  }

  #pods(name: string, labels: readonly string[], type: string): Lookup {
    const namespace = labels.at(-1);
    if (namespace === undefined) return nodata;
    if (!this.#source.hasNamespace(namespace)) return nxdomain;
    if (labels.length === 1) return nodata;
    const address = labels[0]?.replaceAll('-', '.') ?? '';
    if (
      labels.length > 2 ||
      !/^(\d{1,3}\.){3}\d{1,3}$/.test(address) ||
      address.split('.').some((byte) => Number(byte) > 255)
    )
      return nxdomain;
    return type === 'A' ? records([addressRecord(name, address)]) : nodata;
  }

  #services(name: string, labels: readonly string[], type: string): Lookup {
    const namespace = labels.at(-1);
    if (namespace === undefined) return nodata;
    if (!this.#source.hasNamespace(namespace)) return nxdomain;
    const serviceName = labels.at(-2);
    if (serviceName === undefined) return nodata;
    const service = this.#source.service(namespace, serviceName);
    if (!service) return nxdomain;
    const base = `${serviceName}.${namespace}.svc.${this.domain}`;
    const rest = labels.slice(0, -2);
    if (service.spec.type === 'ExternalName') {
      const target = (service.spec.externalName ?? '').replace(/\.$/, '');
      // An address is no name to lead to (it is allowed in the field all the same).
      if (/^[\d.]+$/.test(target)) return nxdomain;
      return rest.length === 0 ? records([{ type: 'CNAME', class: 'IN', name, ttl, data: target }]) : nxdomain;
    }
    if (rest.length === 0) return this.#service(name, service, base, type);
    if (rest.length === 1 && !rest[0]?.startsWith('_')) return this.#endpoint(name, service, rest[0] ?? '', type);
    return this.#port(name, service, base, rest, type);
  }

  #slicesOf(service: Service): readonly EndpointSlice[] {
    return this.#source.slices(service.metadata.namespace ?? '', service.metadata.name);
  }

  #service(name: string, service: Service, base: string, type: string): Lookup {
    if (!isHeadless(service) && type === 'SRV') return this.#srv(name, service, base, () => true);
    if (!isHeadless(service))
      return type === 'A' && service.spec.clusterIP ? records([addressRecord(name, service.spec.clusterIP)]) : nodata;
    const found = places(this.#slicesOf(service));
    // A headless Service without a ready endpoint has no name, as in the original.
    if (found.length === 0) return nxdomain;
    if (type === 'SRV') return this.#srv(name, service, base, () => true);
    return type === 'A' ? records(found.map(({ address }) => addressRecord(name, address))) : nodata;
  }

  #endpoint(name: string, service: Service, label: string, type: string): Lookup {
    const found = places(this.#slicesOf(service)).filter((p) => p.label.toLowerCase() === label);
    if (found.length === 0) return nxdomain;
    return type === 'A' ? records(found.map(({ address }) => addressRecord(name, address))) : nodata;
  }

  /** `_port._protocol`, or `_protocol` alone, which only leads there. */
  #port(name: string, service: Service, base: string, labels: readonly string[], type: string): Lookup {
    const [port, protocol] = labels.length === 1 ? [undefined, labels[0]] : labels;
    if (labels.length > 2 || !protocol?.startsWith('_') || (port !== undefined && !port.startsWith('_')))
      return nxdomain;
    const matches = (portName: string, portProtocol: string): boolean =>
      (port === undefined || portName === port.slice(1)) && portProtocol.toLowerCase() === protocol.slice(1);
    const found = this.#srv(name, service, base, matches);
    if (found.kind === 'nodata') return nxdomain;
    return type === 'SRV' && port !== undefined ? found : nodata;
  }

  #srv(name: string, service: Service, base: string, matches: (port: string, protocol: string) => boolean): Lookup {
    const answers: Answer[] = [];
    const additionals = new Map<string, Answer>();
    const add = (target: string, address: string, port: number): void => {
      answers.push({ type: 'SRV', class: 'IN', name, ttl, data: { priority: 0, weight: 100, port, target } });
      additionals.set(target, addressRecord(target, address));
    };
    if (!isHeadless(service)) {
      for (const port of service.spec.ports ?? [])
        if (service.spec.clusterIP && matches(port.name ?? '', port.protocol ?? 'TCP'))
          add(base, service.spec.clusterIP, port.port);
      return records(answers, [...additionals.values()]);
    }
    for (const slice of this.#slicesOf(service).filter((s) => s.addressType === 'IPv4')) {
      for (const port of slice.ports ?? []) {
        if (port.port === undefined || !matches(port.name ?? '', port.protocol ?? 'TCP')) continue;
        for (const { label, address } of places([slice])) add(`${label}.${base}`, address, port.port);
      }
    }
    return records(answers, [...additionals.values()]);
  }

  #reverse(name: string, labels: readonly string[], type: string): Lookup {
    const address = labels.slice(0, -2).reverse().join('.');
    const services = labels.length === 6 ? this.#source.servicesOf(address) : [];
    if (services.length === 0) return { kind: 'outside' };
    if (type !== 'PTR') return nodata;
    const names = services.flatMap((service) => {
      const base = `${service.metadata.name}.${service.metadata.namespace}.svc.${this.domain}`;
      if (service.spec.clusterIP === address) return [base];
      return places(this.#slicesOf(service)).flatMap((p) => (p.address === address ? [`${p.label}.${base}`] : []));
    });
    return records(names.map((data) => ({ type: 'PTR', class: 'IN', name, ttl, data })));
  }
}
