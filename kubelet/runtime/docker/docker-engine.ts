import type { IncomingMessage } from 'node:http';

import type Docker from 'dockerode';

import type { Clock } from '../../../shared/clock/clock.js';
import { silent, toRuntimeError } from './docker-error.js';

/** The engine slows down when more verbs than this run at once. */
const MAX_CALLS = 8;
/** As the original's runtime-request-timeout. */
const REQUEST_TIMEOUT_MS = 120_000;

export interface CallOptions {
  /** The call may last as long as it likes and counts for nothing: pulls, streams. */
  readonly isLong?: boolean;
  /** The engine waits so long before it answers: on top of the limit, and the call counts for nothing. */
  readonly waitMs?: number;
  /** Not kept waiting by calls that the engine leaves unanswered: asks whether it is there at all. */
  readonly isUrgent?: boolean;
  /** The caller's own abort: rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** A request that dockerode has no fitting method for. */
export interface RawRequest {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly query?: Readonly<Record<string, string | number | boolean>>;
}

type Use<T> = (docker: Docker, signal: AbortSignal) => Promise<T>;

/**
 * The connection to one Docker Engine: loads dockerode at the first call, bounds what runs at once and how long, names its
 * failures. Engines do hang (moby 20.10 can lock itself up), then for good and for some calls only.
 */
export class DockerEngine {
  readonly endpoint: string;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #docker: Promise<Docker> | undefined;
  #running = 0;
  readonly #waiting = new Set<() => void>();

  constructor(endpoint: string, clock: Clock, timeoutMs = REQUEST_TIMEOUT_MS) {
    this.endpoint = endpoint;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** Runs `use` with the client; `what` names the call in errors. Throws RuntimeError, or the reason of the caller's abort. */
  async call<T>(what: string, use: Use<T>, options: CallOptions = {}): Promise<T> {
    const { signal, isLong, isUrgent, waitMs = 0 } = options;
    signal?.throwIfAborted();
    const docker = await (this.#docker ??= connect(this.endpoint));
    const timeout = new AbortController();
    const either = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal;
    const limitMs = this.#timeoutMs + waitMs;
    const tooLong = (): void => timeout.abort(silent(this.endpoint, what, limitMs));
    const cancel = isLong ? undefined : this.#clock.schedule(limitMs, tooLong);
    const run = (): Promise<T> => untilAborted(use(docker, either), either);
    try {
      return await (isLong || isUrgent || waitMs > 0 ? run() : this.#inTurn(run, either));
    } catch (error) {
      either.throwIfAborted();
      throw toRuntimeError(error, this.endpoint);
    } finally {
      cancel?.();
    }
  }

  /** The body of the answer as a stream. The signal also ends the stream. */
  open(request: RawRequest, signal?: AbortSignal): Promise<IncomingMessage> {
    const dial = (docker: Docker, abortSignal: AbortSignal): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const { path, method, query: options = {} } = request;
        const statusCodes = { 200: true, 204: true };
        docker.modem.dial(
          { path: `${path}?`, method, options, abortSignal, isStream: true, statusCodes },
          (error: Error | null, response: unknown) => (error ? reject(error) : resolve(response as IncomingMessage)),
        );
      });
    return this.call(request.path, dial, { isLong: true, ...(signal ? { signal } : {}) });
  }

  /** Waits until few enough calls run. A call that is given up makes room, although the engine may still be at it. */
  async #inTurn<T>(run: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#running >= MAX_CALLS) await this.#turn(signal);
    else this.#running++;
    try {
      return await run();
    } finally {
      const [next] = this.#waiting;
      if (next) next();
      else this.#running--;
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(enter);
        signal.removeEventListener('abort', giveUp);
      };
      const enter = (): void => (leave(), resolve());
      const giveUp = (): void => (leave(), reject(signal.reason as Error));
      this.#waiting.add(enter);
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) giveUp();
    });
  }
}

/** Not every method of dockerode takes a signal. What comes after the abort is nobody's. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** dockerode costs 240 ms and 67 MB to import, so it waits for the first use. */
async function connect(endpoint: string): Promise<Docker> {
  const { default: Client } = await import('dockerode');
  const { protocol, pathname, hostname, port } = new URL(endpoint);
  if (protocol === 'unix:') return new Client({ socketPath: decodeURIComponent(pathname) });
  if (protocol === 'tcp:' || protocol === 'http:') {
    return new Client({ host: hostname, port: Number(port || 2375), protocol: 'http' });
  }
  throw new Error(`the Docker host ${JSON.stringify(endpoint)} is neither unix:///path nor tcp://host:port`);
}
