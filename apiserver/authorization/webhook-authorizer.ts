import type { SubjectAccessReviewStatus } from '../../shared/api/generated/types.js';
import { FieldSelectorError, parseFieldSelector } from '../../shared/api/field-selector.js';
import { parseSelector } from '../../shared/api/selector-parser.js';
import { SelectorError } from '../../shared/api/selector.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import { ExpiringCache } from '../authentication/expiring-cache.js';
import type { ReviewClient } from '../authentication/review-client.js';
import { noOpinion, type Attributes, type Authorizer, type Decision, type KnownRules } from './authorizer.js';

export interface WebhookAuthorizerOptions {
  readonly client: ReviewClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
}

const maxRemembered = 8_192;
/** Names and the like beyond this are not worth remembering. */
const maxKeyLength = 10_000;

/** Asks a service outside by a SubjectAccessReview. When it cannot be asked it has no opinion, as in the original. */
export class WebhookAuthorizer implements Authorizer {
  readonly #options: WebhookAuthorizerOptions;
  readonly #known: ExpiringCache<Decision>;

  constructor(options: WebhookAuthorizerOptions) {
    this.#options = options;
    this.#known = new ExpiringCache(options.clock, maxRemembered);
  }

  authorize(attributes: Attributes): Decision | Promise<Decision> {
    const spec = specOf(attributes);
    const key = JSON.stringify(spec);
    return this.#known.get(key) ?? this.#ask(spec, key);
  }

  rulesFor(): KnownRules {
    return { rules: [], incomplete: 'webhook authorizer does not support user rule resolution' };
  }

  async #ask(spec: object, key: string): Promise<Decision> {
    const { client, log, authorizedTtlMs, unauthorizedTtlMs } = this.#options;
    let status: SubjectAccessReviewStatus | undefined;
    try {
      const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {}, spec };
      status = (await client.ask(review)).status as SubjectAccessReviewStatus | undefined;
    } catch (error) {
      log.warn('the authorization webhook could not be asked', { error });
      return noOpinion;
    }
    const verdict = status?.allowed === true ? 'allow' : status?.denied === true ? 'deny' : 'noOpinion';
    const decision: Decision = { verdict, reason: typeof status?.reason === 'string' ? status.reason : '' };
    const ttlMs = verdict === 'allow' ? authorizedTtlMs : unauthorizedTtlMs;
    if (key.length <= maxKeyLength) this.#known.set(key, decision, ttlMs);
    return decision;
  }
}

function specOf({ user, isResourceRequest, verb, path, ...rest }: Attributes): object {
  const { group, version, resource, subresource, namespace, name, fieldSelector, labelSelector } = rest;
  const attributes = isResourceRequest
    ? {
        resourceAttributes: {
          namespace,
          verb,
          group,
          version,
          resource,
          subresource: subresource || undefined,
          name: name || undefined,
          fieldSelector: fieldSelector ? fieldRequirements(fieldSelector) : undefined,
          labelSelector: labelSelector ? labelRequirements(labelSelector) : undefined,
        },
      }
    : { nonResourceAttributes: { path, verb } };
  return { user: user.name, uid: user.uid, groups: user.groups, extra: user.extra, ...attributes };
}

/** A selector that cannot be read is left out: the webhook is asked about all objects then. */
function fieldRequirements(text: string): object | undefined {
  try {
    const requirements = parseFieldSelector(text).map(({ field, operator, value }) => ({
      key: field,
      operator: operator === '=' ? 'In' : 'NotIn',
      values: [value],
    }));
    return requirements.length > 0 ? { requirements } : undefined;
  } catch (error) {
    if (error instanceof FieldSelectorError) return undefined;
    throw error;
  }
}

const labelOperators: Readonly<Record<string, string>> = {
  in: 'In',
  '=': 'In',
  notin: 'NotIn',
  '!=': 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
};

function labelRequirements(text: string): object | undefined {
  try {
    const requirements = parseSelector(text).requirements.flatMap(({ key, operator, values }) => {
      const known = labelOperators[operator];
      // Comparisons of numbers have no form in a review.
      return known === undefined ? [] : [{ key, operator: known, ...(values.length > 0 ? { values } : {}) }];
    });
    return requirements.length > 0 ? { requirements } : undefined;
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}
