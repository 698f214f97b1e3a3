import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

import type { Clock } from '../../shared/clock/clock.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import { RuntimeError, type ContainerRuntime } from '../runtime/container-runtime.js';
import type { ClientAccess } from './client-access.js';
import { parseLogQuery, writeLogs } from './container-logs.js';
import { PodLocator, type PodLookup } from './pod-locator.js';
import { RemoteCommandError } from './remote-command.js';
import { UpgradeHandler } from './upgrade-handler.js';
import { statsSummary } from './stats-summary.js';
import { cadvisorMetrics, resourceMetrics } from './usage-metrics.js';
import { UsageRecorder } from './usage-recorder.js';

/** As the original's streaming-connection-idle-timeout. */
const IDLE_TIMEOUT_MS = 4 * 60 * 60 * 1000;
const MAX_CONNECTIONS = 2000;
const JSON_TYPE = 'application/json';
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Key, certificate and the CA that signs clients, PEM each. */
export interface TlsMaterial {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  readonly clientCA: string | Buffer;
}

/** Where the server's certificate comes from; it is renewed while the server runs. */
export interface TlsProvider {
  current(): TlsMaterial;
  /** Calls back after each change; returns how to stop that. */
  subscribe(onChange: () => void): () => void;
}

export interface KubeletServerOptions {
  readonly host: string;
  readonly port: number;
  readonly nodeName: string;
  readonly runtime: ContainerRuntime;
  readonly pods: PodLookup;
  readonly tls: TlsProvider;
  /** Who may ask for what. */
  readonly access: ClientAccess;
  readonly clock: Clock;
  readonly log: Log;
  /** The text of /metrics. */
  readonly metrics: () => string;
  /** The text of /metrics/probes. */
  readonly probeMetrics: () => string;
  readonly idleTimeoutMs?: number;
}

export interface KubeletServer {
  /** The port listened on; differs from the one asked for when that was 0. */
  readonly port: number;
  start(): Promise<void>;
  /** Ends all connections. */
  stop(): Promise<void>;
}

/** The kubelet's HTTPS API: logs, exec, attach, portForward, pods, statistics, metrics, images. */
export function createKubeletServer(options: KubeletServerOptions): KubeletServer {
  return new HttpsKubeletServer(options);
}

class HttpsKubeletServer implements KubeletServer {
  readonly #options: KubeletServerOptions;
  readonly #server: Server;
  readonly #locator: PodLocator;
  readonly #usage: UsageRecorder;
  readonly #upgrades: UpgradeHandler;
  readonly #idleTimeoutMs: number;
  readonly #upgraded = new Set<Duplex>();
  #unsubscribe: (() => void) | undefined;

  constructor(options: KubeletServerOptions) {
    const { runtime, clock, pods, idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
    this.#options = options;
    this.#locator = new PodLocator(pods, runtime);
    this.#usage = new UsageRecorder(runtime, clock);
    this.#upgrades = new UpgradeHandler({ runtime, clock, locator: this.#locator, idleTimeoutMs });
    this.#idleTimeoutMs = idleTimeoutMs;
    // Connections without a certificate are answered: they may bring a token, or get 401.
    this.#server = createServer({ ...this.#secureContext(), requestCert: true, rejectUnauthorized: false });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('request', (request, response) => void this.#handle(request, response));
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.#upgrade(request, socket, head);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port;
  }

  start(): Promise<void> {
    const { tls, host, port } = this.#options;
    this.#unsubscribe = tls.subscribe(() => this.#server.setSecureContext(this.#secureContext()));
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  stop(): Promise<void> {
    this.#unsubscribe?.();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
      for (const socket of this.#upgraded) socket.destroy();
    });
  }

  #secureContext(): { key: string | Buffer; cert: string | Buffer; ca: string | Buffer; minVersion: 'TLSv1.2' } {
    const { key, cert, clientCA } = this.#options.tls.current();
    return { key, cert, ca: clientCA, minVersion: 'TLSv1.2' };
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy());
    try {
      const { path, query } = parseUrl(request);
      await this.#options.access.check(request, path);
      await this.#route(request, response, path, query);
    } catch (error) {
      const { code, message } = this.#asStatus(error, request);
      if (response.headersSent) response.destroy();
      else response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(message);
    }
  }

  async #route(
    request: IncomingMessage,
    response: ServerResponse,
    path: readonly string[],
    query: URLSearchParams,
  ): Promise<void> {
    const route = `${request.method} /${path[0] === 'containerLogs' ? path[0] : path.join('/')}`;
    switch (route) {
      case 'GET /containerLogs':
        return this.#logs(response, path, query);
      case 'GET /healthz':
        return void response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('ok');
      case 'GET /pods':
        return sendJson(response, {
          kind: 'PodList',
          apiVersion: 'v1',
          metadata: {},
          items: this.#options.pods.list(),
        });
      case 'GET /stats/summary': {
        const [containers, node] = await Promise.all([this.#usage.containers(), this.#usage.node()]);
        return sendJson(response, statsSummary(this.#options.nodeName, node, containers));
      }
      case 'GET /metrics/resource': {
        const [containers, node] = await Promise.all([this.#usage.containers(), this.#usage.node()]);
        return void response.writeHead(200, { 'content-type': METRICS_TYPE }).end(resourceMetrics(node, containers));
      }
      case 'GET /metrics/cadvisor': {
        const [containers, node] = await Promise.all([this.#usage.containers(), this.#usage.node()]);
        return void response.writeHead(200, { 'content-type': METRICS_TYPE }).end(cadvisorMetrics(node, containers));
      }
      case 'GET /metrics':
        return void response.writeHead(200, { 'content-type': METRICS_TYPE }).end(this.#options.metrics());
      case 'GET /metrics/probes':
        return void response.writeHead(200, { 'content-type': METRICS_TYPE }).end(this.#options.probeMetrics());
      case 'POST /images':
        return sendJson(response, { images: await this.#options.runtime.loadImage(request) });
      default:
        if (['exec', 'attach', 'portForward'].includes(path[0] ?? '')) {
          throw new StatusError(400, 'BadRequest', 'Upgrade request required');
        }
        throw new StatusError(404, 'NotFound', '404 page not found');
    }
  }

  async #logs(response: ServerResponse, path: readonly string[], query: URLSearchParams): Promise<void> {
    const [, namespace, podName, container, ...extra] = path;
    if (!namespace || !podName || !container || extra.length > 0) {
      throw new StatusError(404, 'NotFound', '404 page not found');
    }
    const { previous, options } = parseLogQuery(query, this.#options.clock.now());
    const pod = this.#locator.pod(namespace, podName);
    const { id } = await this.#locator.logged(pod, container, previous);
    await writeLogs(this.#options.runtime, id, options, response);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    request.socket.setTimeout(this.#idleTimeoutMs, () => socket.destroy());
    try {
      const { path, query } = parseUrl(request);
      await this.#options.access.check(request, path);
      const upgrade = await this.#upgrades.prepare(request, path, query);
      await upgrade.serve(request, socket, head).catch((error: unknown) => {
        // The client broke the protocol or left in the middle of it.
        this.#options.log.debug('a streaming connection ended badly', { path: request.url?.split('?')[0], error });
        socket.destroy();
      });
    } catch (error) {
      refuse(socket, this.#asStatus(error, request));
    }
  }

  #asStatus(error: unknown, request: IncomingMessage): { code: number; message: string } {
    if (error instanceof StatusError) return error;
    if (error instanceof RemoteCommandError) return { code: 400, message: error.message };
    if (error instanceof RuntimeError) {
      const codes: Partial<Record<RuntimeError['code'], number>> = { NotFound: 404, Unavailable: 503, Conflict: 409 };
      return { code: codes[error.code] ?? 500, message: error.message };
    }
    this.#options.log.error('a request failed', { method: request.method, path: request.url?.split('?')[0], error });
    return { code: 500, message: error instanceof Error ? error.message : String(error) };
  }
}

function parseUrl(request: IncomingMessage): { path: string[]; query: URLSearchParams } {
  const [pathname = '/', search = ''] = splitOnce(request.url ?? '/', '?');
  try {
    const path = pathname.split('/').filter(Boolean).map(decodeURIComponent);
    return { path, query: new URLSearchParams(search) };
  } catch {
    throw new StatusError(400, 'BadRequest', 'the path is not properly escaped');
  }
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': JSON_TYPE }).end(JSON.stringify(value));
}

/** A plain answer on a connection that wanted to change its protocol. */
function refuse(socket: Duplex, { code, message }: { code: number; message: string }): void {
  const body = Buffer.from(message);
  const head = [
    `HTTP/1.1 ${code} Refused`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  if (socket.writable) socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
}
