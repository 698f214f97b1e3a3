import { badRequest } from '../../shared/errors/bad-request.js';

/** Where a list goes on: after the key `start` of the snapshot at `revision`; -1 means the latest state. */
export interface ContinueToken {
  readonly revision: number;
  /** Key relative to the list's prefix. */
  readonly start: string;
}

/** The form of the original, so that its own tools can read it: base64 of `{"v":"meta.k8s.io/v1","rv":5,"start":"x\u0000"}`. */
export function encodeContinue(token: ContinueToken): string {
  const text = JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.revision, start: `${token.start}\u0000` });
  return Buffer.from(text).toString('base64url');
}

export function decodeContinue(text: string): ContinueToken {
  const refused = (why: string): Error => badRequest(`invalid continue token: continue key is not valid: ${why}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw refused('encoded continue token is corrupt');
  }
  const { v, rv, start } = (parsed ?? {}) as Record<string, unknown>;
  if (v !== 'meta.k8s.io/v1') throw refused('server does not recognize this encoded version');
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0 || rv < -1) {
    throw refused('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (typeof start !== 'string' || start === '' || start.split('/').includes('..') || start.startsWith('/')) {
    throw refused('encoded start key is not valid');
  }
  return { revision: rv, start: start.endsWith('\u0000') ? start.slice(0, -1) : start };
}
