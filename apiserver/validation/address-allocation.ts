import { isIP } from 'node:net';
import type { IPAddress, ServiceCIDR } from '../../shared/api/generated/types.js';
import { canonicalIp, parseCidr, validateCidr } from './address.js';
import { validateConditions } from './condition.js';
import { append, invalid, invalidEach, required, type FieldError } from './field-error.js';
import { isDns1123Subdomain, isPathSegmentName } from './names.js';
import { validateImmutable } from './object-meta.js';

/** An IPAddress is named by the address itself, written in the one canonical way. */
export function isIpAddressName(name: string): string[] {
  if (isIP(name) === 0 || name.includes('%')) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
  const canonical = canonicalIp(name);
  return canonical === name ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

export function validateIpAddress({ spec }: IPAddress): FieldError[] {
  const reference = spec?.parentRef;
  const path = 'spec.parentRef';
  if (!reference) return [required(path)];
  const { group, resource, name, namespace } = reference;
  const errors = group ? invalidEach(`${path}.group`, group, isDns1123Subdomain(group)) : [];
  for (const [field, value] of [
    ['resource', resource],
    ['name', name],
  ] as const)
    if (!value) errors.push(required(`${path}.${field}`));
    else append(errors, invalidEach(`${path}.${field}`, value, isPathSegmentName(value)));
  if (namespace) append(errors, invalidEach(`${path}.namespace`, namespace, isPathSegmentName(namespace)));
  return errors;
}

export const validateIpAddressUpdate = (address: IPAddress, old: IPAddress): FieldError[] =>
  validateImmutable(address.spec?.parentRef, old.spec?.parentRef, 'spec.parentRef');

export function validateServiceCidr({ spec }: ServiceCIDR): FieldError[] {
  const cidrs = spec?.cidrs ?? [];
  const path = 'spec.cidrs';
  if (cidrs.length === 0) return [required(path, 'at least one CIDR required')];
  if (cidrs.length > 2) return [invalid(path, spec, 'may only hold up to 2 values')];
  if (cidrs.length === 2 && new Set(cidrs.map((cidr) => parseCidr(cidr)?.family)).size !== 2) {
    const text = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    return [invalid(path, spec, text)];
  }
  return cidrs.flatMap((cidr, index) => validateCidr(`${path}[${index}]`, cidr));
}

export const validateServiceCidrUpdate = (cidr: ServiceCIDR, old: ServiceCIDR): FieldError[] =>
  validateImmutable(cidr.spec?.cidrs, old.spec?.cidrs, 'spec.cidrs');

export const validateServiceCidrStatus = ({ status }: ServiceCIDR): FieldError[] =>
  validateConditions(status?.conditions ?? [], 'status.conditions');
