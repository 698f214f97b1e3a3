import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

import { subjectaccessreviews, tokenreviews } from '../../shared/api/generated/resources.js';
import type { Resource } from '../../shared/api/resource.js';
import type { Client } from '../../shared/client/client.js';
import type { Clock } from '../../shared/clock/clock.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import { AccessReviews } from '../../shared/review/access-reviews.js';
import { askAgain, type AskReview } from '../../shared/review/ask-review.js';
import { TokenReviews, type ReviewedUser } from '../../shared/review/token-reviews.js';
import { webSocketAuthorization, withoutWebSocketToken } from '../../shared/review/web-socket-token.js';
import { requestAttributes } from './request-attributes.js';

/** Who may ask the kubelet for what. */
export interface ClientAccess {
  /** Rejects with 401 who shows nothing that holds, with 403 who may not. @param path of the request, as it is routed */
  check(request: IncomingMessage, path: readonly string[]): Promise<void>;
}

export interface ClientAccessOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
}

/** As the original's authentication.webhook.cacheTTL and authorization.webhook.cache(Un)authorizedTTL. */
const tokenTtlMs = 120_000;
const authorizedTtlMs = 300_000;
const unauthorizedTtlMs = 30_000;
const attempts = 5;
const firstDelayMs = 500;
/** The API server allows these everything before it looks at any rule, so it is not asked. */
const privilegedGroup = 'system:masters';
const authenticated = 'system:authenticated';

/**
 * Knows clients by a certificate of the cluster's authority, or by a bearer token that the API server knows; asks the
 * API server what they may. The answers are remembered for a while.
 */
export function createClientAccess(options: ClientAccessOptions): ClientAccess {
  return new DelegatedAccess(options);
}

class DelegatedAccess implements ClientAccess {
  readonly #nodeName: string;
  readonly #log: Log;
  readonly #tokens: TokenReviews;
  readonly #reviews: AccessReviews;

  constructor({ client, clock, log, nodeName }: ClientAccessOptions) {
    this.#nodeName = nodeName;
    this.#log = log;
    // A no from the API server is an answer; only what may pass is tried again.
    const isTransient = (error: unknown): boolean => !(error instanceof StatusError) || error.code >= 500;
    const asking = <T>(resource: Resource<T>): AskReview =>
      askAgain((review) => client.create(resource, review as never) as Promise<{ status?: unknown }>, {
        clock,
        attempts,
        firstDelayMs,
        isTransient,
      });
    const unknownTtlMs = tokenTtlMs;
    this.#tokens = new TokenReviews({ ask: asking(tokenreviews), cacheTtlMs: tokenTtlMs, unknownTtlMs, clock, log });
    this.#reviews = new AccessReviews({ ask: asking(subjectaccessreviews), clock, authorizedTtlMs, unauthorizedTtlMs });
  }

  async check(request: IncomingMessage, path: readonly string[]): Promise<void> {
    const user = fromCertificate(request.socket as TLSSocket) ?? (await this.#fromToken(request));
    if (!user) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
    const protocols = request.headers['sec-websocket-protocol'];
    if (protocols !== undefined) request.headers['sec-websocket-protocol'] = withoutWebSocketToken(protocols);
    if (user.groups.includes(privilegedGroup)) return;
    const { verb, subresources } = requestAttributes(request.method, path);
    for (const subresource of subresources) {
      if (await this.#isAllowed(user, verb, subresource)) return;
    }
    const words = `user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}]`;
    throw new StatusError(403, 'Forbidden', `Forbidden (${words})\n`);
  }

  async #fromToken({ headers }: IncomingMessage): Promise<ReviewedUser | undefined> {
    const authorization = headers.authorization ?? webSocketAuthorization(headers) ?? '';
    const token = /^Bearer +(\S+)/i.exec(authorization.trim())?.[1];
    if (token === undefined) return undefined;
    const user = (await this.#tokens.authenticate(token, []))?.user;
    return user && withAuthenticated(user);
  }

  async #isAllowed(user: ReviewedUser, verb: string, subresource: string): Promise<boolean> {
    const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource, name: this.#nodeName };
    const { name, uid, groups, extra } = user;
    try {
      const { verdict } = await this.#reviews.review({ resourceAttributes, user: name, uid, groups, extra });
      return verdict === 'allow';
    } catch (error) {
      this.#log.error('what a client may do could not be asked', { user: name, verb, subresource, error });
      const words = `user=${name}, verb=${verb}, resource=nodes, subresource=${subresource}`;
      throw new StatusError(500, 'InternalError', `Authorization error (${words})`);
    }
  }
}

/** A certificate of somebody else's authority is as good as none. */
function fromCertificate(socket: TLSSocket): ReviewedUser | undefined {
  if (!socket.authorized) return undefined;
  const { subject, fingerprint256 } = socket.getPeerCertificate();
  const { CN, O = [] } = (subject ?? {}) as { CN?: string | string[]; O?: string | string[] };
  const name = Array.isArray(CN) ? CN[0] : CN;
  if (!name) return undefined;
  const credential = `X509SHA256=${fingerprint256.replaceAll(':', '').toLowerCase()}`;
  return withAuthenticated({
    name,
    groups: Array.isArray(O) ? O : [O],
    extra: { 'authentication.kubernetes.io/credential-id': [credential] },
  });
}

const withAuthenticated = (user: ReviewedUser): ReviewedUser =>
  user.groups.includes(authenticated) ? user : { ...user, groups: [...user.groups, authenticated] };
