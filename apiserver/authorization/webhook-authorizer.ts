import type { Log } from '../../shared/log/log.js';
import { AccessReviews, type AccessReviewsOptions } from '../../shared/review/access-reviews.js';
import type { Program } from '../cel/environment.js';
import { noOpinion, type Attributes, type Authorizer, type Decision, type KnownRules } from './authorizer.js';
import { matchRequest } from './review-conditions.js';
import { reviewSpec } from './review-spec.js';
import type { WebhookMetrics } from './webhook-metrics.js';

export interface WebhookAuthorizerOptions extends AccessReviewsOptions {
  readonly log: Log;
  /** Only requests for which all hold are asked about. Default: all requests. */
  readonly conditions?: readonly Program[];
  /** Whether a request is refused when nobody can be asked, or a condition has no value. Default: there is no opinion. */
  readonly deniesOnFailure?: boolean;
  readonly metrics?: WebhookMetrics;
}

/** Asks a service outside by a SubjectAccessReview. */
export class WebhookAuthorizer implements Authorizer {
  readonly #options: WebhookAuthorizerOptions;
  readonly #reviews: AccessReviews;

  constructor(options: WebhookAuthorizerOptions) {
    this.#options = options;
    const { ask, metrics } = options;
    this.#reviews = new AccessReviews(metrics ? { ...options, ask: metrics.timed(ask) } : options);
  }

  authorize(attributes: Attributes): Decision | Promise<Decision> {
    const { conditions = [], metrics } = this.#options;
    if (conditions.length > 0) {
      const matched = metrics
        ? metrics.evaluated(() => matchRequest(conditions, attributes))
        : matchRequest(conditions, attributes);
      if (matched === 'noMatch') return noOpinion;
      if (matched !== 'match')
        return this.#failed('the conditions of the authorization webhook have no value', matched);
    }
    const decision = this.#reviews.review(reviewSpec(attributes));
    if (!(decision instanceof Promise)) return decision;
    return decision.catch((error: unknown) => {
      if (!this.#options.deniesOnFailure) metrics?.failedOpen(error);
      return this.#failed('the authorization webhook could not be asked', { error });
    });
  }

  rulesFor(): KnownRules {
    return { rules: [], incomplete: 'webhook authorizer does not support user rule resolution' };
  }

  #failed(message: string, fields: { readonly error: unknown }): Decision {
    this.#options.log.warn(message, fields);
    const error = fields.error instanceof Error ? fields.error.message : String(fields.error);
    return { verdict: this.#options.deniesOnFailure ? 'deny' : 'noOpinion', reason: '', error };
  }
}
