import { constants } from 'node:crypto';
import type { Http2SecureServer } from 'node:http2';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { DEFAULT_CIPHERS } from 'node:tls';
import { fastify, type FastifyInstance } from 'fastify';
import type { Clock } from '../../shared/clock/clock.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { Departures } from './departures.js';
import type { RawRequest, RawResponse } from './exchange.js';

export interface TlsFiles {
  /** PEM texts. */
  readonly certificate: string;
  readonly key: string;
  /** Authority of client certificates. */
  readonly clientCa: string;
}

/** What is spoken. */
export interface TlsSettings {
  /** Default: TLSv1.2. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** As OpenSSL calls them. Default: those of Node. */
  readonly ciphers?: readonly string[] | undefined;
}

export interface ServerOptions {
  readonly tls: TlsFiles & TlsSettings;
  readonly clock: Clock;
  readonly handle: (request: RawRequest, response: RawResponse) => void;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

const day = 24 * 60 * 60 * 1000;
const maxHeaderBytes = 64 * 1024;
const lingerMs = 500;
/** AES with keys of 128 bits first, as the original chooses too: a big list costs both sides less. Node begins with 256. */
const usualCiphers = [...new Set(['TLS_AES_128_GCM_SHA256', ...DEFAULT_CIPHERS.split(':')])].join(':');

/**
 * One TLS port for HTTP/2 and HTTP/1.1. Fastify owns the connections; every request goes to one handler, since paths
 * follow from resource definitions and not from routes.
 */
export class ApiServer {
  readonly #app: FastifyInstance;
  readonly #server: Http2SecureServer;
  readonly #schedule: Clock['schedule'];
  readonly #sockets = new Set<Duplex>();
  readonly #departures = new Departures();
  /** Requests that have no complete answer yet. */
  #answering = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: ServerOptions) {
    const { certificate, key, clientCa } = options.tls;
    this.#schedule = (delayMs, callback) => options.clock.schedule(delayMs, callback);
    const app = fastify({
      http2: true,
      // Watches are idle for a minute between bookmarks and live for an hour.
      http2SessionTimeout: day,
      https: {
        allowHTTP1: true,
        // Who has sent all that he wants to send is let go by us, see Departures.
        allowHalfOpen: true,
        settings: { maxConcurrentStreams: 1_000 },
        // MB of answers that wait for one client, before further ones are refused: a controller manager lists sixty kinds at once.
        maxSessionMemory: 64,
        cert: certificate,
        key,
        ca: clientCa,
        requestCert: true,
        // Tokens serve those without a certificate; who shows a bad one is refused with a 401.
        rejectUnauthorized: false,
        minVersion: options.tls.minVersion ?? 'TLSv1.2',
        ciphers: options.tls.ciphers?.join(':') ?? usualCiphers,
        honorCipherOrder: true,
        // A resumed session would not carry the client's certificate.
        secureOptions: constants.SSL_OP_NO_TICKET,
      },
      logger: false,
      clientErrorHandler: (error, socket) => refuseUnreadable(error, socket, this.#schedule),
      frameworkErrors: (_error, request, reply) => {
        reply.hijack();
        options.handle(request.raw as RawRequest, reply.raw as RawResponse);
      },
    });
    // The first hook answers: bodies are read by the handler, once it is known who sends them.
    app.addHook('onRequest', (request, reply, _next) => {
      reply.hijack();
      this.#track(reply.raw as RawResponse);
      options.handle(request.raw as RawRequest, reply.raw as RawResponse);
    });
    app.all('/*', () => {});
    app.setNotFoundHandler(() => {});
    this.#app = app as unknown as FastifyInstance;
    this.#server = app.server as unknown as Http2SecureServer;
    // Selectors are long at times; HTTP/2 has the same limit by default. From Node 24 on idle HTTP/1.1 connections would end
    // after five seconds, and with them the request that a client sends just then.
    Object.assign(this.#server, { maxHeaderSize: maxHeaderBytes, httpAllowHalfOpen: true, keepAliveTimeout: 0 });
    this.#server.on('secureConnection', (socket: Duplex) => {
      this.#sockets.add(socket);
      socket.once('end', () => this.#departures.add(socket));
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('upgrade', options.upgrade);
    // Half-open handshakes and resets are the network's daily business.
    this.#server.on('sessionError', () => {});
    this.#server.on('tlsClientError', () => {});
  }

  async listen(host: string, port: number): Promise<number> {
    await this.#app.listen({ host, port });
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** Stops accepting, lets answers finish for `graceMs`, then cuts every connection that is left. */
  async close(graceMs: number): Promise<void> {
    const closed = this.#app.close();
    if (this.#answering > 0) await this.#answersDone(graceMs);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #track(response: RawResponse): void {
    this.#answering++;
    response.once('close', () => {
      if (--this.#answering === 0) this.#onIdle?.();
    });
  }

  #answersDone(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#schedule(graceMs, resolve);
      this.#onIdle = () => {
        cancel();
        resolve();
      };
    });
  }
}

const unreadable: Readonly<Record<string, StatusError>> = {
  HPE_HEADER_OVERFLOW: new StatusError(
    431,
    'RequestHeaderFieldsTooLarge',
    `the line and the headers of a request may have at most ${maxHeaderBytes} bytes`,
  ),
  ERR_HTTP_REQUEST_TIMEOUT: new StatusError(408, 'Timeout', 'the request did not come in time'),
};

/** What cannot be read as HTTP gets a Status too, and an end: nothing that follows on the connection can be trusted. */
function refuseUnreadable(error: Error & { code?: string }, socket: Duplex, schedule: Clock['schedule']): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    unreadable[error.code ?? ''] ?? new StatusError(400, 'BadRequest', 'the request cannot be read as HTTP');
  const body = JSON.stringify(status.toStatus());
  const head = [
    `HTTP/1.1 ${status.code} ${STATUS_CODES[status.code] ?? ''}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // A reset while the client still sends would take the answer from it; nobody may keep the connection open, though.
  socket.resume();
  schedule(lingerMs, () => socket.destroy());
}
