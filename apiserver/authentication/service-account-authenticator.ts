import { nodes, pods, secrets, serviceaccounts } from '../../shared/api/generated/resources.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { unauthorized, type AuthenticatedToken, type TokenAuthenticator } from './authenticator.js';
import type { ServiceAccountClaims, TokenSigner } from './service-account-token.js';
import type { User } from './user.js';

export interface ServiceAccountAuthenticatorOptions {
  readonly signer: TokenSigner;
  readonly issuer: string;
  readonly objects: ObjectReader;
  readonly clock: Clock;
}

/** Signatures cost a tenth of a millisecond: those seen lately are remembered. Everything that can change is checked each time. */
const maxRemembered = 4096;

/** Tokens of ServiceAccounts: signed by us, not expired, and everything they are bound to still exists. */
export class ServiceAccountAuthenticator implements TokenAuthenticator {
  readonly #options: ServiceAccountAuthenticatorOptions;
  readonly #verified = new Map<string, ServiceAccountClaims>();

  constructor(options: ServiceAccountAuthenticatorOptions) {
    this.#options = options;
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    if (token.split('.', 4).length !== 3) return undefined;
    const claims = this.#claims(token);
    if (!claims || claims.iss !== this.#options.issuer) return undefined;
    const nowSeconds = this.#options.clock.now() / 1000;
    if (!(claims.exp > nowSeconds) || claims.nbf > nowSeconds + 10) throw unauthorized();
    const good = claims.aud.filter((audience) => audiences.includes(audience));
    if (good.length === 0) throw unauthorized();
    this.#checkBindings(claims);
    return { user: userOf(claims), audiences: good };
  }

  #claims(token: string): ServiceAccountClaims | undefined {
    const known = this.#verified.get(token);
    if (known) return known;
    const claims = this.#options.signer.verify(token);
    if (!claims) return undefined;
    if (this.#verified.size >= maxRemembered) {
      const oldest = this.#verified.keys().next().value;
      if (oldest !== undefined) this.#verified.delete(oldest);
    }
    this.#verified.set(token, claims);
    return claims;
  }

  /** A token dies with its account, and with the pod, secret or node that it was issued for. */
  #checkBindings({ 'kubernetes.io': bound }: ServiceAccountClaims): void {
    const { objects } = this.#options;
    const { namespace, serviceaccount, pod, secret, node } = bound;
    const account = objects.find(serviceaccounts, namespace, serviceaccount.name);
    if (!account || account.metadata.uid !== serviceaccount.uid) throw unauthorized();
    if (pod && objects.find(pods, namespace, pod.name)?.metadata.uid !== pod.uid) throw unauthorized();
    if (secret && objects.find(secrets, namespace, secret.name)?.metadata.uid !== secret.uid) throw unauthorized();
    if (node && !pod && objects.find(nodes, undefined, node.name)?.metadata.uid !== node.uid) throw unauthorized();
  }
}

function userOf({ 'kubernetes.io': bound, jti }: ServiceAccountClaims): User {
  const { namespace, serviceaccount, pod, node } = bound;
  const extra: Record<string, string[]> = { 'authentication.kubernetes.io/credential-id': [`JTI=${jti}`] };
  const add = (what: string, ref: { name: string; uid: string } | undefined): void => {
    if (!ref) return;
    extra[`authentication.kubernetes.io/${what}-name`] = [ref.name];
    if (ref.uid) extra[`authentication.kubernetes.io/${what}-uid`] = [ref.uid];
  };
  add('pod', pod);
  add('node', node);
  return {
    name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    extra,
  };
}
