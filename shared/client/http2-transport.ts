import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../clock/clock.js';
import { Answer } from './answer.js';
import { lightenRequests } from './light-requests.js';
import { bound, contentLength, type Exchange, type Transport } from './transport.js';
import { CallTimeoutError, ConnectionLostError } from './transport-errors.js';

/** As much of an answer may be under way before the server has to wait for us. With the usual 64 KB big lists take half as long again. */
const windowBytes = 4 * 1024 * 1024;
/** MB; beyond it Node refuses streams. What is under way is bounded by those who call. */
const maxSessionMemory = 1_024;

/** All exchanges on one connection, side by side: a call costs both sides less than with HTTP/1.1, and only the first one a handshake. */
export class Http2Transport implements Transport {
  readonly #session: ClientHttp2Session;
  readonly #socket: TLSSocket;
  readonly #clock: Clock;
  #streams = 0;
  #isDead = false;

  /** `socket` is connected, and "h2" was agreed on. */
  constructor(socket: TLSSocket, origin: string, clock: Clock) {
    lightenRequests();
    this.#socket = socket;
    this.#clock = clock;
    this.#session = connect(origin, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: windowBytes },
      maxSessionMemory,
    });
    this.#session.setLocalWindowSize(windowBytes);
    // What breaks is told to each exchange.
    this.#session.on('error', () => undefined);
    this.#session.unref();
  }

  get isOpen(): boolean {
    return !this.#isDead && !this.#session.closed && !this.#session.destroyed;
  }

  get isGone(): boolean {
    return this.#session.destroyed;
  }

  send(exchange: Exchange): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { method, path, headers, body } = exchange;
      const fields = { ':method': method, ':path': path, ...headers, ...contentLength(exchange) };
      const bytesBefore = this.#socket.bytesRead;
      let hasHead = false;
      const stream = this.#begin(fields, body === undefined);
      // An idle connection keeps no process alive.
      if (this.#streams++ === 0) this.#session.ref();
      const settle = bound(exchange, this.#clock, (reason) => {
        settle();
        reject(reason);
        stream.close(constants.NGHTTP2_CANCEL);
        // Nothing at all has come: the next call must not wait for the same silence.
        if (reason instanceof CallTimeoutError && this.#socket.bytesRead === bytesBefore) this.#abandon();
      });
      stream.once('response', ({ ':status': status = 0, ...received }) => {
        settle();
        hasHead = true;
        resolve(new Answer({ status, headers: received }, stream, () => stream.rstCode === constants.NGHTTP2_NO_ERROR));
      });
      stream.on('error', (error: Error & { code?: unknown }) => {
        settle();
        reject(String(error.code).startsWith('ERR_HTTP2') ? new ConnectionLostError(error.message) : error);
      });
      stream.once('close', () => {
        if (!hasHead) {
          settle();
          reject(new ConnectionLostError('the connection was closed before an answer came'));
        }
        if (--this.#streams === 0 && !this.#session.destroyed) this.#session.unref();
      });
      if (body !== undefined) stream.end(body);
    });
  }

  /** @throws {@link ConnectionLostError} on a session that ended in this very turn */
  #begin(fields: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
    try {
      return this.#session.request(fields, { endStream });
    } catch (error) {
      if (this.isOpen) throw error;
      throw new ConnectionLostError('the connection was closed before the request was sent');
    }
  }

  close(): void {
    this.#session.destroy();
  }

  /** Takes no more; what is under way may still get its answer. */
  #abandon(): void {
    this.#isDead = true;
    this.#session.close();
  }
}
