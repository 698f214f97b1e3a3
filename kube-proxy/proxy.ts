import { nodes as nodeResource } from '../shared/api/generated/resources.js';
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../shared/api/generated/types.js';
import { objectKey } from '../shared/api/object.js';
import { ANNOTATION_BUSY_PORTS, ANNOTATION_ENDPOINTS_TRIGGER_TIME } from '../shared/api/well-known.js';
import type { Informer } from '../shared/cache/informer.js';
import type { Client } from '../shared/client/client.js';
import type { Clock } from '../shared/clock/clock.js';
import { isAbort } from '../shared/errors/status-error.js';
import type { Log } from '../shared/log/log.js';
import { CommittedRules } from './committed-rules.js';
import { acceptForwarding } from './docker-accepts.js';
import type { Execute } from './execute.js';
import { enableHairpin } from './hairpin.js';
import { linkAddressOf, planRoutes, syncRoutes } from './host-routes.js';
import type { ProxyMetrics } from './metrics.js';
import { NftWriter } from './nft-writer.js';
import type { Contribution, ProxyContext } from './rule-set.js';
import { planService } from './service-plan.js';
import { planServiceRanges } from './service-ranges.js';
import { acquireWriterLock } from './writer-lock.js';

/** Index of EndpointSlices by `namespace/service`. */
export const byService = 'service';
export const serviceOfSlice = (slice: EndpointSlice): string[] => {
  const name = slice.metadata.labels?.['kubernetes.io/service-name'];
  return name ? [`${slice.metadata.namespace}/${name}`] : [];
};

export interface ProxyDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: ProxyMetrics;
  readonly execute: Execute;
  readonly nodeName: string;
  readonly clusterCIDR: string;
  /** Makes the kernel show packets between ports of one bridge; false where it cannot. */
  readonly enableBridgeNetfilter: () => boolean;
  /** Ports on which processes of this host listen at `address`. */
  readonly listeningPorts: (address: string) => ReadonlySet<string>;
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly nodes: Informer<Node>;
  readonly serviceCIDRs: Informer<ServiceCIDR>;
}

/** Changes that come together are written together. */
const gatherMs = 10;
const retryMs = 1_000;
const checkMs = 5_000;
const nodeOwner = ' node';
const rangesOwner = ' ranges';

/** Keeps the rules, routes and accepts of this host as the API asks for. One process a network namespace does; the others wait for it to end. */
export class Proxy {
  readonly #deps: ProxyDependencies;
  readonly #rules = new CommittedRules();
  readonly #dirty = new Set<string>();
  #isAllDirty = true;
  #context = '';
  #state: 'waiting' | 'standby' | 'syncing' | 'synced' = 'waiting';
  #wake: () => void = () => undefined;

  constructor(deps: ProxyDependencies) {
    this.#deps = deps;
    const service = (s: Service): void => {
      deps.metrics.changed('service');
      this.#changed(objectKey(s));
    };
    const slice = (s: EndpointSlice): void => {
      deps.metrics.changed('endpoint', this.#triggerOf(s));
      serviceOfSlice(s).forEach((key) => this.#changed(key));
    };
    const node = (): void => this.#changed(undefined);
    deps.services.addHandler({ onAdd: service, onUpdate: (_, s) => service(s), onDelete: service });
    deps.slices.addHandler({ onAdd: slice, onUpdate: (_, s) => slice(s), onDelete: slice });
    deps.nodes.addHandler({ onAdd: node, onUpdate: node, onDelete: node });
    const range = (): void => this.#changed(rangesOwner);
    deps.serviceCIDRs.addHandler({ onAdd: range, onUpdate: range, onDelete: range });
  }

  /** Why the rules are not in place; undefined when they are, or when another process keeps them. */
  unreadyReason(): string | undefined {
    return this.#state === 'synced' || this.#state === 'standby' ? undefined : 'the rules have not been written yet';
  }

  /** What was there before this process was is no change that could have waited for it. */
  #triggerOf({ metadata }: EndpointSlice): number | undefined {
    if (this.#state !== 'synced') return undefined;
    const triggeredMs = Date.parse(metadata.annotations?.[ANNOTATION_ENDPOINTS_TRIGGER_TIME] ?? '');
    return Number.isNaN(triggeredMs) ? undefined : triggeredMs;
  }

  #changed(key: string | undefined): void {
    if (key === undefined) this.#isAllDirty = true;
    else this.#dirty.add(key);
    this.#wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, services, slices, nodes, log } = this.#deps;
    try {
      this.#state = 'standby';
      const lock = await acquireWriterLock(clock, signal);
      try {
        this.#state = 'waiting';
        // Not for the service ranges: without them Services work, and only packets for nobody's addresses leave the host.
        await Promise.all([services, slices, nodes].map((i) => i.waitForSync(signal)));
        log.info('this process writes the rules of this network namespace');
        await this.#loop(signal);
      } finally {
        await lock.release();
      }
    } catch (error) {
      if (!(signal.aborted && isAbort(error))) throw error;
    }
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock, clusterCIDR, execute, log, metrics } = this.#deps;
    const writer = new NftWriter(execute, this.#rules, {
      clusterCIDR,
      masqueradeWithinBridge: !this.#deps.enableBridgeNetfilter(),
    });
    let isFirst = true;
    while (!signal.aborted) {
      await this.#waitForNode(signal);
      const isPeriodic = isFirst || !(await this.#changeWithin(checkMs, signal));
      try {
        if (isPeriodic && !isFirst && (await writer.isDamaged()))
          log.warn('the rules were changed by somebody else and are written anew');
        this.#state = this.#state === 'synced' ? 'synced' : 'syncing';
        await this.#sync(writer, isPeriodic, signal);
        this.#state = 'synced';
        isFirst = false;
      } catch (error) {
        if (signal.aborted) throw error;
        this.#state = 'syncing';
        metrics.failed();
        log.error('the rules could not be written', { error });
        this.#isAllDirty = true;
        await clock.sleep(retryMs, signal);
      }
    }
  }

  /** Without its node it is not known which pods are here; the kubelet registers a new one in a moment. */
  async #waitForNode(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#currentContext()) {
      this.#state = 'waiting';
      this.#isAllDirty = false;
      this.#dirty.clear();
      // What changes until the node is back is planned with all the rest, also when the node comes back as it was.
      this.#context = '';
      await this.#changeWithin(checkMs, signal);
      this.#isAllDirty = true;
    }
  }

  /** Resolves true a little after the first change, false when there was none in time. */
  async #changeWithin(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#deps;
    const isPending = (): boolean => this.#isAllDirty || this.#dirty.size > 0;
    if (!isPending()) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          cancel();
          signal.removeEventListener('abort', done);
          this.#wake = () => undefined;
          resolve();
        };
        const cancel = clock.schedule(timeoutMs, done);
        this.#wake = done;
        signal.addEventListener('abort', done, { once: true });
        if (signal.aborted) done();
      });
      if (!isPending()) return false;
    }
    await clock.sleep(gatherMs, signal);
    return true;
  }

  async #sync(writer: NftWriter, isPeriodic: boolean, signal: AbortSignal): Promise<void> {
    const { execute, clusterCIDR, metrics, nodes } = this.#deps;
    const startedMs = performance.now();
    const context = this.#currentContext();
    if (!context) throw new Error(`node ${this.#deps.nodeName} is not known yet`);
    const contextText = JSON.stringify([...context.localNodes, ...context.localPodCIDRs, context.linkAddress]);
    const nodesMayDiffer = this.#isAllDirty;
    if (contextText !== this.#context) this.#planAll(context);
    else this.#planDirty(context);
    this.#context = contextText;
    const isChanged = (await writer.write()) > 0;
    if (isChanged) metrics.synced(performance.now() - startedMs, this.#rules.size);
    // New endpoints may be new pods, whose ports of the bridge are new too.
    if (isChanged || isPeriodic) await enableHairpin(execute, context.localPodCIDRs);
    if (nodesMayDiffer || isPeriodic) {
      await syncRoutes(execute, planRoutes(nodes.lister.list(), context.linkAddress));
      await acceptForwarding(execute, clusterCIDR);
    }
    await this.#reportBusyPorts(context, signal);
  }

  #currentContext(): ProxyContext | undefined {
    const { nodes, nodeName } = this.#deps;
    const own = nodes.lister.get(nodeName);
    const linkAddress = own && linkAddressOf(own);
    if (!linkAddress) return undefined;
    const local = nodes.lister.list().filter((n) => linkAddressOf(n) === linkAddress);
    return {
      localNodes: new Set(local.map((n) => n.metadata.name).sort()),
      localPodCIDRs: local.flatMap((n) => n.spec.podCIDR ?? []).sort(),
      linkAddress,
    };
  }

  #planAll(context: ProxyContext): void {
    const { services } = this.#deps;
    this.#isAllDirty = false;
    this.#dirty.clear();
    const keys = new Set(services.lister.list().map(objectKey));
    for (const owner of this.#rules.owners())
      if (owner !== nodeOwner && owner !== rangesOwner && !keys.has(owner)) this.#rules.set(owner, undefined);
    for (const key of [...keys, rangesOwner]) this.#plan(key, context);
    const localPods = context.localPodCIDRs.map((key) => ({ set: 'local_pods' as const, key }));
    this.#rules.set(nodeOwner, { elements: localPods, objects: new Map(), balancers: new Set() });
  }

  #planDirty(context: ProxyContext): void {
    const keys = [...this.#dirty];
    this.#isAllDirty = false;
    this.#dirty.clear();
    for (const key of keys) this.#plan(key, context);
  }

  #plan(key: string, context: ProxyContext): void {
    const { services, slices, serviceCIDRs } = this.#deps;
    if (key === rangesOwner) return this.#rules.set(key, planServiceRanges(serviceCIDRs.lister.list()));
    const service = services.lister.get(key);
    const contribution: Contribution | undefined =
      service && planService(service, slices.lister.byIndex(byService, key), context);
    this.#rules.set(key, contribution);
  }

  /** Tells on our Node which load balancer ports a process of this host has taken. */
  async #reportBusyPorts({ linkAddress }: ProxyContext, signal: AbortSignal): Promise<void> {
    const { client, nodes, nodeName, services, listeningPorts } = this.#deps;
    const asked = new Set(
      services.lister
        .list()
        .flatMap((s) =>
          s.spec.type === 'LoadBalancer'
            ? (s.spec.ports ?? []).map((p) => `${(p.protocol ?? 'TCP').toLowerCase()} ${p.port}`)
            : [],
        ),
    );
    const taken = asked.size === 0 ? new Set<string>() : listeningPorts(linkAddress);
    const busy = [...asked].filter((port) => taken.has(port)).sort();
    const text = busy.length === 0 ? undefined : JSON.stringify(busy);
    const reported = nodes.lister.get(nodeName)?.metadata.annotations?.[ANNOTATION_BUSY_PORTS];
    if (text === reported) return;
    await client.patch(
      nodeResource,
      nodeName,
      undefined,
      'merge',
      { metadata: { annotations: { [ANNOTATION_BUSY_PORTS]: text ?? null } } },
      { signal },
    );
  }
}
