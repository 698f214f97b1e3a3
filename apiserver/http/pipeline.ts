import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../shared/clock/clock.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import type { Authenticator, PeerCertificate } from '../authentication/authenticator.js';
import { anonymousUser, type User } from '../authentication/user.js';
import { forbiddenMessage, type Attributes, type Authorizer, type Decision } from '../authorization/authorizer.js';
import { header, type Exchange, type RawRequest, type RawResponse } from './exchange.js';
import type { Peers } from './peer.js';
import { parseRequestInfo, type RequestInfo } from './request-info.js';
import { metricLabels, type RequestMetrics } from './request-metrics.js';
import { sendError } from './respond.js';
import { toStatusError } from './failure.js';
import { SocketResponse } from './socket-response.js';

export type Handler = (exchange: Exchange) => void | Promise<void>;

export interface PipelineOptions {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly peers: Peers;
  readonly metrics: RequestMetrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly newUid: () => string;
  readonly handle: Handler;
  readonly upgrade: (exchange: Exchange, socket: Duplex, head: Buffer) => Promise<void>;
  /** Requests of one kind that are answered at once; more get 429. */
  readonly maxReading: number;
  readonly maxWriting: number;
}

const emptyQuery = new URLSearchParams();
const longRunningSubresources = new Set(['exec', 'attach', 'portforward', 'proxy', 'log']);

export function isLongRunning(info: RequestInfo): boolean {
  return info.verb === 'watch' || longRunningSubresources.has(info.subresource);
}

/**
 * What every request goes through, in this order:
 *
 *     URL -> in-flight bound -> who (authentication) -> may he (authorization) -> answer -> metrics
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #inFlight = { reading: 0, writing: 0 };

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** Answers a request, whatever it is; never throws. */
  handle(request: RawRequest, response: RawResponse): void {
    const exchange = this.open(request, response);
    if (!exchange) return;
    const release = this.#admit(exchange);
    if (!release) return;
    this.#observe(exchange, release);
    try {
      const done = this.#answer(exchange);
      if (done) done.catch((error: unknown) => this.#fail(exchange, error));
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  /** The same steps for a request that wants another protocol; refusals are written to the bare connection. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const response = new SocketResponse(socket);
    const exchange = this.open(request, response.asResponse());
    if (!exchange) return;
    const run = async (): Promise<void> => {
      const known = { ...exchange, user: await this.authenticate(request) };
      await this.authorize(known);
      await this.#options.upgrade(known, socket, head);
    };
    const { metrics } = this.#options;
    const labels = metricLabels(exchange.info);
    metrics.longRunning.add(1, labels);
    socket.once('close', () => metrics.longRunning.add(-1, labels));
    socket.on('error', () => socket.destroy());
    run().catch((error: unknown) => this.#fail(exchange, error));
  }

  /** Reads the URL; answers 400 itself when that cannot be done. */
  open(request: RawRequest, response: RawResponse): Exchange | undefined {
    const { newUid } = this.#options;
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const query = mark < 0 ? emptyQuery : new URLSearchParams(url.slice(mark + 1));
    const method = request.method ?? 'GET';
    const auditId =
      header(request, 'audit-id')
        ?.slice(0, 64)
        .replace(/[^\w-]/g, '') || newUid();
    const base = { request, response, method, query, auditId, warnings: [], user: anonymousUser };
    try {
      return { ...base, info: parseRequestInfo(method, path, query) };
    } catch (error) {
      const info = parseRequestInfo(method, '/', query);
      this.#fail({ ...base, info }, error);
      return undefined;
    }
  }

  /** Who asks; throws or rejects with 401. */
  authenticate(request: RawRequest): User | Promise<User> {
    const { authenticator, peers } = this.#options;
    const authorization = header(request, 'authorization');
    const certificate: PeerCertificate | undefined = peers.certificateOf(request);
    const user = authenticator.fromCertificate(certificate);
    return user ?? authenticator.fromHeader(authorization);
  }

  /** Throws or rejects with 403. Undefined when nobody outside had to be asked. */
  authorize(exchange: Exchange): Promise<void> | undefined {
    const attributes = attributesOf(exchange);
    const decision = this.#options.authorizer.authorize(attributes);
    if (decision instanceof Promise) return decision.then((known) => refuse(attributes, known));
    refuse(attributes, decision);
    return undefined;
  }

  #answer(exchange: Exchange): void | Promise<void> {
    const user = this.authenticate(exchange.request);
    if (user instanceof Promise) return user.then((known) => this.#answerAs(exchange, known));
    return this.#answerAs(exchange, user);
  }

  #answerAs(exchange: Exchange, user: User): void | Promise<void> {
    const known = { ...exchange, user };
    const pending = this.authorize(known);
    return pending ? pending.then(() => this.#options.handle(known)) : this.#options.handle(known);
  }

  #admit(exchange: Exchange): (() => void) | undefined {
    if (isLongRunning(exchange.info)) return () => {};
    const { maxReading, maxWriting, metrics } = this.#options;
    const kind = ['GET', 'HEAD', 'OPTIONS'].includes(exchange.method) ? 'reading' : 'writing';
    if (this.#inFlight[kind] >= (kind === 'reading' ? maxReading : maxWriting)) {
      exchange.request.resume();
      sendError(
        exchange,
        new StatusError(429, 'TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds: 1 }),
      );
      return undefined;
    }
    this.#inFlight[kind] += 1;
    metrics.inFlight.set(this.#inFlight[kind], [kind === 'reading' ? 'readOnly' : 'mutating']);
    return () => {
      this.#inFlight[kind] -= 1;
      metrics.inFlight.set(this.#inFlight[kind], [kind === 'reading' ? 'readOnly' : 'mutating']);
    };
  }

  #observe(exchange: Exchange, release: () => void): void {
    const { metrics, clock } = this.#options;
    const { response, info } = exchange;
    const labels = metricLabels(info);
    const isLong = isLongRunning(info);
    const startMs = clock.monotonic();
    if (isLong) metrics.longRunning.add(1, labels);
    response.once('close', () => {
      release();
      metrics.total.inc([...labels, String(response.statusCode)]);
      if (isLong) metrics.longRunning.add(-1, labels);
      else metrics.duration.observe((clock.monotonic() - startMs) / 1000, labels);
    });
  }

  #fail(exchange: Exchange, error: unknown): void {
    const { request, response } = exchange;
    const status = toStatusError(error);
    if (status.code >= 500 && !(error instanceof StatusError)) {
      const { method, info, auditId } = exchange;
      this.#options.log.error('a request failed', { method, path: info.path, auditId, error });
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // What is left of a body must be read, or the connection cannot be used again.
    if (!request.readableEnded) request.resume();
    sendError(exchange, status);
  }
}

/** Throws 403 unless the decision is to allow. */
export function refuse(attributes: Attributes, { verdict, reason }: Decision): void {
  if (verdict === 'allow') return;
  const { isResourceRequest, name, group, resource } = attributes;
  const details = isResourceRequest ? { ...(name ? { name } : {}), ...(group ? { group } : {}), kind: resource } : {};
  throw new StatusError(403, 'Forbidden', forbiddenMessage(attributes, reason), details);
}

export function attributesOf({ info, user, query }: Pick<Exchange, 'info' | 'user' | 'query'>): Attributes {
  const { verb, group, version, resource, subresource, namespace, path, isResourceRequest } = info;
  const fieldSelector = query.get('fieldSelector');
  // A list or watch of one name is a request about that name.
  const name =
    info.name === '' && fieldSelector !== null && verb !== 'create' ? selectedName(fieldSelector) : info.name;
  return {
    user,
    verb,
    isResourceRequest,
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
    path,
    ...(fieldSelector === null ? {} : { fieldSelector }),
  };
}

function selectedName(fieldSelector: string): string {
  for (const term of fieldSelector.split(',', 16)) {
    const match = /^\s*metadata\.name==?([^=!,/%]+)$/.exec(term);
    if (match) return match[1] ?? '';
  }
  return '';
}
