import { createHash } from 'node:crypto';
import type { TokenReviewStatus } from '../../shared/api/generated/types.js';
import type { Clock } from '../../shared/clock/clock.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import type { AuthenticatedToken, TokenAuthenticator } from './authenticator.js';
import { ExpiringCache } from './expiring-cache.js';
import type { ReviewClient } from './review-client.js';

export interface WebhookTokenOptions {
  readonly client: ReviewClient;
  /** How long a good answer is believed. A bad one is believed for a tenth of it. */
  readonly cacheTtlMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

const maxTokenLength = 64 * 1024;
const maxRemembered = 4_096;
/** Questions that are asked at once; tokens beyond are refused, so that nonsense cannot fill the memory. */
const maxAsking = 512;

/** Tokens that a service outside knows: a TokenReview is posted to it. */
export class WebhookTokenAuthenticator implements TokenAuthenticator {
  readonly #options: WebhookTokenOptions;
  readonly #known: ExpiringCache<AuthenticatedToken | 'unknown'>;
  readonly #asking = new Map<string, Promise<AuthenticatedToken | undefined>>();

  constructor(options: WebhookTokenOptions) {
    this.#options = options;
    this.#known = new ExpiringCache(options.clock, maxRemembered);
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    if (token.length > maxTokenLength) return undefined;
    const key = createHash('sha256')
      .update(JSON.stringify([token, audiences]))
      .digest('base64');
    const known = this.#known.get(key);
    if (known) return known === 'unknown' ? undefined : known;
    const asked = this.#asking.get(key);
    if (asked) return asked;
    if (this.#asking.size >= maxAsking) {
      throw new StatusError(429, 'TooManyRequests', 'too many tokens are being looked into', { retryAfterSeconds: 1 });
    }
    const asking = this.#ask(token, audiences, key).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #ask(token: string, audiences: readonly string[], key: string): Promise<AuthenticatedToken | undefined> {
    const { client, cacheTtlMs, log } = this.#options;
    try {
      const { status } = await client.ask({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        metadata: {},
        spec: { token, audiences },
      });
      const found = readStatus(status as TokenReviewStatus | undefined, audiences);
      this.#known.set(key, found ?? 'unknown', found ? cacheTtlMs : cacheTtlMs / 10);
      return found;
    } catch (error) {
      log.warn('the token webhook could not be asked', { error });
      return undefined;
    }
  }
}

function readStatus(
  status: TokenReviewStatus | undefined,
  audiences: readonly string[],
): AuthenticatedToken | undefined {
  const { username, uid, groups, extra } = status?.user ?? {};
  if (status?.authenticated !== true || typeof username !== 'string' || username === '') return undefined;
  // A service that says nothing of audiences vouches for the server's own.
  const good = status.audiences?.length ? audiences.filter((one) => status.audiences?.includes(one)) : audiences;
  if (good.length === 0) return undefined;
  const user = { name: username, groups: groups ?? [], ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
  return { user, audiences: good };
}
