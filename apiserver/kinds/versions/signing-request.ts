/** What a PKCS#10 request says of who asks. */
export interface RequestedIdentity {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: number;
  readonly ipAddresses: number;
  /** Mail addresses, URIs and other kinds of names. */
  readonly otherNames: number;
}

/** One element of DER. */
interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const ATTRIBUTES = 0xa0;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
const COMMON_NAME = '550403';
const ORGANIZATION = '55040a';
const EXTENSION_REQUEST = '2a864886f70d01090e';
const ALTERNATIVE_NAMES = '551d11';
const maxLength = 65_536;

/**
 * Reads a PEM request behind base64 as far as a default needs it; its signature is for the signer to check. Undefined:
 * it cannot be understood. A reader of its own because those of certificates take longer to load than a server to start.
 */
export function readSigningRequest(base64: string): RequestedIdentity | undefined {
  if (base64.length > maxLength) return undefined;
  const text = Buffer.from(base64, 'base64').toString('latin1');
  const [, body] = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([^-]*)-----END/.exec(text) ?? [];
  if (body === undefined) return undefined;
  try {
    return identityOf(Buffer.from(body, 'base64'));
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

function identityOf(der: Buffer): RequestedIdentity {
  const [info] = children(only(der, SEQUENCE));
  const [, subject, , ...rest] = children(info?.tag === SEQUENCE ? info.content : malformed());
  const attributes = children(subject?.tag === SEQUENCE ? subject.content : malformed())
    .flatMap(({ content }) => children(content))
    .map(({ content }) => pair(content));
  const valuesOf = (type: string): string[] =>
    attributes.filter(([known]) => known === type).map(([, value]) => value.content.toString('utf8'));
  const names = rest.filter(({ tag }) => tag === ATTRIBUTES).flatMap(({ content }) => alternativeNames(content));
  const count = (tag: number): number => names.filter((name) => name.tag === tag).length;
  return {
    commonName: valuesOf(COMMON_NAME).at(-1) ?? '',
    organizations: valuesOf(ORGANIZATION),
    dnsNames: count(DNS_NAME),
    ipAddresses: count(IP_ADDRESS),
    otherNames: names.length - count(DNS_NAME) - count(IP_ADDRESS),
  };
}

/** The names that the requested extensions ask for besides the subject. */
function alternativeNames(attributes: Buffer): Element[] {
  return children(attributes)
    .map(({ content }) => pair(content))
    .filter(([type]) => type === EXTENSION_REQUEST)
    .flatMap(([, values]) => children(values.content))
    .flatMap(({ content }) => children(content))
    .map(({ content }) => pair(content))
    .filter(([type]) => type === ALTERNATIVE_NAMES)
    .flatMap(([, value]) => children(only(value.content, SEQUENCE)));
}

/** An object identifier in hexadecimal, and the last element beside it. */
function pair(content: Buffer): readonly [type: string, value: Element] {
  const parts = children(content);
  const [type] = parts;
  const value = parts.at(-1);
  if (type?.tag !== OBJECT_IDENTIFIER || !value || value === type) return malformed();
  return [type.content.toString('hex'), value];
}

function only(der: Buffer, tag: number): Buffer {
  const [element] = children(der);
  return element?.tag === tag ? element.content : malformed();
}

function children(der: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < der.length;) {
    const tag = der[at] ?? 0;
    const short = der[at + 1] ?? malformed();
    const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
    const start = at + 2 + lengthBytes;
    if (lengthBytes > 4 || short === 0x80 || start > der.length) return malformed();
    const length = lengthBytes === 0 ? short : der.readUIntBE(at + 2, lengthBytes);
    if (start + length > der.length) return malformed();
    found.push({ tag, content: der.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

function malformed(): never {
  throw new MalformedError('the request is not DER as PKCS#10 has it');
}
