import { Failure } from '../cluster/failure.js';

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
};

/** Why nothing listens on an address, in the words of kubectl; what has no such words is given back as it is. */
export function listenFailure(error: unknown, address: string, port: number): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ENOTFOUND') return new Failure(`listen tcp: lookup ${address}: no such host`);
  const reason = reasons[code];
  const host = address.includes(':') ? `[${address}]` : address;
  return reason === undefined ? error : new Failure(`listen tcp ${host}:${port}: bind: ${reason}`);
}
