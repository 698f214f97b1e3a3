import { createHmac } from 'node:crypto';
import type { Secret } from '../../shared/api/generated/types.js';
import { expirationMs } from './bootstrap-token.js';

const prefix = 'jws-kubeconfig-';

/**
 * The signatures that kube-public/cluster-info carries for `kubeadm join`: for each token that is meant for signing, a
 * detached JWS (HS256, RFC 7515 appendix F) of the kubeconfig under the token's secret. Returns the data with stale
 * signatures removed, or undefined when it is right already.
 */
export function signedData(
  data: Readonly<Record<string, string>>,
  tokens: readonly Secret[],
  nowMs: number,
): Record<string, string | null> | undefined {
  const { kubeconfig } = data;
  const wanted = new Map<string, string>();
  for (const token of tokens) {
    const { id, secret } = signingToken(token, nowMs) ?? {};
    if (kubeconfig !== undefined && id && secret) wanted.set(`${prefix}${id}`, detachedJws(kubeconfig, id, secret));
  }
  const changes: Record<string, string | null> = {};
  for (const key of Object.keys(data)) if (key.startsWith(prefix) && !wanted.has(key)) changes[key] = null;
  for (const [key, signature] of wanted) if (data[key] !== signature) changes[key] = signature;
  return Object.keys(changes).length === 0 ? undefined : changes;
}

function signingToken({ data = {}, metadata }: Secret, nowMs: number): { id: string; secret: string } | undefined {
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  const id = text('token-id');
  const endMs = expirationMs(data);
  const isValid =
    /^[a-z0-9]{6}$/.test(id) &&
    /^[a-z0-9]{16}$/.test(text('token-secret')) &&
    metadata.name === `bootstrap-token-${id}` &&
    text('usage-bootstrap-signing') === 'true' &&
    (endMs === undefined || endMs > nowMs);
  return isValid ? { id, secret: text('token-secret') } : undefined;
}

function detachedJws(payload: string, tokenId: string, tokenSecret: string): string {
  const encode = (text: string): string => Buffer.from(text).toString('base64url');
  const header = encode(`{"alg":"HS256","kid":"${tokenId}"}`);
  const signature = createHmac('sha256', tokenSecret)
    .update(`${header}.${encode(payload)}`)
    .digest('base64url');
  return `${header}..${signature}`;
}
