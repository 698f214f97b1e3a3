import { createHash } from 'node:crypto';
import type { TokenReviewStatus } from '../api/generated/types.js';
import type { Clock } from '../clock/clock.js';
import { StatusError } from '../errors/status-error.js';
import type { Log } from '../log/log.js';
import type { AskReview } from './ask-review.js';
import { ExpiringCache } from './expiring-cache.js';

export interface TokenReviewsOptions {
  readonly ask: AskReview;
  /** How long a good answer is believed. */
  readonly cacheTtlMs: number;
  /** How long it is believed that a token is none. Default: a tenth of the other. */
  readonly unknownTtlMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whom a token speaks for, and for which of the wanted audiences. */
export interface ReviewedToken {
  readonly user: ReviewedUser;
  readonly audiences: readonly string[];
}

export interface ReviewedUser {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

const maxTokenLength = 64 * 1024;
const maxRemembered = 4_096;
/** Questions that are asked at once; tokens beyond are refused, so that nonsense cannot fill the memory. */
const maxAsking = 512;

/** Tokens that somebody else knows: he is asked by a TokenReview, and his answer is remembered for a while. */
export class TokenReviews {
  readonly #options: TokenReviewsOptions;
  readonly #known: ExpiringCache<ReviewedToken | 'unknown'>;
  readonly #asking = new Map<string, Promise<ReviewedToken | undefined>>();

  constructor(options: TokenReviewsOptions) {
    this.#options = options;
    this.#known = new ExpiringCache(options.clock, maxRemembered);
  }

  /** @param audiences none: whichever the one who is asked takes for his own */
  async authenticate(token: string, audiences: readonly string[]): Promise<ReviewedToken | undefined> {
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

  async #ask(token: string, audiences: readonly string[], key: string): Promise<ReviewedToken | undefined> {
    const { ask, cacheTtlMs, unknownTtlMs = cacheTtlMs / 10, log } = this.#options;
    try {
      const { status } = await ask({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        metadata: {},
        spec: { token, ...(audiences.length > 0 ? { audiences } : {}) },
      });
      const found = readStatus(status as TokenReviewStatus | undefined, audiences);
      this.#known.set(key, found ?? 'unknown', found ? cacheTtlMs : unknownTtlMs);
      return found;
    } catch (error) {
      log.warn('a token could not be looked into', { error });
      return undefined;
    }
  }
}

function readStatus(status: TokenReviewStatus | undefined, wanted: readonly string[]): ReviewedToken | undefined {
  const { username, uid, groups, extra } = status?.user ?? {};
  if (status?.authenticated !== true || typeof username !== 'string' || username === '') return undefined;
  const user = { name: username, groups: groups ?? [], ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
  if (wanted.length === 0) return { user, audiences: status.audiences ?? [] };
  // A service that says nothing of audiences vouches for the server's own.
  const good = status.audiences?.length ? wanted.filter((one) => status.audiences?.includes(one)) : wanted;
  return good.length === 0 ? undefined : { user, audiences: good };
}
