import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { apiservices, endpointslices, services } from '../../shared/api/generated/resources.js';
import type { APIService } from '../../shared/api/generated/types.js';
import { getCondition, setCondition, type AnyCondition } from '../../shared/api/condition.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import type { Clock } from '../../shared/clock/clock.js';
import { isConflict, isNotFound } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import type { KeyPair } from '../../shared/pki/certificate.js';
import type { CacheEvent } from '../cache/event-ring.js';
import { systemWrite } from '../bootstrap/system-objects.js';
import type { RemoteVersion } from '../discovery/documents.js';
import type { GroupOrder } from '../discovery/priorities.js';
import { header, type Exchange } from '../http/exchange.js';
import type { RemoteOpenApi } from '../openapi/openapi.js';
import { timestamp } from '../registry/object-metadata.js';
import type { ObjectReader } from '../registry/object-reader.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import type { ResolveService } from '../services/service-resolver.js';
import { passedHeaders, tunnel } from '../subresources/stream-tunnel.js';
import { forward, type Headers } from '../subresources/forward.js';
import { failedDiscovery, local, passed, serviceFault, type Availability } from './availability.js';
import { ExtensionClient, serverNameOf } from './extension-client.js';
import { groupOrder } from './group-order.js';
import { sendUnavailable } from './unavailable.js';
import { readResourceList } from './remote-discovery.js';
import { fetchOpenApi } from './remote-open-api.js';
import { withRemoteUser } from './remote-user.js';

export interface AggregatorOptions {
  readonly registry: ResourceRegistry;
  readonly objects: ObjectReader;
  readonly resolve: ResolveService;
  readonly clock: Clock;
  readonly log: Log;
  /** What the server shows to extension servers. */
  readonly client?: KeyPair;
}

/** What others serve, for the documents that describe everything. Another object after each change. */
export interface Aggregated {
  readonly versions: readonly RemoteVersion[];
  readonly order: GroupOrder;
  readonly openApi: readonly RemoteOpenApi[];
}

type Stored = APIService & KubernetesObject;

/** One group and version that somebody else serves. */
interface Remote {
  stored: Stored;
  availability: Availability | undefined;
  version: RemoteVersion;
  openApi: RemoteOpenApi | undefined;
  isChecking: boolean;
  isDirty: boolean;
  failures: number;
  cancelTimer: () => void;
}

const recheckMs = 30_000;
const firstRetryMs = 1_000;
const maxListBytes = 4 * 1024 * 1024;

/**
 * Serves the groups that extension servers serve: passes requests on to their Services and keeps the condition Available.
 *
 *     APIService with spec.service -> Service there? endpoints? -> GET /apis/GROUP/VERSION -> Available, discovery, OpenAPI
 *                                  \-> request -> connection with the front proxy's certificate, X-Remote-* headers
 *
 * Nothing but the requests for a group waits for its server: what it serves is told from memory.
 */
export class Aggregator {
  readonly #options: AggregatorOptions;
  readonly #client: ExtensionClient;
  readonly #remotes = new Map<string, Remote>();
  #end: (() => void)[] = [];
  #aggregated: Aggregated | undefined;
  #openApi: readonly RemoteOpenApi[] = [];
  #hasStopped = false;

  constructor(options: AggregatorOptions) {
    this.#options = options;
    this.#client = new ExtensionClient(options.resolve, options.clock, options.client);
  }

  start(): void {
    const { objects } = this.#options;
    const follow = (resource: Resource, take: (event: CacheEvent) => void): void => {
      const cache = objects.cacheOf(resource);
      if (cache) this.#end.push(cache.onChange(take));
    };
    follow(apiservices, ({ type, current, previous }) => {
      const stored = current.object as unknown as Stored;
      const isSame = previous && isSameSpec(stored, previous.object as unknown as Stored);
      if (!isSame || type !== 'MODIFIED') this.#aggregated = undefined;
      this.#take(stored, type !== 'DELETED');
    });
    follow(services, ({ current: { object } }) => this.#recheck(object.metadata.namespace, object.metadata.name));
    follow(endpointslices, ({ current: { object } }) =>
      this.#recheck(object.metadata.namespace, object.metadata.labels?.['kubernetes.io/service-name']),
    );
    for (const stored of objects.list(apiservices)) this.#take(stored as unknown as Stored, true);
  }

  stop(): void {
    this.#hasStopped = true;
    for (const end of this.#end) end();
    for (const remote of this.#remotes.values()) remote.cancelTimer();
    this.#client.close();
  }

  /** What is told of the others at the moment; the same object as long as nothing has changed. */
  readonly aggregated = (): Aggregated => {
    if (this.#aggregated) return this.#aggregated;
    const openApi = [...this.#remotes.values()].flatMap((remote) => remote.openApi ?? []);
    const isSame = openApi.length === this.#openApi.length && openApi.every((one, at) => one === this.#openApi[at]);
    // The same array when nothing of it has changed: documents are not made again.
    if (!isSame) this.#openApi = openApi;
    this.#aggregated = {
      versions: [...this.#remotes.values()].map(({ version }) => version),
      order: groupOrder(this.#options.objects),
      openApi: this.#openApi,
    };
    return this.#aggregated;
  };

  /** Whether requests for a path go to an extension server. */
  serves(exchange: Exchange): boolean {
    return this.#remotes.size > 0 && this.#find(exchange) !== undefined;
  }

  /** Passes a request on. */
  async handle(exchange: Exchange): Promise<void> {
    const remote = this.#find(exchange);
    const options = remote && this.#target(remote);
    if (!remote || !options) {
      sendUnavailable(exchange, 'service unavailable');
      return;
    }
    const path = exchange.request.url ?? exchange.info.path;
    try {
      await forward(exchange, { isTls: true, options: { ...options, path }, headers: headersFor(exchange, remote) });
    } catch (error) {
      if (exchange.response.headersSent) return;
      sendUnavailable(exchange, `error trying to reach service: ${(error as Error).message}`);
    }
  }

  /** The same for a request that wants another protocol. */
  async upgrade(exchange: Exchange, socket: Duplex, head: Buffer): Promise<void> {
    const remote = this.#find(exchange);
    const options = remote && this.#target(remote);
    if (!remote || !options) {
      sendUnavailable(exchange, 'service unavailable');
      return;
    }
    const request = exchange.request as IncomingMessage;
    const headers = headersFor(exchange, remote);
    await tunnel(request, socket, head, { isTls: true, options: { ...options, path: request.url ?? '/' }, headers });
  }

  #find({ info }: Exchange): Remote | undefined {
    if (info.isResourceRequest) return this.#remotes.get(`${info.version}.${info.group}`);
    const [, root, group = '', version = '', ...more] = info.path.split('/');
    if (root !== 'apis' || more.some((part) => part !== '')) return undefined;
    return this.#remotes.get(`${version}.${group}`);
  }

  /** Undefined while the server is known to be away. */
  #target({ stored, availability }: Remote): ReturnType<ExtensionClient['target']> | undefined {
    if (availability?.status !== 'True') return undefined;
    try {
      return this.#client.target(stored.spec);
    } catch {
      // Its last endpoint has just gone: the check that follows says so in the status.
      return undefined;
    }
  }

  #take(stored: Stored, isPresent: boolean): void {
    const { name } = stored.metadata;
    const known = this.#remotes.get(name);
    if (!isPresent || !stored.spec.service) {
      known?.cancelTimer();
      this.#remotes.delete(name);
      if (isPresent) this.#keepLocal(stored);
      return;
    }
    if (known && known.stored.metadata.uid === stored.metadata.uid) {
      const isSame = isSameSpec(known.stored, stored);
      known.stored = stored;
      if (!isSame) this.#check(known);
      return;
    }
    known?.cancelTimer();
    const { group = '', version = '' } = stored.spec;
    const remote: Remote = {
      stored,
      // What was true before a restart is believed until it has been looked at.
      availability: getCondition(stored.status?.conditions as AnyCondition[] | undefined, 'Available') as
        Availability | undefined,
      version: { group, version, resources: [], isStale: true },
      openApi: undefined,
      isChecking: false,
      isDirty: false,
      failures: 0,
      cancelTimer: () => {},
    };
    this.#remotes.set(name, remote);
    this.#check(remote);
  }

  #recheck(namespace: string | undefined, name: string | undefined): void {
    for (const remote of this.#remotes.values()) {
      const { service } = remote.stored.spec;
      if (service?.namespace === namespace && service?.name === name) this.#check(remote);
    }
  }

  #isCurrent(remote: Remote): boolean {
    return !this.#hasStopped && this.#remotes.get(remote.stored.metadata.name) === remote;
  }

  /** One check at a time; what happens during one asks for another. */
  #check(remote: Remote): void {
    remote.isDirty = true;
    if (remote.isChecking) return;
    remote.isChecking = true;
    remote.cancelTimer();
    // Not within the change that is being told.
    setImmediate(() => void this.#run(remote));
  }

  async #run(remote: Remote): Promise<void> {
    while (remote.isDirty && this.#isCurrent(remote)) {
      remote.isDirty = false;
      const availability = await this.#look(remote);
      if (!this.#isCurrent(remote)) return;
      remote.availability = availability;
      remote.failures = availability.status === 'True' ? 0 : remote.failures + 1;
      await this.#write(remote.stored.metadata.name, availability);
    }
    remote.isChecking = false;
    if (!this.#isCurrent(remote)) return;
    const { failures } = remote;
    const delayMs = failures === 0 ? recheckMs : Math.min(recheckMs, firstRetryMs * 2 ** Math.min(failures - 1, 10));
    remote.cancelTimer = this.#options.clock.schedule(delayMs, () => this.#check(remote));
  }

  async #look(remote: Remote): Promise<Availability> {
    const { spec } = remote.stored;
    const { group = '', version = '' } = spec;
    const fault = serviceFault(spec, this.#options.objects);
    if (fault) {
      this.#describe(remote, { ...remote.version, isStale: true });
      return fault;
    }
    const path = `/apis/${group}/${version}`;
    let url = `https://${serverNameOf(spec.service)}:${spec.service?.port ?? 443}${path}`;
    try {
      const { host, port } = this.#client.target(spec);
      url = `https://${host}:${port ?? 443}${path}`;
      const { code, body } = await this.#client.get(spec, path, { accept: 'application/json', maxBytes: maxListBytes });
      if (code < 200 || code > 299) throw new Error(`bad status from ${url}: ${code}`);
      const resources = readResourceList(JSON.parse(body.toString('utf8')), group, version);
      const openApi = await fetchOpenApi(this.#client, spec);
      this.#describe(remote, { group, version, resources, isStale: false }, openApi);
      return passed;
    } catch (error) {
      this.#describe(remote, { ...remote.version, isStale: true });
      return failedDiscovery(url, (error as Error).message);
    }
  }

  #describe(remote: Remote, version: RemoteVersion, openApi = remote.openApi): void {
    if (!this.#isCurrent(remote)) return;
    const isSame =
      JSON.stringify(remote.version) === JSON.stringify(version) &&
      remote.openApi?.v3?.hash === openApi?.v3?.hash &&
      remote.openApi?.v2Hash === openApi?.v2Hash;
    if (isSame) return;
    remote.version = version;
    remote.openApi = openApi;
    this.#aggregated = undefined;
  }

  #keepLocal({ metadata, status }: Stored): void {
    const found = getCondition(status?.conditions as AnyCondition[] | undefined, 'Available');
    if (found?.reason !== 'Local') setImmediate(() => void this.#write(metadata.name, local));
  }

  async #write(name: string, availability: Availability): Promise<void> {
    const { registry, clock, log } = this.#options;
    const { store } = registry.of(apiservices);
    const next = (current: KubernetesObject): readonly AnyCondition[] => {
      const { status } = current as unknown as APIService;
      const before = (status?.conditions ?? []) as AnyCondition[];
      return setCondition(before, { ...availability }, timestamp(clock.now()));
    };
    try {
      const found = store.find(undefined, name)?.object;
      if (!found || next(found) === (found as unknown as APIService).status?.conditions) return;
      await store.modify(undefined, name, systemWrite, { subresource: 'status' }, (current) => {
        (current as unknown as { status: object }).status = { conditions: [...next(current)] };
        return current;
      });
    } catch (error) {
      if (this.#hasStopped || isNotFound(error) || isConflict(error)) return;
      log.warn('the status of an APIService could not be written', { apiService: name, error });
    }
  }
}

const isSameSpec = (a: Stored, b: Stored): boolean => JSON.stringify(a.spec) === JSON.stringify(b.spec);

function headersFor(exchange: Exchange, { stored }: Remote): Headers {
  const headers = withRemoteUser(passedHeaders(exchange.request), exchange.user);
  headers['host'] = serverNameOf(stored.spec.service);
  headers['audit-id'] = exchange.auditId;
  const before = header(exchange.request, 'x-forwarded-for');
  const address = exchange.request.socket.remoteAddress ?? '';
  headers['x-forwarded-for'] = before ? `${before}, ${address}` : address;
  return headers;
}
