import { FieldSelectorError, parseFieldSelector } from '../../shared/api/field-selector.js';
import { parseSelector } from '../../shared/api/selector-parser.js';
import { SelectorError } from '../../shared/api/selector.js';
import type { Log } from '../../shared/log/log.js';
import { AccessReviews, type AccessReviewsOptions } from '../../shared/review/access-reviews.js';
import { noOpinion, type Attributes, type Authorizer, type Decision, type KnownRules } from './authorizer.js';

export interface WebhookAuthorizerOptions extends AccessReviewsOptions {
  readonly log: Log;
}

/** Asks a service outside by a SubjectAccessReview. When it cannot be asked it has no opinion, as in the original. */
export class WebhookAuthorizer implements Authorizer {
  readonly #log: Log;
  readonly #reviews: AccessReviews;

  constructor(options: WebhookAuthorizerOptions) {
    this.#log = options.log;
    this.#reviews = new AccessReviews(options);
  }

  authorize(attributes: Attributes): Decision | Promise<Decision> {
    const decision = this.#reviews.review(specOf(attributes));
    if (!(decision instanceof Promise)) return decision;
    return decision.catch((error: unknown) => {
      this.#log.warn('the authorization webhook could not be asked', { error });
      return noOpinion;
    });
  }

  rulesFor(): KnownRules {
    return { rules: [], incomplete: 'webhook authorizer does not support user rule resolution' };
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
