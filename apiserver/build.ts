import { servicecidrs } from '../shared/api/generated/resources.js';
import { version } from '../shared/api/version.js';
import type { Clock } from '../shared/clock/clock.js';
import { ApiEventRecorder } from '../shared/controller/event-recorder.js';
import type { Log } from '../shared/log/log.js';
import { addProcessMetrics } from '../shared/metrics/process-metrics.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import type { KeyPair } from '../shared/pki/certificate.js';
import { buildAdmission, type Admission } from './admission/build-admission.js';
import type { AdmissionConfiguration } from './admission/configuration/admission-configuration.js';
import { Aggregator } from './aggregation/aggregator.js';
import { AddressRange } from './allocation/address-range.js';
import { ServiceRanges } from './allocation/service-ranges.js';
import { ServiceAllocator } from './allocation/service-allocator.js';
import { AuditBackends, type AuditTargets } from './audit/audit-backends.js';
import type { AuditPolicy } from './audit/policy.js';
import type { Auditor } from './audit/request-audit.js';
import { Authenticator, type AnonymousRule, type TokenAuthenticator } from './authentication/authenticator.js';
import { BootstrapAuthenticator } from './authentication/bootstrap-authenticator.js';
import { ServiceAccountAuthenticator } from './authentication/service-account-authenticator.js';
import { TokenSigner } from './authentication/service-account-token.js';
import { TokenIssuer } from './authentication/token-request.js';
import {
  AuthorizationChain,
  usualAuthorizers,
  type ConfiguredAuthorizer,
} from './authorization/authorization-chain.js';
import type { Authorizer } from './authorization/authorizer.js';
import { NodeAuthorizer } from './authorization/node-authorizer.js';
import { RbacAuthorizer } from './authorization/rbac-authorizer.js';
import { RoleEscalation } from './authorization/role-escalation.js';
import type { DiscoverableResource } from './discovery/discoverable.js';
import { COMPONENT_STATUSES } from './discovery/served-resources.js';
import { ensureDefaultRoles } from './bootstrap/default-roles.js';
import { FlowControl } from './flowcontrol/flow-control.js';
import { FlowSchemaStatus } from './flowcontrol/flow-schema-status.js';
import { FlowControlObjects } from './bootstrap/flow-control-objects.js';
import { LocalApiServices } from './bootstrap/local-api-services.js';
import { ensureExtensionAuthentication, type FrontProxy } from './bootstrap/extension-authentication.js';
import { EventSweeper } from './bootstrap/event-sweeper.js';
import { KubernetesService } from './bootstrap/kubernetes-service.js';
import { registryEvents } from './bootstrap/registry-events.js';
import { ServiceAddresses } from './bootstrap/service-addresses.js';
import { ServiceRepair } from './bootstrap/service-repair.js';
import { PolicyStatus } from './bootstrap/policy-status.js';
import { ensureSystemObjects } from './bootstrap/system-objects.js';
import { CacheHub } from './cache/cache-hub.js';
import { FanOut } from './cache/fan-out.js';
import { FrameCache } from './cache/frames.js';
import { addDiscovery } from './http/discovery-paths.js';
import { addFlowControlDumps } from './http/flow-control-paths.js';
import { NonResourceHandler } from './http/non-resource-handler.js';
import { addOpenApi } from './http/openapi-paths.js';
import { Peers } from './http/peer.js';
import { Pipeline, type Handler } from './http/pipeline.js';
import { addPublicPaths } from './http/public-paths.js';
import { Representations } from './http/representations.js';
import { createRequestMetrics } from './http/request-metrics.js';
import { ResourceHandler } from './http/resource-handler.js';
import { ResourceReader } from './http/resource-reader.js';
import { ResourceWriter } from './http/resource-writer.js';
import { SchemaCodec } from './http/schema-codec.js';
import { ApiServer, type TlsFiles, type TlsSettings } from './http/server.js';
import { BrowserHeaders, type BrowserHeaderOptions } from './http/browser-headers.js';
import type { DefaultTolerations } from './admission/default-toleration-seconds.js';
import { conversionMetrics } from './extension/conversion-metrics.js';
import { ExtensionController } from './extension/extension-controller.js';
import type { ResourceDefinition } from './registry/definition.js';
import { generateName } from './registry/object-metadata.js';
import { ObjectReader } from './registry/object-reader.js';
import { ProtobufCodec } from './protobuf/codec.js';
import { ResourceRegistry } from './registry/resource-registry.js';
import { SchemaFieldManagement } from './registry/schema-field-management.js';
import type { Schemas } from './schema/schemas.js';
import { serviceResolver } from './services/service-resolver.js';
import type { Storage } from './storage/storage.js';
import { bindingResources } from './subresources/binding.js';
import { componentStatuses, storageHealth, type ComponentProbe } from './subresources/component-statuses.js';
import { ApiCatalogue } from './http/api-catalogue.js';
import { DisruptionBudgets } from './subresources/disruption-budgets.js';
import { Kubelets } from './subresources/kubelet-location.js';
import { reviewResources } from './subresources/reviews.js';
import { subresourceHandlers } from './subresources/subresource-handlers.js';
import { Upgrades } from './subresources/upgrades.js';

/** How is served; what is absent is as in the original. */
export interface ServingOptions {
  /** How long events are kept. */
  readonly eventTtlMs?: number;
  /** In how much time whatever is no stream must be answered. */
  readonly requestTimeoutMs?: number;
  /** How long requests are still taken after /readyz has begun to fail. */
  readonly shutdownDelayMs?: number;
  readonly tlsMinVersion?: TlsSettings['minVersion'];
  /** As OpenSSL calls them. */
  readonly cipherSuites?: readonly string[];
  readonly browser?: BrowserHeaderOptions;
  readonly tolerations?: DefaultTolerations;
}

export interface ApiserverOptions {
  /** Open; closed by whoever opened it. */
  readonly storage: Storage;
  readonly definitions: readonly ResourceDefinition[];
  readonly schemas: Schemas;
  readonly clock: Clock;
  readonly log: Log;
  readonly newUid: () => string;
  /** 0 <= x < 1. */
  readonly random: () => number;
  readonly tls: TlsFiles;
  readonly bindAddress: string;
  /** 0 takes a free one. */
  readonly securePort: number;
  /** Where pods and other hosts reach this server: never loopback. */
  readonly advertiseAddress: string;
  /** PEM of the P-256 key that signs ServiceAccount tokens. */
  readonly serviceAccountKey: string;
  readonly serviceAccountIssuer: string;
  /** With which the kubelets' API is called; without it logs, exec and the like are refused. */
  readonly kubeletClient?: KeyPair;
  /** How extension servers know this one; without it they see nobody's certificate. */
  readonly frontProxy?: FrontProxy;
  readonly serviceClusterIpRange: string;
  readonly nodePorts: { readonly first: number; readonly last: number };
  /** Whom ComponentStatus asks besides the store. */
  readonly components?: readonly ComponentProbe[];
  /** Adds what is known outside to the server's metrics. */
  readonly addMetrics?: (metrics: MetricsRegistry) => void;
  /** Tokens that others have issued, looked into after our own. */
  readonly tokenAuthenticators?: readonly TokenAuthenticator[];
  /** Who shows nothing is refused on other paths; absent: nowhere. */
  readonly letsInAnonymous?: AnonymousRule;
  /** Who is asked what users may, in order; another array after each change. Default: nodes, then roles. */
  readonly authorizers?: () => readonly ConfiguredAuthorizer[];
  readonly serving?: ServingOptions;
  /** Whether bootstrap tokens are looked into. Default: yes. */
  readonly takesBootstrapTokens?: boolean;
  /** Who did what is written there; absent: nowhere. */
  readonly audit?: { readonly policy: AuditPolicy } & AuditTargets;
  /** Requests that are answered at once, divided among the priority levels. */
  readonly serverSeats?: number;
  /** Names of admission plugins that are off. */
  readonly disabledAdmission?: readonly string[];
  /** Names of admission plugins that are on although they are off by default. */
  readonly enabledAdmission?: readonly string[];
  /** What a file tells the admission plugins. */
  readonly admissionConfiguration?: AdmissionConfiguration;
}

/** A running API server. */
export interface Apiserver {
  readonly port: number;
  readonly registry: ResourceRegistry;
  /** Fails readiness, ends watches in order, lets answers finish, stops listening. */
  stop(): Promise<void>;
}

/** What is made once and used by many parts. */
interface Core {
  readonly hub: CacheHub;
  readonly fanOut: FanOut;
  readonly objects: ObjectReader;
  readonly registry: ResourceRegistry;
  readonly codec: SchemaCodec;
  readonly protobuf: ProtobufCodec;
  readonly admission: Admission;
  readonly fieldManagement: SchemaFieldManagement;
  readonly signer: TokenSigner;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
}

const stopGraceMs = 5_000;
/** As many requests at once as the original by default: 400 that read and 200 that write. */
const defaultServerSeats = 600;

/** Opens the caches, makes sure of the objects that every cluster has, and serves. */
export async function startApiserver(options: ApiserverOptions): Promise<Apiserver> {
  const { clock, log, storage, serving = {} } = options;
  const metrics = new MetricsRegistry();
  const core = await buildCore(options, metrics);
  const { hub, registry, fanOut } = core;
  const state = { isStopping: false, port: options.securePort };
  addProcessMetrics(metrics, version);
  options.addMetrics?.(metrics);
  const paths = new NonResourceHandler();
  const serverUrl = (): string => `https://${options.advertiseAddress}:${state.port}`;
  const isStopping = (): boolean => state.isStopping;
  addPublicPaths(paths, { ...core, storage, metrics, issuer: options.serviceAccountIssuer, serverUrl, isStopping });
  const kubelets = new Kubelets(core.objects, options.kubeletClient, options.tls.clientCa);
  const upgrades = new Upgrades(registry, { objects: core.objects, kubelets, random: options.random });
  const aggregator = new Aggregator({
    registry,
    objects: core.objects,
    resolve: serviceResolver(core.objects, options.random),
    clock,
    log,
    ...(options.frontProxy ? { client: options.frontProxy.client } : {}),
  });
  const { handle, served } = buildHandler(options, core, { paths, kubelets, aggregator });
  const flowObjects = new FlowControlObjects(registry, clock, log);
  const serverSeats = options.serverSeats ?? defaultServerSeats;
  const flowControl = new FlowControl({ registry, clock, metrics, random: options.random, serverSeats });
  addFlowControlDumps(paths, () => flowControl.dump());
  const flowStatus = new FlowSchemaStatus(registry, clock, log);
  const localServices = new LocalApiServices(registry);
  const extensions = new ExtensionController({
    ...core,
    clock,
    log,
    client: core.admission.client,
    newUid: options.newUid,
    measureConversion: conversionMetrics(metrics, clock),
    metadata: options.schemas.type('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'),
    onChange: (groupVersions) => localServices.sync('true', groupVersions),
  });
  await Promise.all([
    ensureSystemObjects(registry).then(() =>
      Promise.all([
        ensureDefaultRoles(registry),
        ensureExtensionAuthentication(registry, options.tls.clientCa, options.frontProxy),
      ]),
    ),
    localServices.sync('onstart', served),
    flowObjects.start(),
  ]);
  aggregator.start();
  flowControl.start();
  flowStatus.start();
  await extensions.start();
  const auditLog = options.audit && new AuditBackends(options.audit, { clock, log, metrics });
  const pipeline = new Pipeline({
    ...core,
    ...(options.audit && auditLog ? { auditor: auditorOf(options.audit.policy, auditLog, core.codec, clock) } : {}),
    peers: new Peers(),
    metrics: createRequestMetrics(metrics),
    clock,
    log,
    newUid: options.newUid,
    encodeProtobuf: (object) => core.protobuf.encode(object),
    handle,
    upgrade: (exchange, socket, head) =>
      aggregator.serves(exchange)
        ? aggregator.upgrade(exchange, socket, head)
        : upgrades.handle(exchange, socket, head),
    flowControl,
    browser: new BrowserHeaders(serving.browser ?? {}),
    requestTimeoutMs: serving.requestTimeoutMs,
  });
  const server = new ApiServer({
    tls: { ...options.tls, minVersion: serving.tlsMinVersion, ciphers: serving.cipherSuites },
    clock,
    handle: (request, response) => pipeline.handle(request, response),
    upgrade: (request, socket, head) => pipeline.upgrade(request, socket, head),
  });
  state.port = await server.listen(options.bindAddress, options.securePort);
  const kubernetes = new KubernetesService({
    registry,
    clock,
    log,
    clusterAddress: new AddressRange(options.serviceClusterIpRange).at(1),
    advertiseAddress: options.advertiseAddress,
    securePort: state.port,
  });
  await kubernetes.start();
  const recorderOf = (component: string): ApiEventRecorder =>
    new ApiEventRecorder({ client: registryEvents(registry), clock, log, component });
  const addressEvents = recorderOf('ipallocator-repair-controller');
  const portEvents = recorderOf('portallocator-repair-controller');
  const { serviceClusterIpRange: range, nodePorts } = options;
  const addresses = new ServiceAddresses({ registry, clock, log, range, events: addressEvents });
  await addresses.start();
  const repair = new ServiceRepair({ registry, clock, log, addressEvents, portEvents, range, nodePorts });
  repair.start();
  const sweeper = new EventSweeper(registry, { clock, log, lifetimeMs: serving.eventTtlMs });
  sweeper.start();
  const policyStatus = new PolicyStatus({ registry, structure: (name) => options.schemas.type(name), clock, log });
  policyStatus.start();
  return {
    port: state.port,
    registry,
    stop: async () => {
      state.isStopping = true;
      if (serving.shutdownDelayMs) await clock.sleep(serving.shutdownDelayMs);
      kubernetes.stop();
      addresses.stop();
      repair.stop();
      await Promise.all([addressEvents.stop(), portEvents.stop()]);
      sweeper.stop();
      policyStatus.stop();
      aggregator.stop();
      flowObjects.stop();
      flowControl.stop();
      flowStatus.stop();
      extensions.stop();
      fanOut.finishAll();
      await server.close(stopGraceMs);
      pipeline.stop();
      await auditLog?.close();
      kubelets.close();
      core.admission.close();
      hub.stop();
    },
  };
}

async function buildCore(options: ApiserverOptions, metrics: MetricsRegistry): Promise<Core> {
  const { storage, clock, definitions, random, newUid, serviceAccountIssuer: issuer } = options;
  const hub = new CacheHub(storage);
  await hub.start(definitions);
  const fanOut = new FanOut(clock);
  hub.onBatch(() => fanOut.notify());
  hub.onEnd((cache) => fanOut.finish(cache));
  const objects = new ObjectReader(definitions, hub);
  const signer = new TokenSigner(options.serviceAccountKey);
  const fieldManagement = new SchemaFieldManagement(options.schemas, () => registry.definitions);
  const services = definitions.find(({ resource }) => resource.group === '' && resource.resource === 'services');
  const allocator =
    services &&
    new ServiceAllocator({
      ranges: new ServiceRanges(new AddressRange(options.serviceClusterIpRange), objects.cacheOf(servicecidrs)),
      nodePorts: options.nodePorts,
      services: hub.cacheOf(services),
      random,
    });
  const rbac = new RbacAuthorizer(objects);
  const builtIn = { Node: new NodeAuthorizer(objects), RBAC: rbac };
  const authorizer = new AuthorizationChain(options.authorizers ?? usualAuthorizers(), builtIn, metrics);
  const escalation = new RoleEscalation(authorizer, rbac);
  const kinds = new Set(definitions.map(({ resource }) => `${resource.apiVersion} ${resource.kind}`));
  const isKnownKind = (apiVersion: string, kind: string): boolean =>
    kinds.has(`${apiVersion} ${kind}`) ||
    registry.definitions.some(({ resource }) => resource.apiVersion === apiVersion && resource.kind === kind);
  const protobuf = new ProtobufCodec(options.schemas);
  const codec = new SchemaCodec(options.schemas, protobuf, isKnownKind);
  const admission = buildAdmission({
    objects,
    definitions: () => registry.definitions,
    codec,
    structure: (name) => options.schemas.type(name),
    authorizer,
    clock,
    metrics,
    log: options.log,
    newUid,
    random,
    randomSuffix: () => generateName('', random),
    ...(options.disabledAdmission ? { disabled: options.disabledAdmission } : {}),
    ...(options.enabledAdmission ? { enabled: options.enabledAdmission } : {}),
    tolerations: options.serving?.tolerations,
    ...(options.admissionConfiguration ? { configuration: options.admissionConfiguration } : {}),
  });
  const registry: ResourceRegistry = new ResourceRegistry(definitions, {
    storage,
    hub,
    clock,
    admission: admission.chain,
    fieldManagement,
    newUid,
    random,
    checkGrant: (request) => escalation.check(request),
    reserve: (definition, next, old) => (definition === services ? allocator?.reserve(next, old) : undefined),
  });
  const tokens = [
    new ServiceAccountAuthenticator({ signer, issuer, objects, clock }),
    ...(options.takesBootstrapTokens === false ? [] : [new BootstrapAuthenticator(objects, clock)]),
    ...(options.tokenAuthenticators ?? []),
  ];
  return {
    hub,
    fanOut,
    objects,
    registry,
    codec,
    protobuf,
    admission,
    fieldManagement,
    signer,
    authenticator: new Authenticator(tokens, [issuer], options.letsInAnonymous),
    authorizer,
  };
}

function auditorOf(policy: AuditPolicy, log: AuditBackends, codec: SchemaCodec, clock: Clock): Auditor {
  return { policy, log, clock, readBody: (bytes, contentType) => codec.readBody(bytes, contentType) };
}

interface Built {
  readonly handle: Handler;
  readonly served: readonly DiscoverableResource[];
}

interface HandlerParts {
  readonly paths: NonResourceHandler;
  readonly kubelets: Kubelets;
  readonly aggregator: Aggregator;
}

function buildHandler(options: ApiserverOptions, core: Core, { paths, kubelets, aggregator }: HandlerParts): Built {
  const { storage, clock, random, newUid, serviceAccountIssuer: issuer } = options;
  const { hub, fanOut, registry, codec, protobuf, fieldManagement, signer, objects } = core;
  const watch = { hub, storage, fanOut, frames: new FrameCache(), clock, random };
  const reader = new ResourceReader(watch, new Representations(clock, protobuf));
  const writer = new ResourceWriter({ codec, reader, fieldManagement, hub, storage });
  const virtual = new Map([...reviewResources(core), ...bindingResources(codec, registry)]);
  const store = { name: 'etcd-0', check: () => storageHealth(storage) };
  const resources = new ResourceHandler({
    registry,
    reader,
    writer,
    subresources: subresourceHandlers({
      codec,
      reader,
      clock,
      tokens: new TokenIssuer({ signer, issuer, objects, clock, newUid }),
      kubelets,
      proxy: { objects, kubelets, random },
      budgets: new DisruptionBudgets(registry.find('policy', 'v1', 'poddisruptionbudgets'), clock),
    }),
    virtual,
    computed: new Map([[COMPONENT_STATUSES, componentStatuses([...(options.components ?? []), store], clock)]]),
  });
  const serverAddress = (): string => `${options.advertiseAddress}:${options.securePort}`;
  const { aggregated } = aggregator;
  const catalogue = new ApiCatalogue(registry, virtual.keys(), options.schemas, () => aggregated().openApi);
  addDiscovery(paths, { resources: catalogue.resources, elsewhere: aggregated, serverAddress });
  addOpenApi(paths, catalogue.openApi);
  return {
    handle: (exchange) => {
      if (aggregator.serves(exchange)) return aggregator.handle(exchange);
      return exchange.info.isResourceRequest ? resources.handle(exchange) : paths.handle(exchange);
    },
    served: catalogue.resources(),
  };
}
