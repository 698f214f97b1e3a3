import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

/** What a ServiceAccount token says, as in the original's private claims. */
export interface ServiceAccountClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly jti: string;
  readonly 'kubernetes.io': {
    readonly namespace: string;
    readonly serviceaccount: ObjectRef;
    readonly pod?: ObjectRef;
    readonly secret?: ObjectRef;
    readonly node?: ObjectRef;
    readonly warnafter?: number;
  };
}

interface ObjectRef {
  readonly name: string;
  readonly uid: string;
}

/** Longest token that is looked into. */
const maxTokenLength = 16 * 1024;

/** Signs and verifies ServiceAccount tokens: JWTs under ES256 with one key of the cluster. */
export class TokenSigner {
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly keyId: string;

  /** @param privateKey PEM of a P-256 key. */
  constructor(privateKey: string) {
    this.#privateKey = createPrivateKey(privateKey);
    this.#publicKey = createPublicKey(this.#privateKey);
    const der = this.#publicKey.export({ type: 'spki', format: 'der' });
    this.keyId = createHash('sha256').update(der).digest('base64url');
  }

  sign(claims: ServiceAccountClaims): string {
    const head = { alg: 'ES256', kid: this.keyId };
    const body = `${encode(head)}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(body), { key: this.#privateKey, dsaEncoding: 'ieee-p1363' });
    return `${body}.${signature.toString('base64url')}`;
  }

  /** The claims of a token that this key has signed; undefined for anything else. Times are not judged here. */
  verify(token: string): ServiceAccountClaims | undefined {
    if (token.length > maxTokenLength) return undefined;
    const [head = '', body = '', signature = '', ...more] = token.split('.');
    if (more.length > 0 || signature === '') return undefined;
    const header = decode(head);
    if (header?.['alg'] !== 'ES256') return undefined;
    const isOurs = verify(
      'sha256',
      Buffer.from(`${head}.${body}`),
      { key: this.#publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    if (!isOurs) return undefined;
    const claims = decode(body);
    if (!claims || typeof claims['kubernetes.io'] !== 'object') return undefined;
    return { ...claims, aud: [claims['aud']].flat() } as unknown as ServiceAccountClaims;
  }

  /** The public key for those who verify tokens themselves (RFC 7517). */
  jwks(): object {
    const jwk = this.#publicKey.export({ format: 'jwk' });
    return { keys: [{ ...jwk, use: 'sig', alg: 'ES256', kid: this.keyId }] };
  }
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
