import type { MatchCondition } from '../../../shared/api/generated/types.js';
import type { AdmissionRequest } from '../admission.js';
import type { Reviewed } from './reviewed.js';

/** Evaluates the matchConditions of webhooks and policies. */
export interface MatchConditions {
  /**
   * Whether all conditions hold. Where none is false and one cannot be evaluated, that is a no under failurePolicy
   * Ignore and else a refusal of the request, thrown.
   */
  match(
    conditions: readonly MatchCondition[],
    failurePolicy: string | undefined,
    request: AdmissionRequest,
    reviewed: Reviewed,
  ): boolean | Promise<boolean>;
}
