import type { Program } from '../cel/environment.js';
import { onlyFields, optionalRecord, records, text, type Fields } from '../decode/document-fields.js';
import { append, duplicate, invalid, invalidEach, required, type FieldError } from '../validation/field-error.js';
import { isDomainPrefixedPath } from '../validation/names.js';
import { usesClaim, type ClaimExpressions } from './claim-expressions.js';
import type { ClaimMapping, ClaimRule, ClaimSource } from './oidc-claims.js';

const notBoth = "claim and expression can't both be set";
const missing = 'claim or expression is required';
const unverified =
  'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression';

/** What a token says by a field whose configuration is wrong: never used, the errors stop the start. */
const nothing: ClaimSource = { claim: '', prefix: '' };

/** Reads rules and mappings of one issuer, and adds what is wrong with them to a list. */
export class MappingReader {
  readonly #expressions: ClaimExpressions;
  readonly #errors: FieldError[];

  constructor(expressions: ClaimExpressions, errors: FieldError[]) {
    this.#expressions = expressions;
    this.#errors = errors;
  }

  /** @param path of `jwt[i]` */
  read(jwt: Fields, path: string): ClaimMapping {
    const claimRules = this.#claimRules(jwt, path);
    const mappings = optionalRecord(jwt, 'claimMappings', path);
    const at = `${path}.claimMappings`;
    onlyFields(mappings, ['username', 'groups', 'uid', 'extra'], at);
    const username = this.#prefixed(mappings, 'username', at) ?? nothing;
    if (!this.#isGiven(mappings, 'username')) this.#errors.push(required(`${at}.username`, missing));
    const groups = this.#prefixed(mappings, 'groups', at);
    const uid = this.#uid(mappings, at);
    const extra = this.#extra(mappings, at);
    this.#checkEmail(username, [...claimRules, ...extra], `${at}.username.expression`);
    const userRules = this.#userRules(jwt, path);
    return { username, ...(groups ? { groups } : {}), ...(uid ? { uid } : {}), extra, claimRules, userRules };
  }

  #claimRules(jwt: Fields, path: string): ClaimRule[] {
    const claims = new Set<string>();
    const expressions = new Set<string>();
    return records(jwt, 'claimValidationRules', path).flatMap(({ fields, path: at }): ClaimRule[] => {
      onlyFields(fields, ['claim', 'requiredValue', 'expression', 'message'], at);
      const claim = text(fields, 'claim', at);
      const expression = text(fields, 'expression', at);
      const message = text(fields, 'message', at);
      const value = text(fields, 'requiredValue', at);
      if (claim !== '' && expression !== '') this.#errors.push(invalid(at, claim, notBoth));
      else if (claim === '' && expression === '') this.#errors.push(required(at, missing));
      else if (claim !== '') {
        if (message !== '') {
          this.#errors.push(invalid(`${at}.message`, message, 'may not be specified when claim is set'));
        }
        this.#once(claims, claim, `${at}.claim`);
        return [{ claim, value }];
      } else {
        if (value !== '') {
          this.#errors.push(invalid(`${at}.requiredValue`, value, 'may not be specified when expression is set'));
        }
        if (!this.#once(expressions, expression, `${at}.expression`)) return [];
        return this.#compiled(this.#expressions.claimRule(expression), expression, `${at}.expression`).map(
          (program) => ({ program }),
        );
      }
      return [];
    });
  }

  #isGiven(mappings: Fields, field: string): boolean {
    const given = optionalRecord(mappings, field, '');
    return Boolean(given['claim']) || Boolean(given['expression']);
  }

  /** Undefined when it is not given, or wrong. */
  #prefixed(mappings: Fields, field: string, path: string): ClaimSource | undefined {
    const at = `${path}.${field}`;
    const given = optionalRecord(mappings, field, path);
    onlyFields(given, ['claim', 'prefix', 'expression'], at);
    const claim = text(given, 'claim', at);
    const expression = text(given, 'expression', at);
    const prefix = given['prefix'] == null ? undefined : text(given, 'prefix', at);
    if (claim !== '' && expression !== '') this.#errors.push(invalid(at, '', notBoth));
    else if (expression !== '') {
      if (prefix !== undefined) {
        this.#errors.push(invalid(`${at}.prefix`, prefix, 'may not be specified when expression is set'));
      }
      return this.#mapping(expression, `${at}.expression`);
    } else if (claim !== '') {
      if (prefix !== undefined) return { claim, prefix };
      const why = 'prefix is required when claim is set. It can be set to an empty string to disable prefixing';
      this.#errors.push(required(`${at}.prefix`, why));
    }
    return undefined;
  }

  #uid(mappings: Fields, path: string): ClaimSource | undefined {
    const at = `${path}.uid`;
    const given = optionalRecord(mappings, 'uid', path);
    onlyFields(given, ['claim', 'expression'], at);
    const claim = text(given, 'claim', at);
    const expression = text(given, 'expression', at);
    if (claim !== '' && expression !== '') this.#errors.push(invalid(at, '', notBoth));
    else if (expression !== '') return this.#mapping(expression, `${at}.expression`);
    else if (claim !== '') return { claim, prefix: '' };
    return undefined;
  }

  #extra(mappings: Fields, path: string): { key: string; program: Program }[] {
    const keys = new Set<string>();
    return records(mappings, 'extra', path).flatMap(({ fields, path: at }) => {
      onlyFields(fields, ['key', 'valueExpression'], at);
      const key = text(fields, 'key', at);
      append(this.#errors, checkKey(key, `${at}.key`));
      if (!this.#once(keys, key, `${at}.key`)) return [];
      const expression = text(fields, 'valueExpression', at);
      const field = `${at}.valueExpression`;
      if (expression === '') this.#errors.push(required(field));
      if (expression === '') return [];
      const program = this.#expressions.mapping(expression);
      return this.#compiled(program, expression, field).map((one) => ({ key, program: one }));
    });
  }

  #userRules(jwt: Fields, path: string): Program[] {
    const seen = new Set<string>();
    return records(jwt, 'userValidationRules', path).flatMap(({ fields, path: at }) => {
      onlyFields(fields, ['expression', 'message'], at);
      text(fields, 'message', at);
      const expression = text(fields, 'expression', at);
      const field = `${at}.expression`;
      if (expression === '') this.#errors.push(required(field));
      if (expression === '' || !this.#once(seen, expression, field)) return [];
      return this.#compiled(this.#expressions.userRule(expression), expression, field);
    });
  }

  #mapping(expression: string, path: string): ClaimSource | undefined {
    const [program] = this.#compiled(this.#expressions.mapping(expression), expression, path);
    return program && { program };
  }

  /** None when it could not be compiled. */
  #compiled(program: Program | string, expression: string, path: string): Program[] {
    if (typeof program !== 'string') return [program];
    this.#errors.push(invalid(path, expression, program));
    return [];
  }

  #once(seen: Set<string>, value: string, path: string): boolean {
    const isNew = !seen.has(value);
    if (!isNew) this.#errors.push(duplicate(path, value));
    seen.add(value);
    return isNew;
  }

  /** An address that the provider has not checked may be anybody's. */
  #checkEmail(username: ClaimSource, others: readonly object[], path: string): void {
    if (!('program' in username) || !usesClaim(username.program, 'email')) return;
    const programs = [username, ...others].flatMap((one) => ('program' in one ? [one.program as Program] : []));
    if (programs.some((program) => usesClaim(program, 'email_verified'))) return;
    this.#errors.push(invalid(path, username.program.source, unverified));
  }
}

function checkKey(key: string, path: string): FieldError[] {
  const slash = key.indexOf('/');
  const domain = slash < 0 ? '' : key.slice(0, slash);
  const isReserved = ['kubernetes.io', 'k8s.io'].some((own) => domain === own || domain.endsWith(`.${own}`));
  const reserved = 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use';
  return [
    ...(key === '' ? [required(path)] : invalidEach(path, key, isDomainPrefixedPath(key))),
    ...(key === key.toLowerCase() ? [] : [invalid(path, key, 'must be lowercase')]),
    ...(isReserved ? [invalid(path, key, reserved)] : []),
  ];
}
