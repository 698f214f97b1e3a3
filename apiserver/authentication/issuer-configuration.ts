import { X509Certificate } from 'node:crypto';
import { onlyFields, strings, text, type Fields } from '../decode/document-fields.js';
import { append, duplicate, invalid, required, type FieldError } from '../validation/field-error.js';

/** Who issues tokens, and for whom they must be. */
export interface Issuer {
  readonly url: string;
  /** Where its discovery document is, when that is not the usual place. */
  readonly discoveryUrl?: string;
  /** PEM of the authorities of its server; absent: those that the system trusts. */
  readonly certificateAuthority?: string;
  readonly audiences: readonly string[];
}

/** Reads `jwt[*].issuer`. */
export function readIssuer(
  fields: Fields,
  path: string,
  ownIssuers: readonly string[],
): { issuer: Issuer; errors: FieldError[] } {
  const known = [
    'url',
    'discoveryURL',
    'certificateAuthority',
    'audiences',
    'audienceMatchPolicy',
    'egressSelectorType',
  ];
  onlyFields(fields, known, path);
  const url = text(fields, 'url', path);
  const discoveryUrl = text(fields, 'discoveryURL', path);
  const certificateAuthority = text(fields, 'certificateAuthority', path);
  const audiences = strings(fields, 'audiences', path);
  const errors: FieldError[] = [];
  append(errors, url === '' ? [required(`${path}.url`)] : checkUrl(url, `${path}.url`, ownIssuers));
  append(errors, checkDiscoveryUrl(discoveryUrl, url, `${path}.discoveryURL`));
  append(errors, checkAudiences(audiences, text(fields, 'audienceMatchPolicy', path), path));
  if (certificateAuthority !== '' && !holdsCertificates(certificateAuthority)) {
    const why = 'data does not contain any valid RSA or ECDSA certificates';
    errors.push(invalid(`${path}.certificateAuthority`, '<omitted>', why));
  }
  append(errors, checkEgress(text(fields, 'egressSelectorType', path), `${path}.egressSelectorType`));
  const issuer = {
    url,
    audiences,
    ...(discoveryUrl === '' ? {} : { discoveryUrl }),
    ...(certificateAuthority === '' ? {} : { certificateAuthority }),
  };
  return { issuer, errors };
}

function checkUrl(text: string, path: string, disallowed: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (disallowed.includes(text)) {
    const why = `URL must not overlap with disallowed issuers: [${[...disallowed].sort().join(' ')}]`;
    errors.push(invalid(path, text, why));
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Without a scheme it is a path, to the original's reader.
  if (url?.protocol !== 'https:') errors.push(invalid(path, text, 'URL scheme must be https'));
  if (!url) return errors;
  if (url.username !== '' || url.password !== '') {
    errors.push(invalid(path, text, 'URL must not contain a username or password'));
  }
  if (url.search !== '') errors.push(invalid(path, text, 'URL must not contain a query'));
  if (url.hash !== '') errors.push(invalid(path, text, 'URL must not contain a fragment'));
  return errors;
}

function checkDiscoveryUrl(discoveryUrl: string, url: string, path: string): FieldError[] {
  if (discoveryUrl === '') return [];
  const bare = (text: string): string => text.replace(/\/{1,64}$/, '');
  const isSame = url !== '' && bare(url) === bare(discoveryUrl);
  return [
    ...(isSame ? [invalid(path, discoveryUrl, 'discoveryURL must be different from URL')] : []),
    ...checkUrl(discoveryUrl, path, []),
  ];
}

function checkAudiences(audiences: readonly string[], policy: string, path: string): FieldError[] {
  const at = `${path}.audiences`;
  if (audiences.length === 0) return [required(at, `at least one ${at} is required`)];
  const errors: FieldError[] = [];
  for (const [i, audience] of audiences.entries()) {
    if (audience === '') errors.push(required(`${at}[${i}]`));
    if (audiences.indexOf(audience) < i) errors.push(duplicate(`${at}[${i}]`, audience));
  }
  const field = `${path}.audienceMatchPolicy`;
  if (audiences.length > 1 && policy !== 'MatchAny') {
    errors.push(invalid(field, policy, 'audienceMatchPolicy must be MatchAny for multiple audiences'));
  }
  if (audiences.length === 1 && policy !== '' && policy !== 'MatchAny') {
    errors.push(invalid(field, policy, 'audienceMatchPolicy must be empty or MatchAny for single audience'));
  }
  return errors;
}

/** There is one network here, which both selectors mean. */
function checkEgress(selector: string, path: string): FieldError[] {
  if (['', 'controlplane', 'cluster'].includes(selector)) return [];
  return [invalid(path, selector, 'egress selector must be either controlplane or cluster')];
}

function holdsCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.length > 0 && blocks.every(isCertificate);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
