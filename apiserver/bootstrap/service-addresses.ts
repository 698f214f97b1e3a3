import { ipaddresses, servicecidrs, services } from '../../shared/api/generated/resources.js';
import type { IPAddress, Service, ServiceCIDR } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Clock } from '../../shared/clock/clock.js';
import { isAlreadyExists, isConflict, isNotFound } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import { clusterAddresses } from '../allocation/service-faults.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { timestamp } from '../registry/object-metadata.js';
import { systemWrite } from './system-objects.js';

export interface ServiceAddressesOptions {
  readonly registry: ResourceRegistry;
  readonly clock: Clock;
  readonly log: Log;
  /** From which Services get addresses. */
  readonly range: string;
  readonly events: EventRecorder;
}

interface Holder {
  readonly namespace: string;
  readonly name: string;
}

type Address = IPAddress & KubernetesObject;

const defaultName = 'kubernetes';
const managedBy = 'ipaddress.kubernetes.io/managed-by';
const family = 'ipaddress.kubernetes.io/ip-family';
const manager = 'ipallocator';
const batchSize = 32;
const retryMs = 5_000;

/**
 * Keeps the ServiceCIDR `kubernetes` and one IPAddress for each address that a Service has. They tell what the Services
 * hold and decide nothing: addresses are given away by what the Services say (allocation/).
 */
export class ServiceAddresses {
  readonly #options: ServiceAddressesOptions;
  readonly #holders = new Map<string, Holder>();
  readonly #due = new Set<string>();
  readonly #ends: (() => void)[] = [];
  /** Objects that this server itself takes away to make them anew. */
  readonly #replaced = new Set<string>();
  #working = false;
  #cancelRetry: () => void = () => {};
  #cancelRestore: () => void = () => {};

  constructor(options: ServiceAddressesOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { registry } = this.#options;
    if (!registry.find('networking.k8s.io', 'v1', 'ipaddresses')) return;
    await this.#ensureDefault();
    const held = registry.of(services).store.cache;
    const kept = registry.of(ipaddresses).store.cache;
    for (const { object } of held.snapshot()) this.#hold(object as unknown as Service & KubernetesObject);
    for (const { object } of kept.snapshot()) this.#note(object.metadata.name);
    this.#ends.push(
      held.onChange(({ type, current, previous }) => {
        if (previous) this.#release(previous.object as unknown as Service & KubernetesObject);
        if (type !== 'DELETED') this.#hold(current.object as unknown as Service & KubernetesObject);
      }),
      kept.onChange(({ type, current }) => {
        const { name } = current.object.metadata;
        if (type === 'DELETED' && !this.#replaced.delete(name))
          this.#tell(name, () => `Cluster IP [IPv4]: ${name} is not allocated; repairing`);
        if (type !== 'ADDED') this.#note(name);
      }),
      registry.of(servicecidrs).store.cache.onChange(({ type, current }) => {
        if (type === 'DELETED' && current.object.metadata.name === defaultName)
          setImmediate(() => void this.#restore());
      }),
    );
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#cancelRetry();
    this.#cancelRestore();
    this.#due.clear();
  }

  /** Somebody has deleted the default range, and nothing holds it any more: it comes back as this server has it. */
  async #restore(): Promise<void> {
    if (this.#ends.length === 0) return;
    try {
      await this.#ensureDefault();
    } catch (error) {
      this.#options.log.warn('the default ServiceCIDR could not be made again', { error });
      this.#cancelRestore = this.#options.clock.schedule(retryMs, () => void this.#restore());
    }
  }

  /** Never changed: whoever wants another range deletes it and starts the server with that. */
  async #ensureDefault(): Promise<void> {
    const { registry, range, clock } = this.#options;
    const { store } = registry.of(servicecidrs);
    if (store.find(undefined, defaultName)) return;
    const { apiVersion, kind } = servicecidrs;
    const object = { apiVersion, kind, metadata: { name: defaultName }, spec: { cidrs: [range] } };
    try {
      await store.create(undefined, object as unknown as KubernetesObject, systemWrite);
      await store.modify(undefined, defaultName, systemWrite, { subresource: 'status' }, (current) => {
        const cidr = current as unknown as ServiceCIDR;
        const message = 'Kubernetes default Service CIDR is ready';
        const lastTransitionTime = timestamp(clock.now());
        cidr.status = { conditions: [{ type: 'Ready', status: 'True', reason: 'Ready', message, lastTransitionTime }] };
        return current;
      });
    } catch (error) {
      // Another server of the same cluster was faster.
      if (!isAlreadyExists(error) && !isConflict(error)) throw error;
    }
  }

  #hold({ metadata, spec }: Service & KubernetesObject): void {
    const holder = { namespace: metadata.namespace ?? '', name: metadata.name };
    for (const address of clusterAddresses(spec)) {
      this.#holders.set(address, holder);
      this.#note(address);
    }
  }

  #release({ metadata, spec }: Service & KubernetesObject): void {
    for (const address of clusterAddresses(spec)) {
      const holder = this.#holders.get(address);
      if (holder?.name !== metadata.name || holder.namespace !== metadata.namespace) continue;
      this.#holders.delete(address);
      this.#note(address);
    }
  }

  #note(address: string): void {
    this.#due.add(address);
    if (this.#working) return;
    this.#working = true;
    // Not within the change that is being told.
    setImmediate(() => void this.#work());
  }

  async #work(): Promise<void> {
    while (this.#due.size > 0) {
      const batch = [...this.#due].slice(0, batchSize);
      for (const address of batch) this.#due.delete(address);
      await Promise.all(batch.map((address) => this.#tryKeep(address)));
    }
    this.#working = false;
  }

  async #tryKeep(address: string): Promise<void> {
    try {
      await this.#keep(address);
    } catch (error) {
      if (isNotFound(error) || isAlreadyExists(error) || isConflict(error)) return;
      this.#options.log.warn('the IPAddress of a Service could not be kept', { address, error });
      this.#cancelRetry();
      this.#cancelRetry = this.#options.clock.schedule(retryMs, () => {
        for (const held of this.#holders.keys()) this.#note(held);
      });
    }
  }

  async #keep(address: string): Promise<void> {
    const { store } = this.#options.registry.of(ipaddresses);
    const holder = this.#holders.get(address);
    const found = store.find(undefined, address)?.object as Address | undefined;
    const isRight = holder !== undefined && found !== undefined && isOf(found, holder);
    if (isRight && hasLabels(found)) return;
    // What others have made of their own is left alone.
    if (found && !isRight && found.metadata.labels?.[managedBy] !== manager) return;
    if (found) await this.#remove(found, holder);
    if (holder) await store.create(undefined, addressObject(address, holder), systemWrite);
  }

  async #remove(found: Address, holder: Holder | undefined): Promise<void> {
    const { name } = found.metadata;
    if (holder) {
      this.#replaced.add(name);
      if (!isOf(found, holder)) {
        const wrong = ({ namespace, name: service }: Holder): string =>
          `the ClusterIP [IPv4]: ${name} for Service ${namespace}/${service} has a wrong reference; repairing`;
        this.#tell(name, wrong);
      }
    }
    try {
      await this.#options.registry.of(ipaddresses).deleter.delete(undefined, name, {}, systemWrite);
    } catch (error) {
      this.#replaced.delete(name);
      throw error;
    }
  }

  /** Somebody has changed what belongs to a Service. */
  #tell(address: string, messageOf: (holder: Holder) => string): void {
    const holder = this.#holders.get(address);
    const found = holder && this.#options.registry.of(services).store.find(holder.namespace, holder.name);
    if (!found) return;
    this.#options.events.event(found.object, 'Warning', 'ClusterIPNotAllocated', messageOf(holder));
  }
}

const isOf = ({ spec }: IPAddress, { namespace, name }: Holder): boolean =>
  spec?.parentRef?.resource === 'services' && spec.parentRef.namespace === namespace && spec.parentRef.name === name;

const labelsOf = (address: string): Record<string, string> => ({
  [family]: address.includes(':') ? 'IPv6' : 'IPv4',
  [managedBy]: manager,
});

const hasLabels = ({ metadata }: Address): boolean =>
  Object.entries(labelsOf(metadata.name)).every(([key, value]) => metadata.labels?.[key] === value);

function addressObject(address: string, holder: Holder): KubernetesObject {
  const { apiVersion, kind } = ipaddresses;
  const parentRef = { group: '', resource: 'services', ...holder };
  const metadata = { name: address, labels: labelsOf(address) };
  return { apiVersion, kind, metadata, spec: { parentRef } } as unknown as KubernetesObject;
}
