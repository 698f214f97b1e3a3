import { BlockList, isIP, isIPv4, isIPv6, SocketAddress } from 'node:net';
import { invalid, type FieldError } from './field-error.js';

export function validateIp(path: string, value: string): FieldError[] {
  return isIP(value) === 0 || value.includes('%')
    ? [invalid(path, value, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
    : [];
}

export function validateCidr(path: string, value: string): FieldError[] {
  const slash = value.indexOf('/');
  const address = value.slice(0, slash);
  const bits = value.slice(slash + 1);
  const widest = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  const isGood = slash > 0 && /^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= widest;
  return isGood ? [] : [invalid(path, value, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')];
}

/** A block of addresses. */
export interface Cidr {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
  readonly contains: (address: string) => boolean;
}

/** Undefined where the text is no CIDR. */
export function parseCidr(value: string): Cidr | undefined {
  if (validateCidr('', value).length > 0) return undefined;
  const slash = value.indexOf('/');
  const address = value.slice(0, slash);
  const bits = Number(value.slice(slash + 1));
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  const block = new BlockList();
  block.addSubnet(address, bits, family);
  const contains = (one: string): boolean => (isIPv4(one) ? 'ipv4' : 'ipv6') === family && block.check(one, family);
  return { address, bits, family, contains };
}

/** The one way to write an address (RFC 5952). */
export function canonicalIp(value: string): string {
  return new SocketAddress({ address: value, family: isIPv4(value) ? 'ipv4' : 'ipv6' }).address;
}

/** Addresses that mean something only on one machine or one link cannot be endpoints or external addresses. */
export function validateNonSpecialIp(path: string, value: string): FieldError[] {
  if (isIP(value) === 0) return [invalid(path, value, 'must be a valid IP address')];
  const problem = specialRange(value.toLowerCase());
  return problem === undefined ? [] : [invalid(path, value, problem)];
}

function specialRange(value: string): string | undefined {
  if (value === '0.0.0.0' || /^[0:]+$/.test(value)) return `may not be unspecified (${value})`;
  if (value.startsWith('127.') || /^[0:]*:0*1$/.test(value))
    return 'may not be in the loopback range (127.0.0.0/8, ::1/128)';
  if (value.startsWith('169.254.') || /^fe[89ab][0-9a-f]:/.test(value))
    return 'may not be in the link-local range (169.254.0.0/16, fe80::/10)';
  if (value.startsWith('224.0.0.') || /^ff[0-9a-f]2:/.test(value))
    return 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)';
  return undefined;
}
