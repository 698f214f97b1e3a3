/** Browsers can set no header Authorization on a WebSocket: they send the token as one of the subprotocols. */
const prefix = 'base64url.bearer.authorization.k8s.io.';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const protocolsOf = (value: Headers[string]): string[] =>
  (typeof value === 'string' ? value : (value ?? []).join(','))
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '');

/**
 * What the header Authorization would have said; undefined where no token was sent so. A token that cannot be read, a
 * second one, or one without a protocol beside it to agree on is `Bearer` alone: bad credentials.
 */
export function webSocketAuthorization(headers: Headers): string | undefined {
  const upgrade = headers['upgrade'];
  if (typeof upgrade !== 'string' || upgrade.toLowerCase() !== 'websocket') return undefined;
  const protocols = protocolsOf(headers['sec-websocket-protocol']);
  const [sent, ...more] = protocols.filter((protocol) => protocol.startsWith(prefix));
  if (sent === undefined) return undefined;
  const encoded = sent.slice(prefix.length);
  const isAlone = protocols.length === 1;
  if (more.length > 0 || isAlone || !/^[A-Za-z0-9_-]+$/.test(encoded)) return 'Bearer';
  const token = Buffer.from(encoded, 'base64url').toString('utf8');
  return /^[\x21-\x7e]+$/.test(token) ? `Bearer ${token}` : 'Bearer';
}

/** The subprotocols without the token, which is nobody's business further on. */
export const withoutWebSocketToken = (value: string | readonly string[]): string =>
  protocolsOf(value)
    .filter((protocol) => !protocol.startsWith(prefix))
    .join(', ');
