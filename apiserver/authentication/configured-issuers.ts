import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import { readManifests } from '../../shared/manifest/manifest.js';
import type { MetricsRegistry } from '../../shared/metrics/registry.js';
import { record } from '../decode/document-fields.js';
import { FollowedConfiguration } from '../files/followed-configuration.js';
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
  readonly authenticators: readonly TokenAuthenticator[];
  readonly anonymous: string;
  readonly letsInAnonymous: AnonymousRule | undefined;
}

/**
 * The issuers of an AuthenticationConfiguration file, followed while the server runs; who may come in without showing
 * anything does not change before the next start.
 */
export class ConfiguredIssuers implements TokenAuthenticator {
  readonly #followed: FollowedConfiguration<Content>;

  private constructor(followed: FollowedConfiguration<Content>) {
    this.#followed = followed;
  }

  /** Rejects with an Error that begins with the file where it cannot be used. */
  static async load(options: ConfiguredIssuersOptions): Promise<ConfiguredIssuers> {
    const followed = await FollowedConfiguration.load<Content>({
      ...options,
      subject: 'authentication',
      prepare: (text) => prepare(text, options),
      mayFollow: (next, first) => {
        if (next.anonymous !== first.anonymous) {
          throw new Error('anonymous: Forbidden: changed from initial configuration file');
        }
      },
    });
    return new ConfiguredIssuers(followed);
  }

  /** Absent: as without the file. */
  get letsInAnonymous(): AnonymousRule | undefined {
    return this.#followed.first.letsInAnonymous;
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    for (const authenticator of this.#followed.current.authenticators) {
      const found = await authenticator.authenticate(token, audiences);
      if (found) return found;
    }
    return undefined;
  }

  start(): void {
    this.#followed.start();
  }

  stop(): Promise<void> {
    return this.#followed.stop();
  }

  /** Under the names of the original. */
  addMetrics(metrics: MetricsRegistry): void {
    this.#followed.addMetrics(metrics);
  }
}

async function prepare(text: string, options: ConfiguredIssuersOptions): Promise<Content> {
  const { file, ownIssuers, authenticatorOf } = options;
  const [document] = readManifests(text, { file });
  const { jwt, letsInAnonymous } = readAuthenticationConfiguration(document?.value, ownIssuers);
  const authenticators = await Promise.all(jwt.map(authenticatorOf));
  const { anonymous = null } = record(document?.value, 'the authentication configuration');
  return { authenticators, letsInAnonymous, anonymous: JSON.stringify(anonymous) };
}
