import type { Service, ServicePort, ServiceSpec } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { CacheEvent } from '../cache/event-ring.js';
import type { WatchCache } from '../cache/watch-cache.js';
import type { WriteReservation } from '../registry/resource-store.js';
import { internalError, invalid } from '../registry/status-errors.js';
import { invalid as invalidField, type FieldError } from '../validation/field-error.js';
import type { AddressRange } from './address-range.js';
import { clusterAddresses, nodePortsOf } from './service-faults.js';
import type { ServiceRanges } from './service-ranges.js';

export interface ServiceAllocatorOptions {
  readonly ranges: Pick<ServiceRanges, 'all'>;
  readonly nodePorts: { readonly first: number; readonly last: number };
  readonly services: WatchCache;
  /** 0 <= x < 1. */
  readonly random: () => number;
}

/** Values in use, each as often as something uses it. */
class Uses<T> {
  readonly #counts = new Map<T, number>();

  add(value: T): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
  }

  remove(value: T): void {
    const count = (this.#counts.get(value) ?? 0) - 1;
    if (count > 0) this.#counts.set(value, count);
    else this.#counts.delete(value);
  }

  has(value: T): boolean {
    return this.#counts.has(value);
  }

  get size(): number {
    return this.#counts.size;
  }
}

/**
 * Gives Services their cluster addresses and node ports. What is in use follows from the Services that exist, so nothing
 * can leak and nothing needs repair; writes under way hold what they were given until they are stored or fail.
 */
export class ServiceAllocator {
  readonly #options: ServiceAllocatorOptions;
  readonly #addresses = new Uses<string>();
  readonly #ports = new Uses<number>();

  constructor(options: ServiceAllocatorOptions) {
    this.#options = options;
    for (const cached of options.services.objects()) this.#use(cached.object as unknown as Service, 'add');
    options.services.onChange((event) => this.#follow(event));
  }

  /** Fills the spec in; throws 422 when what it asks for cannot be had. */
  reserve(next: KubernetesObject, old: KubernetesObject | undefined): WriteReservation | undefined {
    const service = next as unknown as Service & KubernetesObject;
    const before = old as unknown as Service | undefined;
    if (!service.spec) return undefined;
    const taken = new Reservation(this.#addresses, this.#ports);
    try {
      const errors = [
        ...this.#reserveAddress(service.spec, before?.spec, taken),
        ...this.#reservePorts(service.spec, before?.spec, taken),
      ];
      if (errors.length > 0) throw invalid({ group: '', kind: 'Service' }, next.metadata.name, errors);
    } catch (error) {
      taken.release();
      throw error;
    }
    // Once stored, the cache's own count holds the values.
    return { commit: () => taken.release(), rollback: () => taken.release() };
  }

  #follow({ current, previous, type }: CacheEvent): void {
    if (previous) this.#use(previous.object as unknown as Service, 'remove');
    if (type !== 'DELETED') this.#use(current.object as unknown as Service, 'add');
  }

  #use({ spec }: Service, change: 'add' | 'remove'): void {
    for (const address of clusterAddresses(spec)) this.#addresses[change](address);
    for (const port of nodePortsOf(spec)) this.#ports[change](port);
  }

  #reserveAddress(spec: ServiceSpec, old: ServiceSpec | undefined, taken: Reservation): FieldError[] {
    if (spec.type === 'ExternalName' || spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None') {
      if (spec.type !== 'ExternalName') {
        spec.clusterIP = 'None';
        spec.clusterIPs = ['None'];
      }
      return [];
    }
    const wanted = spec.clusterIP || spec.clusterIPs?.[0] || '';
    if (wanted === '') {
      const address = this.#freeAddress();
      taken.address(address);
      spec.clusterIP = address;
      spec.clusterIPs = [address];
      return [];
    }
    spec.clusterIP = wanted;
    if (!spec.clusterIPs?.length) spec.clusterIPs = [wanted];
    if (old?.clusterIP === wanted) return [];
    const refuse = (why: string): FieldError[] => [
      {
        ...invalidField('spec.clusterIPs', '', ''),
        message: `Invalid value: ["${wanted}"]: failed to allocate IP ${wanted}: ${why}`,
      },
    ];
    const ranges = this.#options.ranges.all;
    if (!ranges.some((range) => range.has(wanted))) {
      const valid = ranges.map(({ cidr }) => cidr).join(',');
      return refuse(`the provided IP (${wanted}) is not in the valid range. The range of valid IPs is ${valid}`);
    }
    if (this.#addresses.has(wanted)) return refuse('provided IP is already allocated');
    taken.address(wanted);
    return [];
  }

  #reservePorts(spec: ServiceSpec, old: ServiceSpec | undefined, taken: Reservation): FieldError[] {
    const errors: FieldError[] = [];
    if (!takesNodePorts(spec)) return errors;
    const held = new Set(nodePortsOf(old));
    const mine = new Map<number, Set<string>>();
    const ports = spec.ports ?? [];
    for (const [index, port] of ports.entries()) {
      if (!port.nodePort) continue;
      const problem = this.#portProblem(port, held, mine);
      if (problem) errors.push(invalidField(`spec.ports[${index}].nodePort`, port.nodePort, problem));
      else if (!held.has(port.nodePort)) taken.port(port.nodePort);
    }
    if (errors.length > 0) return errors;
    for (const port of ports) {
      // Another protocol on the same port number shares its node port.
      port.nodePort ||= siblingPort(port, ports, mine) ?? this.#takePort(taken);
      note(mine, port);
    }
    if (spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local') {
      const health = spec.healthCheckNodePort;
      if (!health) spec.healthCheckNodePort = this.#takePort(taken);
      else if (!held.has(health)) {
        if (this.#ports.has(health)) {
          return [invalidField('spec.healthCheckNodePort', health, 'provided port is already allocated')];
        }
        taken.port(health);
      }
    }
    return [];
  }

  #portProblem(port: ServicePort, held: ReadonlySet<number>, mine: Map<number, Set<string>>): string | undefined {
    const { first, last } = this.#options.nodePorts;
    const number = port.nodePort ?? 0;
    const sharers = mine.get(number);
    if (sharers && !sharers.has(port.protocol ?? 'TCP')) {
      note(mine, port);
      return undefined;
    }
    if (number < first || number > last) {
      return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
    }
    if (!held.has(number) && this.#ports.has(number)) return 'provided port is already allocated';
    note(mine, port);
    return undefined;
  }

  #takePort(taken: Reservation): number {
    const { nodePorts, random } = this.#options;
    const size = nodePorts.last - nodePorts.first + 1;
    const start = Math.floor(random() * size);
    for (let i = 0; i < size; i++) {
      const port = nodePorts.first + ((start + i) % size);
      if (this.#ports.has(port)) continue;
      taken.port(port);
      return port;
    }
    throw internalError('failed to allocate a nodePort: range is full');
  }

  #freeAddress(): string {
    for (const range of this.#options.ranges.all) {
      const address = this.#freeAddressOf(range);
      if (address !== undefined) return address;
    }
    throw internalError('failed to allocate a serviceIP: range is full');
  }

  /** Addresses at the low end are left for those who choose one themselves, as long as there are others. */
  #freeAddressOf(addresses: AddressRange): string | undefined {
    const { random } = this.#options;
    const usable = addresses.size - 2;
    const low = Math.min(Math.max(16, Math.floor(usable / 16)), 256, usable - 1);
    const start = Math.floor(random() * (usable - low));
    for (let i = 0; i < usable; i++) {
      const offset = i < usable - low ? low + 1 + ((start + i) % (usable - low)) : usable - i;
      const address = addresses.at(offset);
      if (!this.#addresses.has(address)) return address;
    }
    return undefined;
  }
}

/** What one write under way holds. */
class Reservation {
  readonly #addresses: Uses<string>;
  readonly #ports: Uses<number>;
  readonly #releases: (() => void)[] = [];

  constructor(addresses: Uses<string>, ports: Uses<number>) {
    this.#addresses = addresses;
    this.#ports = ports;
  }

  address(value: string): void {
    this.#addresses.add(value);
    this.#releases.push(() => this.#addresses.remove(value));
  }

  port(value: number): void {
    this.#ports.add(value);
    this.#releases.push(() => this.#ports.remove(value));
  }

  release(): void {
    for (const release of this.#releases.splice(0)) release();
  }
}

function takesNodePorts({ type, allocateLoadBalancerNodePorts, ports }: ServiceSpec): boolean {
  if (type === 'NodePort') return true;
  if (type !== 'LoadBalancer') return false;
  return allocateLoadBalancerNodePorts !== false || (ports ?? []).some(({ nodePort }) => nodePort);
}

function note(mine: Map<number, Set<string>>, { nodePort = 0, protocol = 'TCP' }: ServicePort): void {
  const protocols = mine.get(nodePort);
  if (protocols) protocols.add(protocol);
  else mine.set(nodePort, new Set([protocol]));
}

function siblingPort(
  port: ServicePort,
  ports: readonly ServicePort[],
  mine: Map<number, Set<string>>,
): number | undefined {
  const sibling = ports.find(
    (other) => other !== port && other.port === port.port && other.nodePort && other.protocol !== port.protocol,
  );
  const number = sibling?.nodePort;
  return number && !mine.get(number)?.has(port.protocol ?? 'TCP') ? number : undefined;
}
