import { isIPv4, isIPv6 } from 'node:net';

/** An address as a number, of 32 or 128 bits. */
export interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** A range of addresses: all that begin with the first `length` bits of `base`. */
export interface Prefix {
  readonly bits: 32 | 128;
  readonly base: bigint;
  readonly length: number;
}

/** Undefined for what is no address. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { bits: 32, value: fromParts(text.split('.'), 10, 8n) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [head = '', tail] = text.split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  return { bits: 128, value: fromParts([...before, ...Array<string>(missing).fill('0'), ...after], 16, 16n) };
}

/** Undefined for what is no range. */
export function parsePrefix(text: string): Prefix | undefined {
  const [address = '', length = ''] = text.split('/');
  const parsed = parseAddress(address);
  if (!parsed || !/^\d{1,3}$/.test(length) || Number(length) > parsed.bits) return undefined;
  const hostBits = BigInt(parsed.bits - Number(length));
  return { bits: parsed.bits, base: (parsed.value >> hostBits) << hostBits, length: Number(length) };
}

/** Whether all of `inner` lies in `outer`. */
export function containsPrefix(outer: Prefix, inner: Prefix): boolean {
  return outer.bits === inner.bits && outer.length <= inner.length && startsAlike(outer, inner.base);
}

export function overlaps(a: Prefix, b: Prefix): boolean {
  return containsPrefix(a, b) || containsPrefix(b, a);
}

/** Whether a Service may have the address from this range: neither the address of the network nor, of IPv4, that of all in it. */
export function canGive(prefix: Prefix, address: Address): boolean {
  if (prefix.bits !== address.bits || !startsAlike(prefix, address.value) || address.value === prefix.base)
    return false;
  const last = prefix.base + (1n << BigInt(prefix.bits - prefix.length)) - 1n;
  return prefix.bits === 128 || address.value !== last;
}

function startsAlike({ bits, base, length }: Prefix, value: bigint): boolean {
  const hostBits = BigInt(bits - length);
  return value >> hostBits === base >> hostBits;
}

/** Groups of 16 bits; an IPv4 address at the end makes two. */
function groupsOf(text: string): string[] {
  return text.split(':').flatMap((group) => {
    if (group === '') return [];
    if (!group.includes('.')) return [group];
    const value = fromParts(group.split('.'), 10, 8n);
    return [(value >> 16n).toString(16), (value & 0xffffn).toString(16)];
  });
}

const fromParts = (parts: readonly string[], radix: number, width: bigint): bigint =>
  parts.reduce((sum, part) => (sum << width) + BigInt(Number.parseInt(part, radix)), 0n);
