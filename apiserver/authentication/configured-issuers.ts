import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import { readManifests } from '../../shared/manifest/manifest.js';
import type { MetricsRegistry } from '../../shared/metrics/registry.js';
import { record } from '../decode/document-fields.js';
import { FileFollower } from '../files/file-follower.js';
import { readAuthenticationConfiguration, type JwtConfiguration } from './authentication-configuration.js';
import type { AnonymousRule, AuthenticatedToken, TokenAuthenticator } from './authenticator.js';

export interface ConfiguredIssuersOptions {
  /** An AuthenticationConfiguration. */
  readonly file: string;
  /** Of tokens that this server signs: nobody else may speak for them. */
  readonly ownIssuers: readonly string[];
  readonly authenticatorOf: (issuer: JwtConfiguration) => Promise<TokenAuthenticator>;
  readonly clock: Clock;
  readonly log: Log;
  /** Which server it is, in the metrics. */
  readonly serverId: string;
}

/** What the file says, made ready for use. */
interface Content {
  readonly text: string;
  readonly authenticators: readonly TokenAuthenticator[];
  readonly anonymous: string;
  readonly letsInAnonymous: AnonymousRule | undefined;
}

type Outcome = 'success' | 'failure';

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/**
 * The issuers of an AuthenticationConfiguration file, followed while the server runs. A content that is wrong is told
 * in the log and not taken; who may come in without showing anything does not change before the next start.
 */
export class ConfiguredIssuers implements TokenAuthenticator {
  readonly #options: ConfiguredIssuersOptions;
  readonly #follower: FileFollower;
  readonly #first: Content;
  readonly #reloads: Record<Outcome, number> = { success: 0, failure: 0 };
  readonly #lastMs: Partial<Record<Outcome, number>> = {};
  #current: Content;
  /** What was looked at last and will not become right by looking again. */
  #judged: string;

  private constructor(options: ConfiguredIssuersOptions, first: Content) {
    this.#options = options;
    this.#first = first;
    this.#current = first;
    this.#judged = first.text;
    const { file: path, clock, log } = options;
    this.#follower = new FileFollower({ path, clock, log, look: () => this.#look() });
  }

  /** Throws an Error that begins with the file where it cannot be used. */
  static async load(options: ConfiguredIssuersOptions): Promise<ConfiguredIssuers> {
    const { file } = options;
    try {
      return new ConfiguredIssuers(options, await prepare(readFileSync(file, 'utf8'), options));
    } catch (error) {
      throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  /** Absent: as without the file. */
  get letsInAnonymous(): AnonymousRule | undefined {
    return this.#first.letsInAnonymous;
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    for (const authenticator of this.#current.authenticators) {
      const found = await authenticator.authenticate(token, audiences);
      if (found) return found;
    }
    return undefined;
  }

  start(): void {
    this.#follower.start();
  }

  stop(): Promise<void> {
    return this.#follower.stop();
  }

  /** Under the names of the original. */
  addMetrics(metrics: MetricsRegistry): void {
    const prefix = 'apiserver_authentication_config_controller';
    const id = sha256(this.#options.serverId);
    const labels = ['apiserver_id_hash', 'status'];
    const reloads = metrics.counter({
      name: `${prefix}_automatic_reloads_total`,
      help: 'Total number of automatic reloads of authentication configuration split by status and apiserver identity.',
      labels,
    });
    const last = metrics.gauge({
      name: `${prefix}_automatic_reload_last_timestamp_seconds`,
      help: 'Timestamp of the last automatic reload of authentication configuration split by status and apiserver identity.',
      labels,
    });
    const info = metrics.gauge({
      name: `${prefix}_last_config_info`,
      help: 'Information about the last applied authentication configuration with hash as label, split by apiserver identity.',
      labels: ['apiserver_id_hash', 'hash'],
    });
    let shown: string | undefined;
    metrics.onCollect(() => {
      for (const status of ['success', 'failure'] as const) {
        const atMs = this.#lastMs[status];
        if (atMs === undefined) continue;
        reloads.reach(this.#reloads[status], [id, status]);
        last.set(atMs / 1000, [id, status]);
      }
      const hash = sha256(this.#current.text);
      if (shown !== undefined && shown !== hash) info.remove([id, shown]);
      info.set(1, [id, hash]);
      shown = hash;
    });
  }

  async #look(): Promise<void> {
    const { file, log } = this.#options;
    let text: string | undefined;
    try {
      text = readFileSync(file, 'utf8');
      if (text === this.#judged) return;
      const content = await prepare(text, this.#options);
      if (content.anonymous !== this.#first.anonymous) {
        throw new Error('anonymous: Forbidden: changed from initial configuration file');
      }
      this.#current = content;
      this.#note('success');
      log.info('reloaded authentication config', { path: file, issuers: content.authenticators.length });
    } catch (error) {
      this.#note('failure');
      log.error('the authentication configuration is not taken', { path: file, error });
    }
    // A file that cannot be read may be there the next time.
    if (text !== undefined) this.#judged = text;
  }

  #note(outcome: Outcome): void {
    this.#reloads[outcome] += 1;
    this.#lastMs[outcome] = this.#options.clock.now();
  }
}

async function prepare(text: string, options: ConfiguredIssuersOptions): Promise<Content> {
  const { file, ownIssuers, authenticatorOf } = options;
  const [document] = readManifests(text, { file });
  const { jwt, letsInAnonymous } = readAuthenticationConfiguration(document?.value, ownIssuers);
  const authenticators = await Promise.all(jwt.map(authenticatorOf));
  const { anonymous = null } = record(document?.value, 'the authentication configuration');
  return { text, authenticators, letsInAnonymous, anonymous: JSON.stringify(anonymous) };
}
