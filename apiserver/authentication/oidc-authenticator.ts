import { createHash } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, errors, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import { unauthorized, type AuthenticatedToken, type TokenAuthenticator } from './authenticator.js';
import { ExpiringCache } from '../../shared/review/expiring-cache.js';
import { readIdentity, type ClaimMapping } from './oidc-claims.js';

export interface OidcOptions {
  /** https, as it stands in the tokens. */
  readonly issuerUrl: string;
  /** Where its discovery document is; default: at the usual place below the issuer. */
  readonly discoveryUrl?: string;
  /** A token must be for one of them: the client's id at the provider. */
  readonly audiences: readonly string[];
  readonly signingAlgorithms: readonly string[];
  readonly mapping: ClaimMapping;
}

export interface OidcDependencies {
  readonly clock: Clock;
  readonly log: Log;
  /** GET of a JSON document from the provider; bounded in time and size. */
  readonly getJson: (url: string) => Promise<unknown>;
}

const maxTokenLength = 16 * 1024;
const maxRemembered = 2_048;
/** A verified token is believed for so long without looking at its signature again; keys that are withdrawn count by then. */
const rememberMs = 60_000;
/** Tokens with keys that nobody knows must not turn into requests to the provider. */
const minRefreshMs = 10_000;
const clockSkewSeconds = 10;

/** Users of an OpenID provider: single sign-on. Keys are read when the first token comes and whenever an unknown one is named. */
export class OidcAuthenticator implements TokenAuthenticator {
  readonly #options: OidcOptions;
  readonly #given: OidcDependencies;
  readonly #verified: ExpiringCache<JWTPayload>;
  #keys: ReturnType<typeof createLocalJWKSet> | undefined;
  #refreshing: Promise<void> | undefined;
  #refreshedMs = -Infinity;

  constructor(options: OidcOptions, given: OidcDependencies) {
    if (!options.issuerUrl.startsWith('https://')) {
      throw new Error(`the OpenID issuer ${options.issuerUrl} must be an https URL`);
    }
    this.#options = options;
    this.#given = given;
    this.#verified = new ExpiringCache(given.clock, maxRemembered);
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    if (token.length > maxTokenLength || issuerOf(token) !== this.#options.issuerUrl) return undefined;
    const key = createHash('sha256').update(token).digest('base64');
    let claims = this.#verified.get(key);
    if (!claims) {
      claims = await this.#verify(token);
      this.#verified.set(key, claims, rememberMs);
    }
    const nowSeconds = this.#given.clock.now() / 1000;
    if (!((claims.exp ?? 0) > nowSeconds)) throw unauthorized();
    const user = readIdentity(this.#options.mapping, claims);
    if (!user) throw unauthorized();
    return { user, audiences };
  }

  async #verify(token: string): Promise<JWTPayload> {
    try {
      return await this.#verifyOnce(token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.#refresh())) throw unauthorized();
    }
    return this.#verifyOnce(token).catch(() => {
      throw unauthorized();
    });
  }

  async #verifyOnce(token: string): Promise<JWTPayload> {
    if (!this.#keys) await this.#refresh();
    if (!this.#keys) throw new errors.JWKSNoMatchingKey();
    const { payload } = await jwtVerify(token, this.#keys, {
      issuer: this.#options.issuerUrl,
      audience: [...this.#options.audiences],
      algorithms: [...this.#options.signingAlgorithms],
      clockTolerance: clockSkewSeconds,
      requiredClaims: ['exp', 'iss', 'aud'],
      currentDate: new Date(this.#given.clock.now()),
    });
    return payload;
  }

  /** Whether the keys were read just now; requests that come meanwhile wait for the same answer. */
  async #refresh(): Promise<boolean> {
    if (this.#refreshing) return this.#refreshing.then(() => true);
    const nowMs = this.#given.clock.monotonic();
    if (nowMs - this.#refreshedMs < minRefreshMs) return false;
    this.#refreshedMs = nowMs;
    this.#refreshing = this.#tryReadKeys().finally(() => (this.#refreshing = undefined));
    await this.#refreshing;
    return true;
  }

  async #tryReadKeys(): Promise<void> {
    try {
      await this.#readKeys();
    } catch (error) {
      this.#given.log.warn('the OpenID provider could not be read', { issuer: this.#options.issuerUrl, error });
    }
  }

  async #readKeys(): Promise<void> {
    const { getJson } = this.#given;
    const { issuerUrl, discoveryUrl = `${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration` } =
      this.#options;
    const document = (await getJson(discoveryUrl)) as {
      issuer?: unknown;
      jwks_uri?: unknown;
    };
    if (document?.issuer !== issuerUrl || typeof document.jwks_uri !== 'string') {
      throw new Error('its discovery document names another issuer, or no keys');
    }
    this.#keys = createLocalJWKSet((await getJson(document.jwks_uri)) as JSONWebKeySet);
  }
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}
