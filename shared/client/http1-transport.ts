import { Agent, request as httpsRequest, type AgentOptions } from 'node:https';
import type { Clock } from '../clock/clock.js';
import { Answer } from './answer.js';
import { bound, contentLength, type Exchange, type Transport } from './transport.js';

/** More idle connections than that are closed at once. */
const maxFreeSockets = 64;

/** HTTP/1.1 on connections that are kept, for servers that speak nothing newer. */
export class Http1Transport implements Transport {
  readonly isOpen = true;
  readonly isGone = false;
  readonly #agent: Agent;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #clock: Clock;

  constructor(target: { host: string; port: number }, tls: AgentOptions, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
    // The last used connection first, so that the others age out after a burst.
    this.#agent = new Agent({ ...tls, keepAlive: true, scheduling: 'lifo', maxFreeSockets });
  }

  async send(exchange: Exchange): Promise<Answer> {
    try {
      return await this.#attempt(exchange);
    } catch (error) {
      // A kept connection that the server closed while it was idle: nothing was executed, reads go again at once.
      if (exchange.method === 'GET' && isStaleSocket(error)) return this.#attempt(exchange);
      throw error;
    }
  }

  #attempt(exchange: Exchange): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { method, path, headers, body } = exchange;
      const request = httpsRequest({
        ...this.#target,
        agent: this.#agent,
        method,
        path,
        headers: { ...headers, ...contentLength(exchange) },
      });
      const settle = bound(exchange, this.#clock, (reason) => request.destroy(reason));
      request.once('response', (message) => {
        settle();
        const head = { status: message.statusCode ?? 0, headers: message.headers };
        resolve(new Answer(head, message, () => message.complete));
      });
      request.once('error', (error: Error & { reusedSocket?: boolean }) => {
        settle();
        error.reusedSocket = request.reusedSocket;
        reject(error);
      });
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function isStaleSocket(error: unknown): boolean {
  const { reusedSocket, code } = error as { reusedSocket?: boolean; code?: string };
  return reusedSocket === true && (code === 'ECONNRESET' || code === 'EPIPE');
}
