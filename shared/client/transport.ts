import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock/clock.js';
import type { Answer } from './answer.js';
import { CallTimeoutError } from './transport-errors.js';

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string | string[]>;
  readonly body?: string | Buffer | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Until the answer's head is there; 0 = for ever. Who reads the body bounds that. */
  readonly timeoutMs: number;
  /** The answer goes on until somebody ends it: it does not count as a call under way. */
  readonly isStream?: boolean;
}

/** Carries exchanges to a server in one version of HTTP. */
export interface Transport {
  /** False when it has ended, or is about to: the next exchange needs a new one. */
  readonly isOpen: boolean;
  /** Nothing is under way any more, and nothing will be. */
  readonly isGone: boolean;
  /** Resolves with the answer's head. Rejects with the signal's reason, a CallTimeoutError or the network's error. */
  send(exchange: Exchange): Promise<Answer>;
  /** Ends it, and whatever is under way. */
  close(): void;
}

export function contentLength({ body }: Exchange): Record<string, number> {
  return body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
}

/** Calls `give up` with the reason when the exchange is aborted or takes too long. Returns what ends the watching. */
export function bound(exchange: Exchange, clock: Clock, giveUp: (reason: Error) => void): () => void {
  const { signal, timeoutMs, method, path } = exchange;
  const cancelTimer =
    timeoutMs > 0
      ? clock.schedule(timeoutMs, () =>
          giveUp(new CallTimeoutError(`${method} ${path}: no answer within ${timeoutMs} ms`)),
        )
      : () => undefined;
  if (!signal) return cancelTimer;
  const onAbort = (): void => giveUp(signal.reason as Error);
  // Any number of calls may share a signal; Node would warn of more than ten.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    cancelTimer();
    signal.removeEventListener('abort', onAbort);
  };
}
