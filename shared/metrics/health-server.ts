import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HealthMetrics } from './health-metrics.js';
import type { MetricsRegistry } from './registry.js';

/** Says why the process is not well, or undefined when it is. */
export type HealthCheck = () => string | undefined;

export interface HealthServerOptions {
  readonly port: number;
  /** Default 127.0.0.1: the only plaintext that Knarr speaks stays on loopback. */
  readonly host?: string;
  readonly metrics: MetricsRegistry;
  /** Texts in the format of metrics at further paths, made when they are asked for. */
  readonly furtherMetrics?: Readonly<Record<string, () => string>>;
  /** Failing: the process should be restarted. */
  readonly livez?: Readonly<Record<string, HealthCheck>>;
  /** Failing: the process should get no work yet. The checks of livez count too. */
  readonly readyz?: Readonly<Record<string, HealthCheck>>;
}

const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

/** Serves /healthz, /livez, /readyz and /metrics over plain HTTP, in the original's format. */
export class HealthServer {
  readonly #options: HealthServerOptions;
  readonly #server: Server;
  readonly #checked: HealthMetrics;

  constructor(options: HealthServerOptions) {
    this.#options = options;
    this.#checked = new HealthMetrics(options.metrics);
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.maxConnections = 100;
    this.#server.requestTimeout = 10_000;
  }

  /** The port listened on; differs from the one asked for when that was 0. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port;
  }

  /** Resolves with the port when it listens; rejects with the Error of the network (EADDRINUSE ...). */
  start(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host ?? '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve(this.port);
      });
    });
  }

  /** As a part of a process; tells the port once it serves. */
  asMember(
    name: string,
    onServing: (port: number) => void,
  ): { name: string; start: () => Promise<void>; stop: () => Promise<void> } {
    return { name, start: async () => onServing(await this.start()), stop: () => this.stop() };
  }

  /** Ends all connections. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const { livez = {}, readyz = {}, metrics, furtherMetrics = {} } = this.#options;
    const send = (code: number, text: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(code, { 'content-type': type, 'x-content-type-options': 'nosniff' });
      response.end(text);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'Method Not Allowed\n');
    const verbose = url.searchParams.has('verbose');
    switch (url.pathname) {
      case '/metrics':
        return send(200, metrics.render(), metricsType);
      case '/healthz':
      case '/livez':
        return send(...report(url.pathname.slice(1), livez, verbose, this.#checked));
      case '/readyz':
        return send(...report('readyz', { ...livez, ...readyz }, verbose, this.#checked));
      default:
        if (Object.hasOwn(furtherMetrics, url.pathname))
          return send(200, furtherMetrics[url.pathname]?.() ?? '', metricsType);
        return send(404, '404 page not found\n');
    }
  }
}

function report(
  name: string,
  checks: Readonly<Record<string, HealthCheck>>,
  verbose: boolean,
  checked: HealthMetrics,
): [number, string] {
  const all: Readonly<Record<string, HealthCheck>> = { ping: () => undefined, ...checks };
  const results = Object.entries(all).map(([check, run]) => ({ check, why: run() }));
  for (const { check, why } of results) checked.checked(name, check, why === undefined);
  const failed = results.some(({ why }) => why !== undefined);
  if (!failed && !verbose) return [200, 'ok'];
  const lines = results.map(({ check, why }) => (why === undefined ? `[+]${check} ok` : `[-]${check} failed: ${why}`));
  lines.push(`${name} check ${failed ? 'failed' : 'passed'}`, '');
  return [failed ? 503 : 200, lines.join('\n')];
}
