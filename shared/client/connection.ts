import { isIP } from 'node:net';
import { connect, createSecureContext, type ConnectionOptions as TlsOptions, type TLSSocket } from 'node:tls';
import type { Clock } from '../clock/clock.js';
import type { Answer } from './answer.js';
import { Http1Transport } from './http1-transport.js';
import { Http2Transport } from './http2-transport.js';
import { bound, type Exchange, type Transport } from './transport.js';
import { ConnectionLostError } from './transport-errors.js';

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
  /** Further calls wait until one has ended; watches do not count. Default: no bound. */
  readonly maxCalls?: number;
}

/** What Node's TLS needs to reach the server as this caller. */
export interface TlsIdentity {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

const dialTimeoutMs = 10_000;
/** A peer that is silent for so long is asked by the kernel whether it is still there. */
const keepAliveMs = 15_000;

/**
 * The way to one server under one TLS identity: HTTP/2 where the server speaks it, else HTTP/1.1; made at the first
 * exchange, and anew when it is lost. Several clients with different tokens share one: the token travels with the
 * request. A connection with a client certificate must not be shared, the server prefers it.
 */
export class Connection {
  readonly server: string;
  /** For connections that another library opens to the same server (WebSockets). */
  readonly tls: TlsIdentity;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #options: TlsOptions;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #maxCalls: number;
  /** The last one takes new exchanges while it is open; those before it end when what is under way has ended. */
  #transports: Transport[] = [];
  #dialing: { readonly transport: Promise<Transport>; readonly socket: TLSSocket } | undefined;
  #calls = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: ConnectionOptions, clock: Clock) {
    const { protocol, hostname, port, pathname } = new URL(options.server);
    if (protocol !== 'https:') throw new Error(`server ${options.server}: only https is spoken`);
    const { ca, cert, key, tlsServerName } = options;
    const host = hostname.replace(/^\[|\]$/g, '');
    const rejectUnauthorized = !options.insecureSkipTlsVerify;
    this.server = options.server.replace(/\/+$/, '');
    this.#target = { host, port: port === '' ? 443 : Number(port) };
    this.#prefix = pathname.replace(/\/+$/, '');
    this.#clock = clock;
    this.#maxCalls = options.maxCalls ?? Number.POSITIVE_INFINITY;
    this.tls = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
      rejectUnauthorized,
    };
    const servername = tlsServerName ?? (isIP(host) === 0 ? host : undefined);
    this.#options = {
      // Made once: reading keys and authorities is most of what a new connection costs.
      secureContext: createSecureContext({ ca, cert, key }),
      ...(servername === undefined ? {} : { servername }),
      rejectUnauthorized,
    };
  }

  /** Sends, and resolves with the answer's head. Rejects with the signal's reason, a CallTimeoutError or the network's error. */
  async open(exchange: Exchange): Promise<Answer> {
    exchange.signal?.throwIfAborted();
    if (exchange.isStream || this.#maxCalls === Number.POSITIVE_INFINITY) return this.#send(exchange);
    if (this.#calls >= this.#maxCalls) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#calls++;
    try {
      exchange.signal?.throwIfAborted();
      const answer = await this.#send(exchange);
      answer.onClose(() => this.#callEnded());
      return answer;
    } catch (error) {
      this.#callEnded();
      throw error;
    }
  }

  /** Hands the place on, or gives it up. */
  #callEnded(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#calls--;
  }

  async #send(given: Exchange): Promise<Answer> {
    const exchange = this.#prefix === '' ? given : { ...given, path: this.#prefix + given.path };
    const kept = this.#transports.at(-1);
    if (!kept?.isOpen) return this.#sendAnew(exchange);
    try {
      return await kept.send(exchange);
    } catch (error) {
      // The server has closed a connection that was idle, or restarts: what changes nothing goes again at once.
      if (exchange.method !== 'GET' || !(error instanceof ConnectionLostError)) throw error;
      return this.#sendAnew(exchange);
    }
  }

  async #sendAnew(exchange: Exchange): Promise<Answer> {
    const transport = await this.#dial(exchange);
    // It may have been given up in the turn in which the way was open.
    exchange.signal?.throwIfAborted();
    return transport.send(exchange);
  }

  /** The open way, made if there is none. Waits no longer than the exchange may take. */
  #dial(exchange: Exchange): Promise<Transport> {
    const open = this.#transports.at(-1);
    if (open?.isOpen) return Promise.resolve(open);
    this.#dialing ??= this.#begin();
    const { transport } = this.#dialing;
    return new Promise((resolve, reject) => {
      const settle = bound(exchange, this.#clock, reject);
      transport.then(resolve, reject).finally(settle);
    });
  }

  #begin(): { transport: Promise<Transport>; socket: TLSSocket } {
    const socket = connect({
      ...this.#target,
      ...this.#options,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    socket.setKeepAlive(true, keepAliveMs);
    const transport = new Promise<Transport>((resolve, reject) => {
      const cancelTimer = this.#clock.schedule(dialTimeoutMs, () => {
        const message = `connect ETIMEDOUT ${this.#target.host}:${this.#target.port}`;
        socket.destroy(Object.assign(new Error(message), { code: 'ETIMEDOUT' }));
      });
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        const made = this.#speak(socket);
        this.#transports = [...this.#transports.filter((one) => !one.isGone), made];
        resolve(made);
      });
      socket.on('error', reject);
      socket.once('close', () => {
        reject(new ConnectionLostError('the connection was closed before a secure one was agreed on'));
      });
      const ended = (): void => {
        cancelTimer();
        this.#dialing = undefined;
      };
      socket.once('secureConnect', ended);
      socket.once('close', ended);
    });
    return { transport, socket };
  }

  #speak(socket: TLSSocket): Transport {
    if (socket.alpnProtocol === 'h2') return new Http2Transport(socket, this.server, this.#clock);
    socket.destroy();
    return new Http1Transport(this.#target, this.#options, this.#clock);
  }

  /** Ends what is idle and what is under way. */
  close(): void {
    this.#dialing?.socket.destroy();
    for (const transport of this.#transports) transport.close();
    this.#transports = [];
  }
}
