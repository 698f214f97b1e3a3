import { constants } from 'node:crypto';
import type { Http2SecureServer } from 'node:http2';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { fastify, type FastifyInstance } from 'fastify';
import type { Clock } from '../../shared/clock/clock.js';
import type { RawRequest, RawResponse } from './exchange.js';

export interface TlsFiles {
  /** PEM texts. */
  readonly certificate: string;
  readonly key: string;
  /** Authority of client certificates. */
  readonly clientCa: string;
}

export interface ServerOptions {
  readonly tls: TlsFiles;
  readonly clock: Clock;
  readonly handle: (request: RawRequest, response: RawResponse) => void;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

const day = 24 * 60 * 60 * 1000;

/**
 * One TLS port for HTTP/2 and HTTP/1.1. Fastify owns the connections; every request goes to one handler, since paths
 * follow from resource definitions and not from routes.
 */
export class ApiServer {
  readonly #app: FastifyInstance;
  readonly #server: Http2SecureServer;
  readonly #schedule: Clock['schedule'];
  readonly #sockets = new Set<Duplex>();
  readonly #answering = new Set<RawResponse>();
  #onIdle: (() => void) | undefined;

  constructor(options: ServerOptions) {
    const { certificate, key, clientCa } = options.tls;
    const app = fastify({
      http2: true,
      // Watches are idle for a minute between bookmarks and live for an hour.
      http2SessionTimeout: day,
      https: {
        allowHTTP1: true,
        settings: { maxConcurrentStreams: 1_000 },
        cert: certificate,
        key,
        ca: clientCa,
        requestCert: true,
        // Tokens serve those without a certificate; who shows a bad one is refused with a 401.
        rejectUnauthorized: false,
        minVersion: 'TLSv1.2',
        // A resumed session would not carry the client's certificate.
        secureOptions: constants.SSL_OP_NO_TICKET,
      },
      logger: false,
      frameworkErrors: (_error, request, reply) => {
        reply.hijack();
        options.handle(request.raw as RawRequest, reply.raw as RawResponse);
      },
    });
    app.removeAllContentTypeParsers();
    // Bodies are read by the handler, once it is known who sends them.
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const answer = (request: { raw: unknown }, reply: { raw: unknown; hijack(): unknown }): void => {
      reply.hijack();
      this.#track(reply.raw as RawResponse);
      options.handle(request.raw as RawRequest, reply.raw as RawResponse);
    };
    app.all('/*', answer);
    app.setNotFoundHandler(answer);
    this.#app = app as unknown as FastifyInstance;
    this.#server = app.server as unknown as Http2SecureServer;
    this.#schedule = (delayMs, callback) => options.clock.schedule(delayMs, callback);
    this.#server.on('secureConnection', (socket: Duplex) => {
      this.#sockets.add(socket);
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
    if (this.#answering.size > 0) await this.#answersDone(graceMs);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #track(response: RawResponse): void {
    this.#answering.add(response);
    response.once('close', () => {
      this.#answering.delete(response);
      if (this.#answering.size === 0) this.#onIdle?.();
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
