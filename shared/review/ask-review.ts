import type { Clock } from '../clock/clock.js';

/** Posts a TokenReview or SubjectAccessReview and gives back what came; rejects when there was no answer. */
export type AskReview = (review: object) => Promise<{ readonly status?: unknown }>;

export interface AskAgainOptions {
  readonly clock: Clock;
  readonly attempts: number;
  readonly firstDelayMs: number;
  /** Whether another attempt could end differently. Default: always. */
  readonly isTransient?: (error: unknown) => boolean;
}

/** Asks until there is an answer, a bounded number of times, each pause half as long again as the one before. */
export function askAgain(ask: AskReview, options: AskAgainOptions): AskReview {
  const { clock, attempts, firstDelayMs, isTransient = () => true } = options;
  return async (review) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask(review);
      } catch (error) {
        if (attempt >= attempts || !isTransient(error)) throw error;
        await clock.sleep(firstDelayMs * 1.5 ** (attempt - 1));
      }
    }
  };
}
