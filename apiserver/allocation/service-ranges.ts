import type { ServiceCIDR } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { WatchCache } from '../cache/watch-cache.js';
import { AddressRange } from './address-range.js';

/** From where Services get addresses: the range of the server, and those of the ServiceCIDRs that are ready. */
export class ServiceRanges {
  readonly #own: AddressRange;
  readonly #cidrs: WatchCache | undefined;
  #readAt = -2;
  #all: readonly AddressRange[];

  constructor(own: AddressRange, cidrs: WatchCache | undefined) {
    this.#own = own;
    this.#cidrs = cidrs;
    this.#all = [own];
  }

  /** The server's own first. */
  get all(): readonly AddressRange[] {
    const cidrs = this.#cidrs;
    if (!cidrs || cidrs.lastChange === this.#readAt) return this.#all;
    this.#readAt = cidrs.lastChange;
    const more = cidrs
      .snapshot()
      .flatMap(({ object }) => rangesOf(object as unknown as ServiceCIDR & KubernetesObject));
    this.#all = [this.#own, ...more.filter(({ cidr }) => cidr !== this.#own.cidr)];
    return this.#all;
  }
}

/** Nobody has to say that a range is ready: the controller that does may be away. */
function rangesOf({ metadata, spec, status }: ServiceCIDR & KubernetesObject): AddressRange[] {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (metadata.deletionTimestamp !== undefined || (ready && ready.status !== 'True')) return [];
  return (spec?.cidrs ?? []).flatMap((cidr) => (AddressRange.isUsable(cidr) ? [new AddressRange(cidr)] : []));
}
