import type { Clock } from '../../shared/clock/clock.js';
import { hashOfConfig, readConfig, type EncryptionConfig } from '../../shared/encryption/key-file.js';
import type { Log } from '../../shared/log/log.js';
import type { MetricsRegistry } from '../../shared/metrics/registry.js';
import { FileFollower } from '../files/file-follower.js';
import { collectionPrefix } from '../registry/storage-keys.js';
import type { EncryptedStorage, EncryptionRules } from './encrypted-storage.js';

export interface EncryptionReloaderOptions {
  readonly path: string;
  /** Opened with the rules of `config`. */
  readonly storage: EncryptedStorage;
  readonly config: EncryptionConfig;
  readonly clock: Clock;
  readonly log: Log;
}

export function rulesOf({ keys, resources, identity }: EncryptionConfig): EncryptionRules {
  const prefixes = resources.map((name) => {
    const [resource = '', ...group] = name.split('.');
    return collectionPrefix({ resource, group: group.join('.') });
  });
  return { keys, prefixes, acceptsPlain: identity };
}

/**
 * Follows the key file while the server runs, so that keys rotate without a restart. A file that cannot be used is told in the log, and
 * what was in use before stays in use. The metrics say which content is in use, and how the records are kept.
 */
export class EncryptionReloader {
  readonly #options: EncryptionReloaderOptions;
  readonly #follower: FileFollower;
  readonly #counted: Promise<void>;
  /** Of the content in use; undefined until it is known of each record how it is kept. */
  #hash: string | undefined;
  #lastFailure = '';

  constructor(options: EncryptionReloaderOptions) {
    this.#options = options;
    const { storage, config, path, clock, log } = options;
    this.#follower = new FileFollower({ path, clock, log, look: () => this.#take() });
    this.#counted = storage.takeCensus().then(
      () => void (this.#hash = hashOfConfig(config)),
      (error: unknown) => log.error('records could not be counted by key', { error }),
    );
  }

  start(): void {
    this.#follower.start();
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    await this.#follower.stop();
    await this.#counted;
  }

  addMetrics(metrics: MetricsRegistry): void {
    const info = metrics.gauge({
      name: 'apiserver_encryption_config_controller_last_config_info',
      help: 'Hash of the encryption configuration in use.',
      labels: ['hash'],
    });
    const objects = metrics.gauge({
      name: 'apiserver_storage_encrypted_objects',
      help: 'Objects by the key that encrypts them; stale ones would be written with another key, or in another way, now.',
      labels: ['resource', 'key_id', 'stale'],
    });
    let shown: string[][] = [];
    let shownHash: string | undefined;
    metrics.onCollect(() => {
      if (shownHash !== undefined && shownHash !== this.#hash) info.remove([shownHash]);
      shownHash = this.#hash;
      if (shownHash !== undefined) info.set(1, [shownHash]);
      for (const labels of shown) objects.set(0, labels);
      shown = [];
      const { storage } = this.#options;
      for (const count of storage.counts()) {
        const labels = [resourceOf(count.prefix), count.keyId ?? '', String(storage.isStaleCount(count))];
        objects.set(count.count, labels);
        shown.push(labels);
      }
    });
  }

  async #take(): Promise<void> {
    const { path, storage, log } = this.#options;
    await this.#counted;
    try {
      const config = readConfig(path);
      const hash = hashOfConfig(config);
      if (hash === this.#hash) return;
      await storage.useRules(rulesOf(config));
      this.#hash = hash;
      this.#lastFailure = '';
      log.info('encryption configuration in use', {
        keys: config.keys.map(({ id }) => id),
        resources: config.resources,
      });
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      if (failure !== this.#lastFailure) log.error('the encryption configuration is not taken', { error });
      this.#lastFailure = failure;
    }
  }
}

/** `/registry/apps/deployments/` is `deployments.apps`. */
function resourceOf(prefix: string): string {
  const [, , group = '', resource = ''] = prefix.split('/');
  return group === 'core' ? resource : `${resource}.${group}`;
}
