import { endpoints, endpointslices, services } from '../../shared/api/generated/resources.js';
import type { Endpoints, EndpointSlice, Service } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { systemWrite } from './system-objects.js';

export interface KubernetesServiceOptions {
  readonly registry: ResourceRegistry;
  readonly clock: Clock;
  readonly log: Log;
  /** Cluster address of the Service. */
  readonly clusterAddress: string;
  /** Where pods and other hosts reach this server: never loopback. */
  readonly advertiseAddress: string;
  readonly securePort: number;
}

const intervalMs = 10_000;
const name = 'kubernetes';
const namespace = 'default';

/** Keeps the Service default/kubernetes and its endpoints: how pods find the API. */
export class KubernetesService {
  readonly #options: KubernetesServiceOptions;
  #cancel: () => void = () => {};
  #hasStopped = false;

  constructor(options: KubernetesServiceOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#reconcile();
    this.#schedule();
  }

  stop(): void {
    this.#hasStopped = true;
    this.#cancel();
  }

  #schedule(): void {
    if (this.#hasStopped) return;
    this.#cancel = this.#options.clock.schedule(intervalMs, () => {
      this.#reconcile()
        .catch((error: unknown) => this.#options.log.warn('the Service kubernetes could not be kept', { error }))
        .finally(() => this.#schedule());
    });
  }

  async #reconcile(): Promise<void> {
    await this.#keep(services, this.#service(), isSameService);
    await this.#keep(endpointslices, this.#slice(), isSameSlice);
    await this.#keep(endpoints, this.#endpoints(), isSameEndpoints);
  }

  /** Creates or overwrites, and leaves alone what says the same. */
  async #keep<T extends KubernetesObject>(
    resource: Resource<unknown>,
    wanted: T,
    isSame: (found: T, wanted: T) => boolean,
  ): Promise<void> {
    const { store, definition } = this.#options.registry.of(resource);
    const found = store.find(namespace, name);
    if (!found) {
      definition.strategy.defaults?.(wanted);
      await store.create(namespace, wanted, systemWrite);
      return;
    }
    if (isSame(found.object as T, wanted)) return;
    await store.modify(namespace, name, systemWrite, { subresource: '' }, (current) => {
      const { metadata: _metadata, ...rest } = wanted;
      const next = { ...current, ...rest } as KubernetesObject;
      next.metadata = { ...current.metadata, labels: { ...current.metadata.labels, ...wanted.metadata.labels } };
      if (resource === services) keepSpec(next as unknown as Service, current as unknown as Service);
      definition.strategy.defaults?.(next);
      return next;
    });
  }

  #service(): Service & KubernetesObject {
    const { clusterAddress, securePort } = this.#options;
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata({ component: 'apiserver', provider: 'kubernetes' }),
      spec: {
        type: 'ClusterIP',
        clusterIP: clusterAddress,
        clusterIPs: [clusterAddress],
        ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: securePort }],
        sessionAffinity: 'None',
      },
    };
  }

  #slice(): EndpointSlice & KubernetesObject {
    const { advertiseAddress, securePort } = this.#options;
    return {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: metadata({ 'kubernetes.io/service-name': name }),
      addressType: 'IPv4',
      endpoints: [{ addresses: [advertiseAddress], conditions: { ready: true } }],
      ports: [{ name: 'https', port: securePort, protocol: 'TCP' }],
    };
  }

  #endpoints(): Endpoints & KubernetesObject {
    const { advertiseAddress, securePort } = this.#options;
    return {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: metadata({ 'endpointslice.kubernetes.io/skip-mirror': 'true' }),
      subsets: [
        { addresses: [{ ip: advertiseAddress }], ports: [{ name: 'https', port: securePort, protocol: 'TCP' }] },
      ],
    };
  }
}

function metadata(labels: Record<string, string>): KubernetesObject['metadata'] {
  return { name, namespace, labels } as KubernetesObject['metadata'];
}

/** The address of an existing Service cannot change; only where it leads to is kept. */
function keepSpec(next: Service, current: Service): void {
  next.spec = { ...current.spec, ...(next.spec?.ports ? { ports: next.spec.ports } : {}) };
}

const portsOf = (ports: readonly { port: number; targetPort?: unknown }[] | undefined): string =>
  JSON.stringify((ports ?? []).map(({ port, targetPort }) => [port, targetPort]));

const isSameService = (found: Service, wanted: Service): boolean =>
  portsOf(found.spec?.ports) === portsOf(wanted.spec?.ports);

const isSameSlice = (found: EndpointSlice, wanted: EndpointSlice): boolean =>
  JSON.stringify(found.endpoints?.map(({ addresses }) => addresses)) ===
    JSON.stringify(wanted.endpoints?.map(({ addresses }) => addresses)) &&
  JSON.stringify(found.ports?.map(({ port }) => port)) === JSON.stringify(wanted.ports?.map(({ port }) => port));

const isSameEndpoints = (found: Endpoints, wanted: Endpoints): boolean =>
  JSON.stringify(found.subsets?.map(({ addresses }) => addresses?.map(({ ip }) => ip))) ===
    JSON.stringify(wanted.subsets?.map(({ addresses }) => addresses?.map(({ ip }) => ip))) &&
  JSON.stringify(found.subsets?.map(({ ports }) => ports?.map(({ port }) => port))) ===
    JSON.stringify(wanted.subsets?.map(({ ports }) => ports?.map(({ port }) => port)));
