import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../clock/clock.js';

/** How to reach a server and who the caller is on the TLS level. PEM texts. */
export interface ConnectionOptions {
  /** `https://host:port`; a path is a prefix of all requests. */
  readonly server: string;
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** Name that the server's certificate must carry; default the host of `server`. */
  readonly tlsServerName?: string;
  readonly insecureSkipTlsVerify?: boolean;
  /** Further calls wait for a free connection; watches do not count, each holds its own as long as it lasts. Default: no bound. */
  readonly maxSockets?: number;
}

/** What Node's TLS needs to reach the server as this caller. */
export interface TlsIdentity {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string | string[]>;
  readonly body?: string | Buffer | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Until the response's head is there; 0 = for ever. The caller bounds the body. */
  readonly timeoutMs: number;
  /** The answer goes on until somebody ends it: it must not keep calls from their connections. */
  readonly isStream?: boolean;
}

/**
 * As many as the busiest component has calls under way: the server answers writes of one commit together, and a connection
 * that is closed then has to be made again at once. Idle ones are closed by the server after some seconds.
 */
const maxFreeSockets = 64;

/** A call took longer than it may. */
class CallTimeoutError extends Error {
  override readonly name = 'CallTimeoutError';
  readonly code = 'ETIMEDOUT';
}

/**
 * Keep-alive HTTPS connections to one server under one TLS identity. Several clients with different tokens share one:
 * the token travels with the request. A connection with a client certificate must not be shared, the server prefers it.
 */
export class Connection {
  readonly server: string;
  /** For connections that another library opens to the same server (WebSockets). */
  readonly tls: TlsIdentity;
  readonly #agent: Agent;
  readonly #streams: Agent;
  /** What all requests have in common: a URL would be read anew for each. */
  readonly #target: { readonly host: string; readonly port: number };
  readonly #prefix: string;
  readonly #clock: Clock;

  constructor(options: ConnectionOptions, clock: Clock) {
    const { protocol, hostname, port, pathname } = new URL(options.server);
    if (protocol !== 'https:') throw new Error(`server ${options.server}: only https is spoken`);
    this.server = options.server.replace(/\/+$/, '');
    this.#target = { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 443 : Number(port) };
    this.#prefix = pathname.replace(/\/+$/, '');
    this.#clock = clock;
    this.tls = {
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.cert === undefined ? {} : { cert: options.cert }),
      ...(options.key === undefined ? {} : { key: options.key }),
      ...(options.tlsServerName === undefined ? {} : { servername: options.tlsServerName }),
      rejectUnauthorized: !options.insecureSkipTlsVerify,
    };
    const shared = {
      keepAlive: true,
      // The last used connection first, so that the others age out after a burst.
      scheduling: 'lifo' as const,
      maxFreeSockets,
      // Made once: reading keys and authorities is most of what a new connection costs.
      secureContext: createSecureContext({ ca: options.ca, cert: options.cert, key: options.key }),
      ...(options.tlsServerName === undefined ? {} : { servername: options.tlsServerName }),
      rejectUnauthorized: this.tls.rejectUnauthorized,
    };
    const { maxSockets } = options;
    this.#streams = new Agent(shared);
    this.#agent = maxSockets === undefined ? this.#streams : new Agent({ ...shared, maxSockets });
  }

  /** Sends, and resolves with the response's head. Rejects with the signal's reason, a CallTimeoutError or the network's error. */
  async open(exchange: Exchange): Promise<IncomingMessage> {
    try {
      return await this.#attempt(exchange);
    } catch (error) {
      // A kept-alive connection that the server closed while it was idle: nothing was executed, reads go again at once.
      if (exchange.method === 'GET' && isStaleSocket(error)) return this.#attempt(exchange);
      throw error;
    }
  }

  #attempt(exchange: Exchange): Promise<IncomingMessage> {
    const { signal } = exchange;
    // Any number of calls may share a signal; Node would warn of more than ten.
    if (signal) setMaxListeners(0, signal);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const request = httpsRequest({
        ...this.#target,
        agent: exchange.isStream ? this.#streams : this.#agent,
        method: exchange.method,
        path: this.#prefix + exchange.path,
        headers: headersOf(exchange),
      });
      const onAbort = (): void => void request.destroy(signal?.reason as Error);
      const cancelTimer =
        exchange.timeoutMs > 0
          ? this.#clock.schedule(exchange.timeoutMs, () =>
              request.destroy(
                new CallTimeoutError(`${exchange.method} ${exchange.path}: no answer within ${exchange.timeoutMs} ms`),
              ),
            )
          : () => undefined;
      const settle = (): void => {
        cancelTimer();
        signal?.removeEventListener('abort', onAbort);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      request.once('response', (response) => {
        settle();
        resolve(response);
      });
      request.once('error', (error: Error & { reusedSocket?: boolean }) => {
        settle();
        error.reusedSocket = request.reusedSocket;
        reject(error);
      });
      request.end(exchange.body);
    });
  }

  /** Ends idle connections and those in use. */
  close(): void {
    this.#agent.destroy();
    this.#streams.destroy();
  }
}

function headersOf(exchange: Exchange): Record<string, string | number | string[]> {
  if (exchange.body === undefined) return exchange.headers;
  return { ...exchange.headers, 'content-length': Buffer.byteLength(exchange.body) };
}

function isStaleSocket(error: unknown): boolean {
  const { reusedSocket, code } = error as { reusedSocket?: boolean; code?: string };
  return reusedSocket === true && (code === 'ECONNRESET' || code === 'EPIPE');
}

/** Bodies beyond this are refused: no answer of an API server comes near. */
const maxBodyBytes = 512 * 1024 * 1024;

/** Reads a whole body. Rejects with the signal's reason, a CallTimeoutError, or an Error when the stream breaks. */
export function readBody(
  response: IncomingMessage,
  limits: { clock: Clock; timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<Buffer> {
  const { clock, timeoutMs, signal } = limits;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onAbort = (): void => void response.destroy(signal?.reason as Error);
    const cancelTimer =
      timeoutMs > 0
        ? clock.schedule(timeoutMs, () => {
            response.destroy(new CallTimeoutError(`the answer was not complete within ${timeoutMs} ms`));
          })
        : () => undefined;
    const settle = (): void => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    };
    // Events, not an iterator: answers are many and most are small.
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBodyBytes) chunks.push(chunk);
      else response.destroy(new Error(`the answer is larger than ${maxBodyBytes} bytes`));
    });
    response.once('end', () => {
      settle();
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    });
    const fail = (error?: Error): void => {
      settle();
      reject(error ?? new Error('the connection was closed before the answer was complete'));
    };
    response.once('error', fail);
    response.once('close', () => fail());
    if (response.destroyed) fail();
    else if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
