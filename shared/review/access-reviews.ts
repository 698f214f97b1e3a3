import type { SubjectAccessReviewStatus } from '../api/generated/types.js';
import type { Clock } from '../clock/clock.js';
import type { AskReview } from './ask-review.js';
import { ExpiringCache } from './expiring-cache.js';

export interface AccessReviewsOptions {
  readonly ask: AskReview;
  readonly clock: Clock;
  /** How long a yes is believed. */
  readonly authorizedTtlMs: number;
  /** How long anything else is. */
  readonly unauthorizedTtlMs: number;
  /** Of the review that is posted. Default: v1. */
  readonly reviewVersion?: 'v1' | 'v1beta1';
}

/** What somebody else thinks of what a user wants to do. */
export interface ReviewedAccess {
  readonly verdict: 'allow' | 'deny' | 'noOpinion';
  readonly reason: string;
}

const maxRemembered = 8_192;
/** Names and the like beyond this are not worth remembering. */
const maxKeyLength = 10_000;

/** Asks by a SubjectAccessReview what a user may do, and remembers the answer for a while. */
export class AccessReviews {
  readonly #options: AccessReviewsOptions;
  readonly #known: ExpiringCache<ReviewedAccess>;

  constructor(options: AccessReviewsOptions) {
    this.#options = options;
    this.#known = new ExpiringCache(options.clock, maxRemembered);
  }

  /** At once where the answer is known; rejects when nobody answered. */
  review(spec: object): ReviewedAccess | Promise<ReviewedAccess> {
    const key = JSON.stringify(spec);
    return this.#known.get(key) ?? this.#ask(spec, key);
  }

  async #ask(spec: object, key: string): Promise<ReviewedAccess> {
    const { ask, authorizedTtlMs, unauthorizedTtlMs, reviewVersion = 'v1' } = this.#options;
    const answer = await ask({
      apiVersion: `authorization.k8s.io/${reviewVersion}`,
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: reviewVersion === 'v1' ? spec : olderSpec(spec),
    });
    const status = answer.status as SubjectAccessReviewStatus | undefined;
    const verdict = status?.allowed === true ? 'allow' : status?.denied === true ? 'deny' : 'noOpinion';
    const access: ReviewedAccess = { verdict, reason: typeof status?.reason === 'string' ? status.reason : '' };
    if (key.length <= maxKeyLength)
      this.#known.set(key, access, verdict === 'allow' ? authorizedTtlMs : unauthorizedTtlMs);
    return access;
  }
}

/** v1beta1 called the groups of a user by their singular. */
function olderSpec(spec: object): object {
  const { groups, ...rest } = spec as { readonly groups?: unknown };
  return { ...rest, group: groups };
}
