import { servicecidrs, services } from '../../shared/api/generated/resources.js';
import type { Service } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import type { Log } from '../../shared/log/log.js';
import { AddressRange } from '../allocation/address-range.js';
import { serviceFaults } from '../allocation/service-faults.js';
import { ServiceRanges } from '../allocation/service-ranges.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';

export interface ServiceRepairOptions {
  readonly registry: ResourceRegistry;
  readonly clock: Clock;
  readonly log: Log;
  readonly addressEvents: EventRecorder;
  readonly portEvents: EventRecorder;
  readonly range: string;
  readonly nodePorts: { readonly first: number; readonly last: number };
}

/** As often as the original's. */
const intervalMs = 180_000;

/**
 * Tells of Services whose addresses or ports they could not have been given. There is nothing to repair in the
 * allocators: what is in use follows from the Services (allocation/); only their owners can give back what is not theirs.
 */
export class ServiceRepair {
  readonly #options: ServiceRepairOptions;
  readonly #ranges: ServiceRanges;
  #cancel: () => void = () => {};

  constructor(options: ServiceRepairOptions) {
    this.#options = options;
    const cidrs = options.registry.find(servicecidrs.group, servicecidrs.version, servicecidrs.resource);
    this.#ranges = new ServiceRanges(new AddressRange(options.range), cidrs?.store.cache);
  }

  start(): void {
    this.#look();
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const { registry, clock, addressEvents, portEvents, log, nodePorts } = this.#options;
    this.#cancel = clock.schedule(intervalMs, () => this.#look());
    const served = registry.find(services.group, services.version, services.resource);
    const stored = served?.store.cache.snapshot().map(({ object }) => object as unknown as Service & KubernetesObject);
    for (const { service, reason, message } of serviceFaults(stored ?? [], { ranges: this.#ranges.all, nodePorts })) {
      const { namespace, name } = service.metadata;
      log.warn('a Service holds what it could not have been given', { service: `${namespace ?? ''}/${name}`, reason });
      const events = reason.startsWith('Port') ? portEvents : addressEvents;
      events.event(service, 'Warning', reason, message);
    }
  }
}
