import type { EndpointSlice, Namespace, Service } from '../../shared/api/generated/types.js';
import { objectKey } from '../../shared/api/object.js';
import type { Informer } from '../../shared/cache/informer.js';
import type { ZoneSource } from './zone.js';

/** Index of slices by `namespace/service`, and of all by the addresses in them. */
export const byService = 'service';
export const byAddress = 'address';

const serviceName = 'kubernetes.io/service-name';
export const serviceOfSlice = (slice: EndpointSlice): string[] => {
  const name = slice.metadata.labels?.[serviceName];
  return name ? [`${slice.metadata.namespace}/${name}`] : [];
};
export const addressesOfSlice = (slice: EndpointSlice): string[] => (slice.endpoints ?? []).flatMap((e) => e.addresses);
export const addressOfService = (service: Service): string[] =>
  service.spec.clusterIP && service.spec.clusterIP !== 'None' ? [service.spec.clusterIP] : [];

export interface SourceInformers {
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly namespaces: Informer<Namespace>;
}

/** The zone's content straight from the caches. */
export class ClusterSource implements ZoneSource {
  readonly domain: string;
  readonly #informers: SourceInformers;
  #generation = 0;

  constructor(domain: string, informers: SourceInformers) {
    this.domain = domain;
    this.#informers = informers;
    const { services, slices, namespaces } = informers;
    const changed = (): void => {
      this.#generation++;
    };
    services.addHandler({ onAdd: changed, onUpdate: changed, onDelete: changed });
    namespaces.addHandler({ onAdd: changed, onUpdate: () => undefined, onDelete: changed });
    // Endpoints come and go all the time, and no answer but a headless Service's is made of them.
    const endpointsChanged = (slice: EndpointSlice): void => {
      const isHeadless = serviceOfSlice(slice).some((key) => services.lister.get(key)?.spec.clusterIP === 'None');
      if (isHeadless) changed();
    };
    slices.addHandler({
      onAdd: endpointsChanged,
      onUpdate: (before, after) => {
        endpointsChanged(before);
        endpointsChanged(after);
      },
      onDelete: endpointsChanged,
    });
  }

  /** Grows with every change of something that answers are made of. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether this is where our own Service listens: to ask there would be a loop. */
  isOwn(address: string): boolean {
    return this.service('kube-system', 'kube-dns')?.spec.clusterIP === address;
  }

  hasNamespace(name: string): boolean {
    return this.#informers.namespaces.lister.get(name) !== undefined;
  }

  service(namespace: string, name: string): Service | undefined {
    return this.#informers.services.lister.get(`${namespace}/${name}`);
  }

  slices(namespace: string, service: string): readonly EndpointSlice[] {
    return this.#informers.slices.lister.byIndex(byService, `${namespace}/${service}`);
  }

  servicesOf(address: string): readonly Service[] {
    const { services, slices } = this.#informers;
    const direct = services.lister.byIndex(byAddress, address);
    if (direct.length > 0) return direct;
    const keys = new Set(slices.lister.byIndex(byAddress, address).flatMap(serviceOfSlice));
    return [...keys]
      .flatMap((key) => services.lister.get(key) ?? [])
      .filter((s) => s.spec.clusterIP === 'None')
      .sort((a, b) => (objectKey(a) < objectKey(b) ? -1 : 1));
  }
}
