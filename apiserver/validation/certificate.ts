import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
  CertificateSigningRequestSpec,
} from '../../shared/api/generated/types.js';
import { equal } from './equality.js';
import {
  append,
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
  type FieldError,
} from './field-error.js';
import { isDns1123Subdomain } from './names.js';
import { repeats } from './repeats.js';

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const MIN_SECONDS = 600;
/** Conditions that are decisions: once taken they stand. */
const DECISIONS = ['Approved', 'Denied', 'Failed'];

/** Who signs for a client that did not say who shall; v1 does not know him. */
export const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown';

/** @param isOlder it comes in the version before v1, which asked for less */
export function validateCertificateSigningRequest(
  { spec, status }: CertificateSigningRequest,
  isOlder = false,
): FieldError[] {
  return [...validateSpec(spec ?? {}, isOlder), ...validateConditions(status?.conditions ?? [])];
}

function validateSpec(spec: Partial<CertificateSigningRequestSpec>, isOlder: boolean): FieldError[] {
  const { request = '', usages = [], signerName = '', expirationSeconds } = spec;
  const errors = isPemOf(request, 'CERTIFICATE REQUEST')
    ? []
    : [invalid('spec.request', request, 'PEM block type must be CERTIFICATE REQUEST')];
  if (!isOlder) append(errors, validateUsages(usages));
  if (!isOlder && signerName === LEGACY_SIGNER)
    errors.push(invalid('spec.signerName', signerName, 'the legacy signerName is not allowed via this API version'));
  else append(errors, validateSignerName(signerName, 'spec.signerName'));
  if (expirationSeconds !== undefined && expirationSeconds < MIN_SECONDS) {
    const text = `may not specify a duration less than ${MIN_SECONDS} seconds (10 minutes)`;
    errors.push(invalid('spec.expirationSeconds', expirationSeconds, text));
  }
  return errors;
}

function validateUsages(usages: readonly string[]): FieldError[] {
  const errors = usages.length === 0 ? [required('spec.usages')] : [];
  const repeated = repeats(usages);
  for (const [index, usage] of usages.entries()) {
    if (!USAGES.includes(usage)) errors.push(notSupported(`spec.usages[${index}]`, usage, USAGES));
    if (repeated.has(index)) errors.push(duplicate(`spec.usages[${index}]`, usage));
  }
  return errors;
}

/** `domain/path`: who signs. */
function validateSignerName(name: string, path: string): FieldError[] {
  if (name === '') return [required(path)];
  const slash = name.indexOf('/');
  const domain = name.slice(0, slash);
  if (slash <= 0 || slash === name.length - 1 || name.indexOf('/', slash + 1) >= 0)
    return [invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
  const errors: FieldError[] = [];
  if (!domain.includes('.'))
    errors.push(invalid(path, domain, 'should be a domain with at least two segments separated by dots'));
  append(errors, invalidEach(path, domain, isDns1123Subdomain(domain)));
  const tail = name.slice(slash + 1);
  return [...errors, ...invalidEach(path, tail, isDns1123Subdomain(tail))];
}

/** Whether the bytes behind the base64 are one PEM block of that type with a DER sequence in it. */
function isPemOf(base64: string, type: string): boolean {
  const text = Buffer.from(base64, 'base64').toString('latin1').trim();
  const begin = `-----BEGIN ${type}-----`;
  const end = `-----END ${type}-----`;
  if (!text.startsWith(begin) || !text.endsWith(end)) return false;
  const der = Buffer.from(text.slice(begin.length, -end.length), 'base64');
  return der.length > 16 && der[0] === 0x30;
}

function validateConditions(conditions: readonly CertificateSigningRequestCondition[]): FieldError[] {
  const repeated = repeats(conditions.map(({ type }) => type));
  const errors = conditions.flatMap(({ type, status }, index) => {
    const at = `status.conditions[${index}]`;
    const found: FieldError[] = type ? [] : [required(`${at}.type`)];
    if (!status) found.push(required(`${at}.status`));
    else if (DECISIONS.includes(type) && status !== 'True') found.push(notSupported(`${at}.status`, status, ['True']));
    else if (!['True', 'False', 'Unknown'].includes(status))
      found.push(notSupported(`${at}.status`, status, ['False', 'True', 'Unknown']));
    if (repeated.has(index)) found.push(duplicate(`${at}.type`, type));
    return found;
  });
  const types = new Set(conditions.map(({ type }) => type));
  if (types.has('Approved') && types.has('Denied')) {
    const index = conditions.findLastIndex(({ type }) => type === 'Approved' || type === 'Denied');
    const text = 'Approved and Denied conditions are mutually exclusive';
    errors.push(invalid(`status.conditions[${index}].type`, conditions[index]?.type, text));
  }
  return errors;
}

/** `mayDecide` on the approval subresource only. */
export function validateCertificateUpdate(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  mayDecide: boolean,
): FieldError[] {
  const errors = DECISIONS.flatMap((type) => validateDecision(request, old, type, mayDecide));
  const before = old.status?.certificate;
  if (before && before !== request.status?.certificate)
    errors.push(forbidden('status.certificate', 'updates may not modify existing certificate content'));
  if (!before && request.status?.certificate && !isCertificate(request.status.certificate))
    errors.push(invalid('status.certificate', '<certificate data>', 'must contain at least one CERTIFICATE PEM block'));
  return [...errors, ...validateConditions(request.status?.conditions ?? [])];
}

const isCertificate = (base64: string): boolean =>
  Buffer.from(base64, 'base64').toString('latin1').includes('-----BEGIN CERTIFICATE-----');

function validateDecision(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  type: string,
  mayDecide: boolean,
): FieldError[] {
  const find = (one: CertificateSigningRequest): CertificateSigningRequestCondition | undefined =>
    one.status?.conditions?.find((condition) => condition.type === type);
  const before = find(old);
  const after = find(request);
  const refuse = (verb: string): FieldError[] => [
    forbidden('status.conditions', `updates may not ${verb} a condition of type "${type}"`),
  ];
  if (!before) return after && !mayDecide && type !== 'Failed' ? refuse('add') : [];
  if (!after) return refuse('remove');
  return equal(before, after) ? [] : refuse('modify');
}
