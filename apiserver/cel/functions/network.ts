import { isIPv4, isIPv6 } from 'node:net';
import { CelError } from '../errors.js';
import { constant, define, type Overload } from '../functions.js';
import { CelOpaque, ValueList, ValueMap, type CelMap, type CelValue } from '../values.js';

/** An address as 32 or 128 bits. */
class CelIp extends CelOpaque {
  readonly typeName = 'net.IP';
  readonly bits: bigint;
  readonly family: 4 | 6;

  constructor(bits: bigint, family: 4 | 6) {
    super();
    this.bits = bits;
    this.family = family;
  }

  equals(other: CelValue): boolean {
    return other instanceof CelIp && other.family === this.family && other.bits === this.bits;
  }
}

class CelCidr extends CelOpaque {
  readonly typeName = 'net.CIDR';
  readonly address: CelIp;
  readonly prefixLength: number;

  constructor(address: CelIp, prefixLength: number) {
    super();
    this.address = address;
    this.prefixLength = prefixLength;
  }

  equals(other: CelValue): boolean {
    return other instanceof CelCidr && other.prefixLength === this.prefixLength && other.address.equals(this.address);
  }
}

const widthOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);

/** Zones and IPv4 in IPv6 are refused, as in the original. */
function readIp(text: string): CelIp | undefined {
  if (isIPv4(text)) return new CelIp(readV4(text), 4);
  if (!isIPv6(text) || text.includes('%') || text.includes('.')) return undefined;
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const bits = [...left, ...gap, ...right].reduce((all, group) => (all << 16n) | BigInt(`0x${group}`), 0n);
  return new CelIp(bits, 6);
}

const readV4 = (text: string): bigint => text.split('.').reduce((all, byte) => (all << 8n) | BigInt(byte), 0n);

/** The canonical text: RFC 5952 for IPv6. */
function formatIp({ bits, family }: CelIp): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  const runs = [
    ...groups
      .map((group) => (group === '0' ? '0' : 'x'))
      .join('')
      .matchAll(/00+/g),
  ];
  const longest = runs.reduce<RegExpMatchArray | undefined>(
    (best, run) => (!best || run[0].length > best[0].length ? run : best),
    undefined,
  );
  if (!longest) return groups.join(':');
  const at = longest.index ?? 0;
  return `${groups.slice(0, at).join(':')}::${groups.slice(at + longest[0].length).join(':')}`;
}

function parseIp(text: string): CelIp {
  const ip = readIp(text);
  const shown = JSON.stringify(text.slice(0, 64));
  if (!ip && isIPv6(text) && text.includes('%'))
    throw new CelError(`IP address ${shown} with zone value is not allowed`);
  if (!ip && isIPv6(text)) throw new CelError(`IPv4-mapped IPv6 address ${shown} is not allowed`);
  if (!ip) throw new CelError(`IP Address ${shown} parse error during conversion from string`);
  return ip;
}

function readCidr(text: string): CelCidr | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = readIp(match?.[1] ?? '');
  const length = Number(match?.[2]);
  return address && length <= widthOf(address.family) ? new CelCidr(address, length) : undefined;
}

function parseCidr(text: string): CelCidr {
  const cidr = readCidr(text);
  if (!cidr) {
    const shown = JSON.stringify(text.slice(0, 64));
    const isMapped = isIPv6(text.replace(/\/.*/s, '')) && text.includes('.');
    const problem = isMapped ? `IPv4-mapped IPv6 address ${shown} is not allowed` : shown;
    throw new CelError(`network address parse error during conversion from string: ${problem}`);
  }
  return cidr;
}

function networkOf({ address, prefixLength }: CelCidr): bigint {
  const free = BigInt(widthOf(address.family) - prefixLength);
  return (address.bits >> free) << free;
}

function containsIp(cidr: CelCidr, ip: CelIp): boolean {
  return ip.family === cidr.address.family && networkOf(new CelCidr(ip, cidr.prefixLength)) === networkOf(cidr);
}

const containsCidr = (cidr: CelCidr, other: CelCidr): boolean =>
  other.prefixLength >= cidr.prefixLength && containsIp(cidr, other.address);

const inRange = (range: string): ((ip: CelIp) => boolean) => {
  const cidr = parseCidr(range);
  return (ip) => containsIp(cidr, ip);
};
const either =
  (...tests: readonly ((ip: CelIp) => boolean)[]) =>
  (ip: CelIp): boolean =>
    tests.some((test) => test(ip));
const isUnspecified = (ip: CelIp): boolean => ip.bits === 0n;
const isLoopback = either(inRange('127.0.0.0/8'), inRange('::1/128'));
const isLinkLocalMulticast = either(
  inRange('224.0.0.0/24'),
  (ip) => ip.family === 6 && ((ip.bits >> 112n) & 0xff0fn) === 0xff02n,
);
const isLinkLocalUnicast = either(inRange('169.254.0.0/16'), inRange('fe80::/10'));
const isMulticast = either(inRange('224.0.0.0/4'), inRange('ff00::/8'));
const isGlobalUnicast = (ip: CelIp): boolean =>
  !isUnspecified(ip) &&
  !isLoopback(ip) &&
  !isMulticast(ip) &&
  !isLinkLocalUnicast(ip) &&
  !(ip.family === 4 && ip.bits === 0xffffffffn);

function isCanonical(text: string): boolean {
  return formatIp(parseIp(text)) === text;
}

export const networkFunctions: readonly Overload[] = [
  define('ip(string) -> ip', parseIp),
  define('isIP(string) -> bool', (text: string) => readIp(text) !== undefined),
  define('::ip.isCanonical(string) -> bool', isCanonical),
  define('string(ip) -> string', formatIp, constant),
  define('ip.family() -> int', ({ family }: CelIp) => BigInt(family), constant),
  define('ip.isUnspecified() -> bool', isUnspecified, constant),
  define('ip.isLoopback() -> bool', isLoopback, constant),
  define('ip.isLinkLocalMulticast() -> bool', isLinkLocalMulticast, constant),
  define('ip.isLinkLocalUnicast() -> bool', isLinkLocalUnicast, constant),
  define('ip.isGlobalUnicast() -> bool', isGlobalUnicast, constant),
  define('cidr(string) -> cidr', parseCidr),
  define('isCIDR(string) -> bool', (text: string) => readCidr(text) !== undefined),
  define('string(cidr) -> string', (cidr: CelCidr) => `${formatIp(cidr.address)}/${cidr.prefixLength}`, constant),
  define('cidr.containsIP(ip) -> bool', containsIp),
  define('cidr.containsIP(string) -> bool', (cidr: CelCidr, text: string) => containsIp(cidr, parseIp(text))),
  define('cidr.containsCIDR(cidr) -> bool', containsCidr),
  define('cidr.containsCIDR(string) -> bool', (cidr: CelCidr, text: string) => containsCidr(cidr, parseCidr(text))),
  define('cidr.ip() -> ip', ({ address }: CelCidr) => address, constant),
  define(
    'cidr.masked() -> cidr',
    (cidr: CelCidr) => new CelCidr(new CelIp(networkOf(cidr), cidr.address.family), cidr.prefixLength),
  ),
  define('cidr.prefixLength() -> int', ({ prefixLength }: CelCidr) => BigInt(prefixLength), constant),
];

class CelUrl extends CelOpaque {
  readonly typeName = 'kubernetes.URL';
  readonly url: URL;
  readonly text: string;
  readonly isPath: boolean;

  constructor(text: string) {
    super();
    this.text = text;
    this.isPath = text.startsWith('/');
    // Any number is a port, which is read from the text.
    const given = text.replace(/^([^/?#]*:\/\/[^/?#]*):\d*(?=[/?#]|$)/, '$1');
    this.url = this.isPath ? new URL(`http://path.invalid${text}`) : new URL(given);
  }

  equals(other: CelValue): boolean {
    return other instanceof CelUrl && other.text === this.text;
  }
}

/** As Go's url.ParseRequestURI: an absolute URL or an absolute path. */
function readUrl(text: string): CelUrl | undefined {
  const isAbsolute = text.startsWith('/') || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(text);
  // oxlint-disable-next-line no-control-regex
  if (!isAbsolute || /[\x00-\x1f\x7f]/.test(text) || /^[^/?#]*:\/\/[^/?#]* /.test(text)) return undefined;
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  try {
    return new CelUrl(text);
  } catch {
    return undefined;
  }
}

function parseUrl(text: string): CelUrl {
  const url = readUrl(text);
  if (!url) {
    const shown = JSON.stringify(text.slice(0, 256));
    throw new CelError(`URL parse error during conversion from string: parse ${shown}: ${urlProblem(text)}`);
  }
  return url;
}

/** What Go's reader finds wrong first. */
function urlProblem(text: string): string {
  if (text === '') return 'empty url';
  if (text.startsWith(':')) return 'missing protocol scheme';
  const authority = /^[^/?#]*:\/\/([^/?#]*)/.exec(text)?.[1] ?? '';
  const port = /^(?:[^:[]*|\[.*\])(:.*)$/.exec(authority)?.[1];
  if (authority.startsWith('[') && !authority.includes(']')) return "missing ']' in host";
  if (authority.includes(' ')) return 'invalid character " " in host name';
  if (port !== undefined && !/^:\d*$/.test(port)) return `invalid port ${JSON.stringify(port)} after host`;
  const escape = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(text)?.[0];
  return escape === undefined ? 'invalid URI for request' : `invalid URL escape ${JSON.stringify(escape)}`;
}

/** The part between `//` and the path as it was written: URL drops a port that is the default. */
function authorityOf({ isPath, text }: CelUrl): string {
  if (isPath) return '';
  const rest = /^[^:]+:\/\/([^/?#]*)/.exec(text)?.[1] ?? '';
  return rest.slice(rest.lastIndexOf('@') + 1);
}

const hostnameOf = (url: CelUrl): string =>
  authorityOf(url)
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1');

function queryOf({ url }: CelUrl): CelMap {
  const values = new Map<string, CelValue[]>();
  // As in Go, a part with a semicolon is no part of the query.
  const parts = url.search.slice(1).split('&');
  for (const [name, value] of new URLSearchParams(parts.filter((part) => !part.includes(';')).join('&'))) {
    const known = values.get(name);
    if (known) known.push(value);
    else values.set(name, [value]);
  }
  return new ValueMap([...values].map(([name, list]) => [name, new ValueList(list)] as const));
}

export const urlFunctions: readonly Overload[] = [
  define('url(string) -> url', parseUrl),
  define('isURL(string) -> bool', (text: string) => readUrl(text) !== undefined),
  define('url.getScheme() -> string', ({ url, isPath }: CelUrl) => (isPath ? '' : url.protocol.slice(0, -1)), constant),
  define('url.getHost() -> string', authorityOf, constant),
  define('url.getHostname() -> string', hostnameOf, constant),
  define('url.getPort() -> string', (url: CelUrl) => /:(\d+)$/.exec(authorityOf(url))?.[1] ?? '', constant),
  define('url.getEscapedPath() -> string', ({ url, text, isPath }: CelUrl) =>
    !isPath && !/^[^:]+:\/\/[^/]*\//.test(text) ? '' : url.pathname,
  ),
  define('url.getQuery() -> map<string, list<string>>', queryOf, ({ 0: url }) => 1 + (url as CelUrl).text.length / 10),
];
