import { version } from '../../shared/api/version.js';
import type { MetricsRegistry } from '../../shared/metrics/registry.js';
import type { TokenSigner } from '../authentication/service-account-token.js';
import type { FanOut } from '../cache/fan-out.js';
import type { CacheHub } from '../cache/cache-hub.js';
import type { Storage } from '../storage/storage.js';
import { collectionOf } from '../registry/storage-keys.js';
import { addHealth } from './health.js';
import type { NonResourceHandler } from './non-resource-handler.js';
import { sendBytes, sendJson } from './respond.js';

/** What `/version` tells beside the version itself. */
const compatibility = {
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
};

export interface PublicPathsOptions {
  readonly storage: Storage;
  readonly hub: CacheHub;
  readonly fanOut: FanOut;
  readonly metrics: MetricsRegistry;
  readonly signer: TokenSigner;
  readonly issuer: string;
  /** Where this server is reached, for OpenID discovery. */
  readonly serverUrl: () => string;
  readonly isStopping: () => boolean;
}

/** Everything that is no resource and no description of resources: health, version, metrics, token keys. */
export function addPublicPaths(paths: NonResourceHandler, options: PublicPathsOptions): void {
  const { storage, metrics, signer, issuer } = options;
  addStorageMetrics(options);
  addHealth(
    paths,
    [
      { name: 'ping', check: () => undefined },
      {
        name: 'storage',
        check: () => {
          const { mode, reason } = storage.health();
          return mode === 'read-write' ? undefined : `the store is ${mode}${reason === undefined ? '' : `: ${reason}`}`;
        },
      },
      {
        name: 'shutdown',
        isReadiness: true,
        check: () => (options.isStopping() ? 'process is shutting down' : undefined),
      },
    ],
    metrics,
  );
  paths.add('/version', (exchange) => sendJson(exchange, 200, { ...version, ...compatibility }));
  paths.add('/metrics', (exchange) =>
    sendBytes(exchange, 200, 'text/plain; version=0.0.4; charset=utf-8', Buffer.from(metrics.render())),
  );
  paths.add('/openid/v1/jwks', (exchange) =>
    sendBytes(exchange, 200, 'application/jwk-set+json', Buffer.from(JSON.stringify(signer.jwks()))),
  );
  paths.add('/.well-known/openid-configuration', (exchange) =>
    sendJson(exchange, 200, {
      issuer,
      jwks_uri: `${options.serverUrl()}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    }),
  );
  paths.add('/', (exchange) => sendJson(exchange, 200, { paths: paths.paths() }));
}

const qualified = (group: string, resource: string): string => (group === '' ? resource : `${resource}.${group}`);

function addStorageMetrics({ metrics, storage, hub, fanOut }: PublicPathsOptions): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    const metric = metrics.gauge({ name, help });
    metrics.onCollect(() => metric.set(read()));
  };
  gauge('apiserver_registered_watchers', 'Number of open watches.', () => fanOut.count);
  gauge('apiserver_cache_objects', 'Number of objects in the watch caches.', () => {
    let count = 0;
    for (const cache of hub.caches()) count += cache.size;
    return count;
  });
  const objects = metrics.gauge({
    name: 'apiserver_storage_objects',
    help: '[DEPRECATED, consider using apiserver_resource_objects instead] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.',
    labels: ['resource'],
  });
  const resources = metrics.gauge({
    name: 'apiserver_resource_objects',
    help: 'Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.',
    labels: ['group', 'resource'],
  });
  let shown: [group: string, resource: string][] = [];
  metrics.onCollect(() => {
    const before = shown;
    shown = [];
    for (const [group, resource] of before) {
      objects.remove([qualified(group, resource)]);
      resources.remove([group, resource]);
    }
    for (const { prefix, size } of hub.caches()) {
      const { group, resource } = collectionOf(prefix);
      shown.push([group, resource]);
      objects.set(size, [qualified(group, resource)]);
      resources.set(size, [group, resource]);
    }
  });
  gauge('apiserver_storage_revision', 'Latest revision of the store.', () => storage.health().revision);
  gauge('apiserver_storage_keys', 'Number of keys in the store.', () => storage.health().keys);
  const counter = (name: string, help: string, read: () => number): void => {
    const metric = metrics.counter({ name, help });
    metrics.onCollect(() => metric.reach(read()));
  };
  counter('apiserver_storage_commits_total', 'Synced batches since the start.', () => storage.health().commits);
  counter('apiserver_storage_writes_total', 'Writes in those batches.', () => storage.health().writes);
}
