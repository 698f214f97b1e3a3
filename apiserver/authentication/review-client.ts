import { Connection } from '../../shared/client/connection.js';
import { loadKubeconfig, resolveContext } from '../../shared/client/kubeconfig.js';
import type { Clock } from '../../shared/clock/clock.js';
import { askAgain, type AskReview } from '../../shared/review/ask-review.js';

/** Asks a service outside the cluster by posting a review to it. */
export interface ReviewClient {
  /** Rejects when it cannot be asked, or its answer is none. */
  readonly ask: AskReview;
  close(): void;
}

const usualTimeoutMs = 10_000;
const attempts = 3;
const firstDelayMs = 250;

/** The service that a kubeconfig file names, as --authentication-token-webhook-config-file and its like give it. */
export async function reviewClientFromKubeconfig(
  path: string,
  clock: Clock,
  timeoutMs = usualTimeoutMs,
): Promise<ReviewClient> {
  const { server, post, close } = await posterFromKubeconfig(path, clock, timeoutMs);
  const askOnce = async (review: object): Promise<object> => {
    const value: unknown = JSON.parse(await post(JSON.stringify(review)));
    if (typeof value !== 'object' || value === null) throw new Error(`the webhook ${server} answered no object`);
    return value;
  };
  return { ask: askAgain(askOnce, { clock, attempts, firstDelayMs }), close };
}

/** Posts JSON to one service. */
export interface Poster {
  readonly server: string;
  /** Resolves with the body of the answer; rejects when there is none, or its code is no success. */
  readonly post: (body: string) => Promise<string>;
  readonly close: () => void;
}

export async function posterFromKubeconfig(path: string, clock: Clock, timeoutMs = usualTimeoutMs): Promise<Poster> {
  const { connection: options, token } = await resolveContext(await loadKubeconfig(path), path);
  const connection = new Connection(options, clock);
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const post = async (body: string): Promise<string> => {
    const response = await connection.open({ method: 'POST', path: '', headers, body, timeoutMs });
    const text = (await response.read({ clock, timeoutMs })).toString('utf8');
    const code = response.status;
    if (code < 200 || code > 299) throw new Error(`the webhook ${connection.server} answered ${code}`);
    return text;
  };
  return { server: connection.server, post, close: () => connection.close() };
}
