import { randomUUID } from 'node:crypto';
import type { Clock } from '../shared/clock/clock.js';
import type { Log } from '../shared/log/log.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import { addProcessMetrics } from '../shared/metrics/process-metrics.js';
import { AdmissionChain } from './admission/admission.js';
import { Authenticator } from './authentication/authenticator.js';
import { BootstrapAuthenticator } from './authentication/bootstrap-authenticator.js';
import { ServiceAccountAuthenticator } from './authentication/service-account-authenticator.js';
import { TokenSigner } from './authentication/service-account-token.js';
import { UnionAuthorizer } from './authorization/authorizer.js';
import { builtinPolicy } from './authorization/builtin-policy.js';
import { PolicyAuthorizer } from './authorization/policy-authorizer.js';
import { ensureSystemObjects } from './bootstrap/system-objects.js';
import { CacheHub } from './cache/cache-hub.js';
import { FanOut } from './cache/fan-out.js';
import { FrameCache } from './cache/frames.js';
import { addHealth } from './http/health.js';
import { NonResourceHandler } from './http/non-resource-handler.js';
import { Peers } from './http/peer.js';
import { Pipeline } from './http/pipeline.js';
import { Representations } from './http/representations.js';
import { createRequestMetrics } from './http/request-metrics.js';
import { ResourceHandler } from './http/resource-handler.js';
import { ResourceReader } from './http/resource-reader.js';
import { ResourceWriter } from './http/resource-writer.js';
import { sendBytes, sendJson } from './http/respond.js';
import { SchemaCodec } from './http/schema-codec.js';
import { ApiServer, type TlsFiles } from './http/server.js';
import { versionInfo } from './http/version.js';
import type { ResourceDefinition } from './registry/definition.js';
import type { FieldManagement } from './registry/field-management.js';
import { ObjectReader } from './registry/object-reader.js';
import { ResourceRegistry } from './registry/resource-registry.js';
import type { Schemas } from './schema/schemas.js';
import type { Storage } from './storage/storage.js';

export interface ApiserverOptions {
  /** Open; closed by whoever opened it. */
  readonly storage: Storage;
  readonly definitions: readonly ResourceDefinition[];
  readonly schemas: Schemas;
  readonly clock: Clock;
  readonly log: Log;
  readonly tls: TlsFiles;
  readonly bindAddress: string;
  /** 0 takes a free one. */
  readonly securePort: number;
  /** PEM of the P-256 key that signs ServiceAccount tokens. */
  readonly serviceAccountKey: string;
  readonly serviceAccountIssuer: string;
}

/** A running API server. */
export interface Apiserver {
  readonly port: number;
  readonly registry: ResourceRegistry;
  /** Ends watches in order, lets answers finish, stops listening. */
  stop(): Promise<void>;
}

const stopGraceMs = 5_000;

/** Opens the caches, makes sure of the objects that every cluster has, and serves. */
export async function startApiserver(options: ApiserverOptions): Promise<Apiserver> {
  const { storage, clock, log, definitions } = options;
  const hub = new CacheHub(storage);
  await hub.start(definitions);
  const objects = new ObjectReader(definitions, hub);
  const signer = new TokenSigner(options.serviceAccountKey);
  const fieldManagement: FieldManagement = { trackUpdate: () => {}, apply: (_request, _live, applied) => applied };
  const registry = new ResourceRegistry(definitions, {
    storage,
    hub,
    clock,
    admission: new AdmissionChain([]),
    fieldManagement,
    newUid: randomUUID,
    random: Math.random,
  });
  await ensureSystemObjects(registry);
  const fanOut = new FanOut(clock);
  hub.onBatch(() => fanOut.notify());
  const watch = { hub, storage, fanOut, frames: new FrameCache(), clock, random: Math.random };
  const reader = new ResourceReader(watch, new Representations(() => ({}), clock));
  const kinds = new Set(definitions.map(({ resource }) => `${resource.apiVersion} ${resource.kind}`));
  const codec = new SchemaCodec(options.schemas, (apiVersion, kind) => kinds.has(`${apiVersion} ${kind}`));
  const writer = new ResourceWriter({ codec, reader, fieldManagement, hub, storage });
  const resources = new ResourceHandler({ registry, reader, writer, subresources: new Map(), virtual: new Map() });
  const state = { isStopping: false };
  const metrics = new MetricsRegistry();
  addProcessMetrics(metrics);
  const paths = new NonResourceHandler();
  addHealth(paths, [
    { name: 'ping', check: () => undefined },
    {
      name: 'storage',
      check: () => {
        const { mode, reason } = storage.health();
        return mode === 'read-write' ? undefined : (reason ?? mode);
      },
    },
    { name: 'shutdown', isReadiness: true, check: () => (state.isStopping ? 'the server is stopping' : undefined) },
  ]);
  paths.add('/version', (exchange) => sendJson(exchange, 200, versionInfo));
  paths.add('/metrics', (exchange) =>
    sendBytes(exchange, 200, 'text/plain; version=0.0.4; charset=utf-8', Buffer.from(metrics.render())),
  );
  paths.add('/openid/v1/jwks', (exchange) => sendJson(exchange, 200, signer.jwks()));
  const authenticator = new Authenticator(
    [
      new ServiceAccountAuthenticator({ signer, issuer: options.serviceAccountIssuer, objects, clock }),
      new BootstrapAuthenticator(objects, clock),
    ],
    [options.serviceAccountIssuer],
  );
  const pipeline = new Pipeline({
    authenticator,
    authorizer: new UnionAuthorizer([new PolicyAuthorizer(builtinPolicy)]),
    peers: new Peers(),
    metrics: createRequestMetrics(metrics),
    clock,
    log,
    newUid: randomUUID,
    handle: (exchange) => (exchange.info.isResourceRequest ? resources.handle(exchange) : paths.handle(exchange)),
    maxReading: 2_000,
    maxWriting: 2_000,
  });
  const server = new ApiServer({
    tls: options.tls,
    handle: (request, response) => pipeline.handle(request, response),
    upgrade: (_request, socket) => void socket.destroy(),
  });
  const port = await server.listen(options.bindAddress, options.securePort);
  return {
    port,
    registry,
    stop: async () => {
      state.isStopping = true;
      fanOut.finishAll();
      await server.close(stopGraceMs);
      hub.stop();
    },
  };
}
