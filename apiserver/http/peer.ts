import type { TLSSocket } from 'node:tls';
import type { PeerCertificate } from '../authentication/authenticator.js';
import type { RawRequest } from './exchange.js';

/** What the TLS handshake said about the client, read once per connection. */
export class Peers {
  readonly #known = new WeakMap<object, PeerCertificate | 'none'>();

  certificateOf(request: RawRequest): PeerCertificate | undefined {
    const connection = 'stream' in request ? (request.stream.session ?? request.stream) : request.socket;
    let found = this.#known.get(connection);
    if (!found) {
      const socket = 'stream' in request ? request.stream.session?.socket : request.socket;
      found = readCertificate(socket as TLSSocket | undefined) ?? 'none';
      this.#known.set(connection, found);
    }
    return found === 'none' ? undefined : found;
  }
}

function readCertificate(socket: TLSSocket | undefined): PeerCertificate | undefined {
  if (!socket || typeof socket.getPeerCertificate !== 'function') return undefined;
  const certificate = socket.getPeerCertificate();
  const subject = certificate?.subject as { CN?: string | string[]; O?: string | string[] } | undefined;
  if (!subject) return undefined;
  const { CN = '', O = [] } = subject;
  return {
    commonName: Array.isArray(CN) ? (CN[0] ?? '') : CN,
    organizations: Array.isArray(O) ? O : [O],
    isTrusted: socket.authorized,
    ...(certificate.fingerprint256
      ? { fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase() }
      : {}),
  };
}
