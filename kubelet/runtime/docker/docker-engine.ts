import type { IncomingMessage } from 'node:http';

import type Docker from 'dockerode';

import type { Clock } from '../../../shared/clock/clock.js';
import { toRuntimeError, unavailable } from './docker-error.js';

/** The engine slows down when more verbs than this run at once. */
const MAX_CALLS = 8;
/** As the original's runtime-request-timeout. */
const CALL_TIMEOUT_MS = 120_000;

export interface CallOptions {
  /** The call may last as long as it likes and counts for nothing: stop with a grace period, pull, streams. */
  readonly isLong?: boolean;
  /** The caller's own abort: rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** A request that dockerode has no fitting method for. */
export interface RawRequest {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly query?: Readonly<Record<string, string | number | boolean>>;
}

/** The connection to one Docker Engine: loads dockerode at the first call, bounds what runs at once, names its failures. */
export class DockerEngine {
  readonly endpoint: string;
  readonly #clock: Clock;
  #docker: Promise<Docker> | undefined;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(endpoint: string, clock: Clock) {
    this.endpoint = endpoint;
    this.#clock = clock;
  }

  /** Runs `use` with the client. Throws RuntimeError, or the reason of the caller's abort. */
  async call<T>(use: (docker: Docker, signal: AbortSignal) => Promise<T>, options: CallOptions = {}): Promise<T> {
    options.signal?.throwIfAborted();
    const docker = await (this.#docker ??= connect(this.endpoint));
    if (options.isLong) return this.#run(docker, use, options);
    if (this.#running >= MAX_CALLS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await this.#run(docker, use, options);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
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
    return this.call(dial, { isLong: true, ...(signal ? { signal } : {}) });
  }

  async #run<T>(
    docker: Docker,
    use: (docker: Docker, signal: AbortSignal) => Promise<T>,
    { isLong = false, signal }: CallOptions,
  ): Promise<T> {
    const timeout = new AbortController();
    const cancel = isLong ? undefined : this.#clock.schedule(CALL_TIMEOUT_MS, () => timeout.abort());
    try {
      return await use(docker, signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (timeout.signal.aborted) throw unavailable(this.endpoint, `no answer within ${CALL_TIMEOUT_MS / 1000} s`);
      throw toRuntimeError(error, this.endpoint);
    } finally {
      cancel?.();
    }
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
