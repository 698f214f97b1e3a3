import { flag, onlyFields, optionalRecord, record, records, text, type Fields } from '../decode/document-fields.js';
import { aggregateMessage, append, duplicate, invalid, tooMany, type FieldError } from '../validation/field-error.js';
import type { AnonymousRule } from './authenticator.js';
import { ClaimExpressions } from './claim-expressions.js';
import { readIssuer, type Issuer } from './issuer-configuration.js';
import { MappingReader } from './claim-configuration.js';
import type { ClaimMapping } from './oidc-claims.js';

/** One issuer of tokens and how its claims become users. */
export interface JwtConfiguration {
  readonly issuer: Issuer;
  readonly mapping: ClaimMapping;
}

/** What an AuthenticationConfiguration file says. */
export interface AuthenticationConfiguration {
  readonly jwt: readonly JwtConfiguration[];
  /** Absent: as without the file. */
  readonly letsInAnonymous?: AnonymousRule;
}

const group = 'apiserver.config.k8s.io';
const versions = ['v1', 'v1beta1', 'v1alpha1'];
const maxIssuers = 64;

/**
 * Reads and checks apiserver.config.k8s.io AuthenticationConfiguration; throws an Error with all that is wrong, in the
 * original's words.
 * @param ownIssuers of tokens that this server signs: nobody else may speak for them
 */
export function readAuthenticationConfiguration(
  document: unknown,
  ownIssuers: readonly string[],
): AuthenticationConfiguration {
  const root = record(document, 'the authentication configuration');
  const isKnown = versions.some((version) => root['apiVersion'] === `${group}/${version}`);
  if (!isKnown || root['kind'] !== 'AuthenticationConfiguration') {
    throw new Error(
      `the authentication configuration is not of apiVersion ${group}/v1 and kind AuthenticationConfiguration`,
    );
  }
  onlyFields(root, ['apiVersion', 'kind', 'jwt', 'anonymous'], '');
  const errors: FieldError[] = [];
  const given = records(root, 'jwt', '');
  const jwt = given.length > maxIssuers ? [] : readAll(given, ownIssuers, errors);
  if (given.length > maxIssuers) errors.push(tooMany('jwt', given.length, maxIssuers));
  const letsInAnonymous = root['anonymous'] == null ? undefined : readAnonymous(root, errors);
  if (errors.length > 0) throw new Error(aggregateMessage(errors));
  return { jwt, ...(letsInAnonymous ? { letsInAnonymous } : {}) };
}

function readAll(
  given: readonly { fields: Fields; path: string }[],
  ownIssuers: readonly string[],
  errors: FieldError[],
): JwtConfiguration[] {
  const expressions = new ClaimExpressions();
  const urls = new Set<string>();
  const discoveryUrls = new Set<string>();
  return given.map(({ fields, path }) => {
    onlyFields(fields, ['issuer', 'claimValidationRules', 'claimMappings', 'userValidationRules'], path);
    const read = readIssuer(optionalRecord(fields, 'issuer', path), `${path}.issuer`, ownIssuers);
    append(errors, read.errors);
    const mapping = new MappingReader(expressions, errors).read(fields, path);
    const { url, discoveryUrl } = read.issuer;
    if (urls.has(url)) errors.push(duplicate(`${path}.issuer.url`, url));
    urls.add(url);
    if (discoveryUrl !== undefined && discoveryUrls.has(discoveryUrl)) {
      errors.push(duplicate(`${path}.issuer.discoveryURL`, discoveryUrl));
    }
    if (discoveryUrl !== undefined) discoveryUrls.add(discoveryUrl);
    return { issuer: read.issuer, mapping };
  });
}

function readAnonymous(root: Fields, errors: FieldError[]): AnonymousRule {
  const anonymous = optionalRecord(root, 'anonymous', '');
  onlyFields(anonymous, ['enabled', 'conditions'], 'anonymous');
  const isEnabled = flag(anonymous, 'enabled', 'anonymous');
  const paths = records(anonymous, 'conditions', 'anonymous').map(({ fields, path }) => {
    onlyFields(fields, ['path'], path);
    return text(fields, 'path', path);
  });
  if (!isEnabled && paths.length > 0) {
    const why = 'enabled should be set to true when conditions are defined';
    errors.push(invalid('anonymous.conditions', anonymous['conditions'], why));
  }
  return (path) => isEnabled && (paths.length === 0 || paths.includes(path));
}
