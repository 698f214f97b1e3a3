import { StatusError } from '../../shared/errors/status-error.js';
import { anonymousUser, type User } from './user.js';

export const unauthorized = (): StatusError => new StatusError(401, 'Unauthorized', 'Unauthorized');

/** Whom a bearer token speaks for; undefined when it is not one of this authenticator's, a StatusError when it is a bad one. */
export interface TokenAuthenticator {
  authenticate(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined>;
}

export interface AuthenticatedToken {
  readonly user: User;
  /** Those of the wanted audiences that the token is good for. */
  readonly audiences: readonly string[];
}

/** The verified subject of a client certificate. */
export interface PeerCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly isTrusted: boolean;
  /** SHA-256 of the certificate in lower-case hex: which credential it was, in reviews and in the audit log. */
  readonly fingerprint?: string;
}

/** Whether somebody who shows nothing may come as far as that path; what he may do there is another question. */
export type AnonymousRule = (path: string) => boolean;

/**
 * Who asks: by certificate, else by token, else nobody in particular. Credentials that are shown and do not hold are
 * refused, not ignored.
 */
export class Authenticator {
  readonly #tokens: readonly TokenAuthenticator[];
  readonly #audiences: readonly string[];
  readonly #letsInAnonymous: AnonymousRule;
  /** A connection shows the same certificate with each of its requests. */
  readonly #users = new WeakMap<PeerCertificate, User>();

  constructor(
    tokens: readonly TokenAuthenticator[],
    audiences: readonly string[],
    letsInAnonymous: AnonymousRule = () => true,
  ) {
    this.#tokens = tokens;
    this.#audiences = audiences;
    this.#letsInAnonymous = letsInAnonymous;
  }

  /** Undefined when a token has to be looked into. */
  fromCertificate(certificate: PeerCertificate | undefined): User | undefined {
    if (!certificate) return undefined;
    const known = this.#users.get(certificate);
    if (known) return known;
    if (!certificate.isTrusted || certificate.commonName === '') throw unauthorized();
    const user = {
      name: certificate.commonName,
      groups: withAuthenticated(certificate.organizations),
      ...(certificate.fingerprint
        ? { extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${certificate.fingerprint}`] } }
        : {}),
    };
    this.#users.set(certificate, user);
    return user;
  }

  /** @param path of the request, for those who show nothing */
  async fromHeader(authorization: string | undefined, path: string): Promise<User> {
    if (authorization === undefined) return this.#anonymous(path);
    const match = /^Bearer +(\S+)$/i.exec(authorization.trim());
    if (!match) {
      // Other schemes are not ours to judge: the client stays unknown, as in the original.
      if (/^Bearer\b/i.test(authorization)) throw unauthorized();
      return this.#anonymous(path);
    }
    const found = await this.review(match[1] ?? '', this.#audiences);
    if (!found) throw unauthorized();
    return found.user;
  }

  #anonymous(path: string): User {
    if (!this.#letsInAnonymous(path)) throw unauthorized();
    return anonymousUser;
  }

  /** Looks into a token for TokenReview too. */
  async review(token: string, audiences: readonly string[] = this.#audiences): Promise<AuthenticatedToken | undefined> {
    for (const authenticator of this.#tokens) {
      const found = await authenticator.authenticate(token, audiences);
      if (found) return { ...found, user: { ...found.user, groups: withAuthenticated(found.user.groups) } };
    }
    return undefined;
  }
}

function withAuthenticated(groups: readonly string[]): readonly string[] {
  return groups.includes('system:authenticated') ? groups : [...groups, 'system:authenticated'];
}
