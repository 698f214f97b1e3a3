import { badRequest } from '../../../shared/errors/bad-request.js';
import type { Log } from '../../../shared/log/log.js';
import type { ResourceDefinition } from '../../registry/definition.js';
import { internalError } from '../../registry/status-errors.js';
import { isQualifiedName } from '../../validation/names.js';
import type { AdmissionMetrics } from '../admission-metrics.js';
import type { AdmissionRequest } from '../admission.js';
import type { Matcher } from '../matching/matcher.js';
import type { MatchConditions } from '../matching/match-conditions.js';
import { needsConversion, review, shownIn, type Reviewed } from '../matching/reviewed.js';
import { admissionReview, denial, readAnswer, reviewVersion, type ReviewAnswer } from './admission-review.js';
import { CallError, type WebhookClient } from './webhook-client.js';
import type { Hook } from './webhook-source.js';

export interface WebhookCallerOptions {
  readonly matcher: Matcher;
  readonly conditions: MatchConditions;
  readonly client: Pick<WebhookClient, 'post'>;
  readonly newUid: () => string;
  readonly log: Log;
  readonly metrics: AdmissionMetrics;
}

const defaultTimeoutSeconds = 10;

/** Decides whether a webhook is asked about a request, asks it, and judges the answer: what both kinds of webhooks share. */
export class WebhookCaller {
  readonly #options: WebhookCallerOptions;

  constructor(options: WebhookCallerOptions) {
    this.#options = options;
  }

  /** Whether any of `hooks` could be about the request, as far as the rules alone can tell. */
  concerns(hooks: readonly Hook[], request: AdmissionRequest): boolean {
    return hooks.some(({ criteria }) => this.#options.matcher.versionOf(criteria, request));
  }

  /** The request as the webhook is shown it; undefined where it is not asked. Throws where a matchCondition fails. */
  async invocation({ criteria, webhook }: Hook, request: AdmissionRequest): Promise<Reviewed | undefined> {
    const { matcher, conditions } = this.#options;
    const version: ResourceDefinition | undefined = matcher.match(criteria, request);
    if (!version) return undefined;
    const shown = needsConversion(request) ? await shownIn(request, version) : undefined;
    const reviewed = shown ? { ...review(shown.request, version), shown } : review(request, version);
    if ((webhook.matchConditions ?? []).length === 0) return reviewed;
    const matches = await conditions.match(webhook.matchConditions ?? [], webhook.failurePolicy, request, reviewed);
    return matches ? reviewed : undefined;
  }

  /**
   * What the webhook answers; undefined where it could not be asked and that is no reason to refuse.
   * Throws the webhook's refusal, or 500 where it could not be asked and the request must not pass without it.
   */
  async ask(
    { webhook }: Hook,
    request: AdmissionRequest,
    reviewed: Reviewed,
    mayPatch: boolean,
  ): Promise<ReviewAnswer | undefined> {
    if (request.isDryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun') {
      throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`);
    }
    const { metrics, log } = this.#options;
    const end = metrics.webhook(webhook.name, mayPatch ? 'admit' : 'validating', request.operation);
    let answer: ReviewAnswer;
    try {
      answer = await this.#call(webhook, request, reviewed, mayPatch);
    } catch (error) {
      if (!(error instanceof CallError)) {
        end({ isRejected: true, code: 500, errorType: 'apiserver_internal_error' });
        throw error;
      }
      const message = `failed calling webhook ${JSON.stringify(webhook.name)}: ${error.message}`;
      const isIgnored = webhook.failurePolicy === 'Ignore';
      end({ isRejected: !isIgnored, code: 500, errorType: 'calling_webhook_error', isFailedOpen: isIgnored });
      log.warn('a webhook could not be asked', { webhook: webhook.name, isIgnored, error: message });
      if (isIgnored) return undefined;
      throw internalError(message);
    }
    for (const warning of answer.warnings) request.warn(warning);
    this.#note(webhook.name, answer, request);
    const refusal = answer.isAllowed ? undefined : denial(webhook.name, answer.status);
    end({ isRejected: refusal !== undefined, code: refusal?.code ?? 200, errorType: 'no_error' });
    if (refusal) throw refusal;
    return answer;
  }

  /** What the webhook wants written down; keys that are no qualified names are not, as in the original. */
  #note(name: string, { annotations }: ReviewAnswer, request: AdmissionRequest): void {
    for (const [word, value] of annotations) {
      const key = `${name}/${word}`;
      if (isQualifiedName(key).length === 0) request.annotate?.(key, value);
      else this.#options.log.warn('a webhook named no audit annotation', { webhook: name, key: key.slice(0, 200) });
    }
  }

  async #call(
    webhook: Hook['webhook'],
    request: AdmissionRequest,
    reviewed: Reviewed,
    mayPatch: boolean,
  ): Promise<ReviewAnswer> {
    const { client, newUid } = this.#options;
    const uid = newUid();
    const version = reviewVersion(webhook.admissionReviewVersions);
    const body = admissionReview(request, reviewed, uid, version);
    const timeoutSeconds = webhook.timeoutSeconds ?? defaultTimeoutSeconds;
    let given: unknown;
    try {
      given = await client.post(webhook.clientConfig, body, timeoutSeconds);
    } catch (error) {
      if (error instanceof CallError) throw new CallError(`failed to call webhook: ${error.message}`);
      throw error;
    }
    return readAnswer(given, uid, version, mayPatch);
  }
}
