import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RawResponse } from './exchange.js';

/** As much of a response as a refusal needs, on a connection that was to be upgraded. */
export class SocketResponse {
  readonly #socket: Duplex;
  readonly #headers: Record<string, string | string[] | number> = {};
  statusCode = 0;
  headersSent = false;
  writableEnded = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  asResponse(): RawResponse {
    return this as unknown as RawResponse;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  setHeader(name: string, value: string): void {
    this.#headers[name] = value;
  }

  writeHead(code: number, headers: Record<string, string | string[] | number>): void {
    this.statusCode = code;
    this.headersSent = true;
    const lines = [`HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}`];
    for (const [name, value] of Object.entries({ ...this.#headers, ...headers, connection: 'close' })) {
      for (const one of [value].flat()) lines.push(`${name}: ${one}`);
    }
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  end(body?: Buffer): void {
    this.writableEnded = true;
    this.#socket.end(body ?? Buffer.alloc(0));
  }

  once(event: 'close', listener: () => void): void {
    this.#socket.once(event, listener);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
