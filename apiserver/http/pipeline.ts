import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../shared/clock/clock.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import { RequestAudit, type AuditedRequest, type Auditor } from '../audit/request-audit.js';
import { webSocketAuthorization } from '../../shared/review/web-socket-token.js';
import type { Authenticator, PeerCertificate } from '../authentication/authenticator.js';
import { hasImpersonation, readImpersonation } from '../authentication/impersonation.js';
import { anonymousUser, type User } from '../authentication/user.js';
import type { Attributes, Authorizer, Decision } from '../authorization/authorizer.js';
import type { FlowControl, Queued, Turn } from '../flowcontrol/flow-control.js';
import { Deadlines, timeoutOf } from './deadline.js';
import { header, type Exchange, type RawRequest, type RawResponse } from './exchange.js';
import type { Peers } from './peer.js';
import { attributesOf, judge, refuse } from './request-attributes.js';
import { parseRequestInfo, type RequestInfo } from './request-info.js';
import type { BrowserHeaders } from './browser-headers.js';
import { dryRunLabel, metricLabels, removedRelease, type RequestMetrics } from './request-metrics.js';
import { endWith, sendError, writeHead } from './respond.js';
import { toStatusError } from './failure.js';
import { SocketResponse } from './socket-response.js';
import { WorkTurns } from './work-turns.js';

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
  readonly encodeProtobuf: Exchange['encodeProtobuf'];
  /** Absent: nothing is written down. */
  readonly auditor?: Auditor;
  /** Who has to wait, and who is refused with 429. */
  readonly flowControl: FlowControl;
  readonly browser: BrowserHeaders;
  /** In how much time whatever is no stream must be answered. */
  readonly requestTimeoutMs?: number | undefined;
}

const emptyQuery = new URLSearchParams();
const longRunningSubresources = new Set(['exec', 'attach', 'portforward', 'proxy', 'log']);

function isLongRunning(info: RequestInfo): boolean {
  return info.verb === 'watch' || longRunningSubresources.has(info.subresource);
}

/**
 * What every request goes through, in this order:
 *
 *     URL -> deadline -> who (authentication) -> audit -> as whom (impersonation) -> is it his turn (flow control)
 *         -> may he (authorization) -> answer -> metrics, audit
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #deadlines: Deadlines;
  readonly #turns = new WorkTurns();

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.clock, options.requestTimeoutMs);
  }

  stop(): void {
    this.#deadlines.stop();
  }

  /** Answers a request, whatever it is; never throws. */
  handle(request: RawRequest, response: RawResponse): void {
    const exchange = this.open(request, response);
    if (!exchange) return;
    if (this.#options.browser.isPreflight(request)) {
      writeHead(response, 204, exchange.headers);
      endWith(response);
      return;
    }
    this.#observe(exchange);
    try {
      if (!isLongRunning(exchange.info)) this.#limitTime(exchange);
      const done = this.#answer(exchange, this.#options.handle);
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
      await this.#answer(exchange, (known) => this.#options.upgrade(known, socket, head));
    };
    const { metrics } = this.#options;
    const labels = metricLabels(exchange.info);
    metrics.longRunning.add(1, labels);
    socket.once('close', () => {
      metrics.longRunning.add(-1, labels);
      exchange.audit?.completed(response.headersSent ? response.statusCode : 101);
    });
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
    const { auditor, encodeProtobuf } = this.#options;
    const audit = auditor && new RequestAudit(auditor, auditedRequest(request, auditId));
    const warnings: string[] = [];
    const user = anonymousUser;
    const headers = { 'audit-id': auditId, ...this.#options.browser.headersFor(request) };
    let info: RequestInfo;
    let failure: unknown;
    try {
      info = parseRequestInfo(method, path, query);
    } catch (error) {
      info = parseRequestInfo(method, '/', query);
      failure = error;
    }
    const exchange = {
      request,
      response,
      method,
      info,
      query,
      user,
      auditId,
      warnings,
      headers,
      encodeProtobuf,
      sent: { bytes: 0 },
      audit,
      turns: this.#turns,
    };
    if (failure === undefined) return exchange;
    this.#fail(exchange, failure);
    return undefined;
  }

  /** Who asks; throws or rejects with 401. */
  authenticate(request: RawRequest): User | Promise<User> {
    const { authenticator, peers } = this.#options;
    const certificate: PeerCertificate | undefined = peers.certificateOf(request);
    const user = authenticator.fromCertificate(certificate);
    if (user) return user;
    const authorization = header(request, 'authorization') ?? webSocketAuthorization(request.headers);
    return authenticator.fromHeader(authorization, (request.url ?? '/').split('?', 1)[0] ?? '/');
  }

  /** Throws or rejects with 403, or 500 where nobody could tell. Undefined when nobody outside had to be asked. */
  authorize(exchange: Exchange): Promise<void> | undefined {
    const { audit } = exchange;
    const attributes = attributesOf(exchange);
    const decide = (decision: Decision): void => {
      audit?.decided(decision);
      judge(attributes, decision, exchange.request.url ?? '/');
    };
    const decision = this.#options.authorizer.authorize(attributes);
    if (decision instanceof Promise) return decision.then(decide);
    decide(decision);
    return undefined;
  }

  #answer(exchange: Exchange, handle: Handler): void | Promise<void> {
    let user;
    try {
      user = this.authenticate(exchange.request);
    } catch (error) {
      this.#auditUnknown(exchange);
      throw error;
    }
    if (!(user instanceof Promise)) return this.#answerAs(exchange, user, handle);
    return user.then(
      (known) => this.#answerAs(exchange, known, handle),
      (error: unknown) => {
        this.#auditUnknown(exchange);
        throw error;
      },
    );
  }

  /** Who could not be recognised is written down as nobody. */
  #auditUnknown(exchange: Exchange): void {
    exchange.audit?.begin(attributesOf({ ...exchange, user: { name: '', groups: [] } }));
  }

  #answerAs(exchange: Exchange, user: User, handle: Handler): void | Promise<void> {
    exchange.user = user;
    const { audit, info } = exchange;
    audit?.begin(attributesOf(exchange));
    if (audit && isLongRunning(info)) tellStart(exchange.response, audit);
    if (hasImpersonation(exchange.request.headers)) {
      return this.#impersonate(exchange).then((other) => this.#serve(other, handle));
    }
    return this.#serve(exchange, handle);
  }

  #serve(exchange: Exchange, handle: Handler): void | Promise<void> {
    const { info, user, headers } = exchange;
    // Streams may be open for hours: they take nobody's turn. Watches do while they begin.
    if (isLongRunning(info) && info.verb !== 'watch') return this.#serveAllowed(exchange, handle);
    const { flowControl } = this.#options;
    const flow = flowControl.classify(user, info);
    headers['x-kubernetes-pf-flowschema-uid'] = flow.schema.uid;
    headers['x-kubernetes-pf-prioritylevel-uid'] = flow.level.uid;
    const entered = flowControl.enter(flow, exchange);
    return 'turn' in entered ? this.#queue(exchange, entered, handle) : this.#run(exchange, entered, handle);
  }

  #serveAllowed(exchange: Exchange, handle: Handler): void | Promise<void> {
    const pending = this.authorize(exchange);
    return pending ? pending.then(() => handle(exchange)) : handle(exchange);
  }

  async #queue(exchange: Exchange, queued: Queued, handle: Handler): Promise<void> {
    let isGone = false;
    exchange.response.once('close', () => {
      isGone = true;
      queued.giveUp();
    });
    const turn = await queued.turn;
    if (isGone) turn.finish();
    else await this.#run(exchange, turn, handle);
  }

  #run(exchange: Exchange, turn: Turn, handle: Handler): void | Promise<void> {
    const { info, method, response } = exchange;
    if (info.verb === 'watch') return this.#begin(exchange, turn, handle);
    const { inFlight } = this.#options.metrics;
    const kind = method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 'readOnly' : 'mutating';
    inFlight[kind] += 1;
    response.once('close', () => {
      inFlight[kind] -= 1;
      turn.finish();
    });
    return this.#serveAllowed(exchange, handle);
  }

  async #begin(exchange: Exchange, turn: Turn, handle: Handler): Promise<void> {
    try {
      await this.#serveAllowed(exchange, handle);
    } finally {
      turn.finish();
    }
  }

  /** The same request made by whom the headers name, once each thing that is acted as has been allowed. */
  async #impersonate(exchange: Exchange): Promise<Exchange> {
    const wanted = readImpersonation(exchange.request.rawHeaders);
    if (!wanted) return exchange;
    for (const one of wanted.attributes) {
      const attributes: Attributes = {
        ...one,
        user: exchange.user,
        verb: 'impersonate',
        isResourceRequest: true,
        path: exchange.info.path,
      };
      refuse(attributes, await this.#options.authorizer.authorize(attributes));
    }
    exchange.audit?.impersonate(wanted.user);
    return { ...exchange, user: wanted.user };
  }

  /** Whoever does not get his answer in time gets 504; what has begun to go out is cut. */
  #limitTime(exchange: Exchange): void {
    const cancel = this.#deadlines.add(timeoutOf(exchange.query, this.#options.requestTimeoutMs), () =>
      this.#fail(exchange, late()),
    );
    exchange.response.once('close', cancel);
  }

  #observe(exchange: Exchange): void {
    const { metrics, clock } = this.#options;
    const { response, info } = exchange;
    const labels = metricLabels(info);
    const dryRun = dryRunLabel(exchange.query);
    const isLong = isLongRunning(info);
    const startMs = clock.monotonic();
    if (isLong) metrics.longRunning.add(1, labels);
    response.once('close', () => {
      metrics.total.inc([...labels, dryRun, String(response.statusCode)]);
      exchange.audit?.completed(response.statusCode);
      if (isLong) metrics.longRunning.add(-1, labels);
      else metrics.duration.observe((clock.monotonic() - startMs) / 1000, [...labels, dryRun]);
      if (info.verb === 'get' || info.verb === 'list') metrics.responseSizes.observe(exchange.sent.bytes, labels);
      if (exchange.sent.deprecation !== undefined) {
        const { group, version, resource, subresource } = info;
        const removed = removedRelease(exchange.sent.deprecation);
        metrics.deprecated.set(1, [group, version, resource, subresource, removed]);
      }
    });
  }

  #fail(exchange: Exchange, error: unknown): void {
    const { request, response } = exchange;
    const status = toStatusError(error);
    if (status.code >= 500 && !(error instanceof StatusError)) {
      const { method, info, auditId } = exchange;
      this.#options.log.error('a request failed', { method, path: info.path, auditId, error });
      exchange.audit?.panicked(status);
    }
    exchange.audit?.failed(status);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // What is left of a body must be read, or the connection cannot be used again.
    if (!request.readableEnded) request.resume();
    sendError(exchange, status);
  }
}

const late = (): StatusError =>
  new StatusError(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout', {});

/** Streams are written down when they begin too: their end may be hours away. */
function tellStart(response: RawResponse, audit: RequestAudit): void {
  const target = response as { writeHead: (code: number, ...rest: unknown[]) => unknown };
  const writeHead = target.writeHead.bind(response);
  target.writeHead = (code, ...rest) => {
    audit.started(code);
    return writeHead(code, ...rest);
  };
}

function auditedRequest(request: RawRequest, auditId: string): AuditedRequest {
  const forwarded = header(request, 'x-forwarded-for')?.split(',', 16) ?? [];
  const remote = request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
  const sourceIps = [...forwarded.map((address) => address.trim()), remote].filter((address) => address !== '');
  return { auditId, uri: request.url ?? '/', sourceIps, userAgent: header(request, 'user-agent')?.slice(0, 1024) };
}
