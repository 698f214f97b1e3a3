import { Budget, perCallCostLimit } from '../cel/budget.js';
import type { Program, VariableValues } from '../cel/environment.js';
import { CelError } from '../cel/errors.js';
import { fromJson, toJson } from '../cel/json-values.js';
import { claimsType, userInfoType } from './claim-expressions.js';
import type { User } from './user.js';

/** Where something stands in a token: one claim behind a prefix, or what an expression makes of all claims. */
export type ClaimSource = { readonly claim: string; readonly prefix: string } | { readonly program: Program };

/** What must hold of a token: a claim has that value, or an expression is true. */
export type ClaimRule = { readonly claim: string; readonly value: string } | { readonly program: Program };

/** How claims of an OpenID token become a user. */
export interface ClaimMapping {
  readonly username: ClaimSource;
  readonly groups?: ClaimSource;
  readonly uid?: ClaimSource;
  readonly extra?: readonly { readonly key: string; readonly program: Program }[];
  readonly claimRules: readonly ClaimRule[];
  /** Expressions about the user that came out. */
  readonly userRules?: readonly Program[];
}

export type Claims = Readonly<Record<string, unknown>>;

/** The user of verified claims; undefined when they do not name one, or break a rule. */
export function readIdentity(mapping: ClaimMapping, claims: Claims): User | undefined {
  try {
    return new ClaimReader(claims).user(mapping);
  } catch (error) {
    if (error instanceof CelError || error instanceof ClaimFault) return undefined;
    throw error;
  }
}

/** The claims do not say what they should. */
class ClaimFault extends Error {
  override readonly name = 'ClaimFault';
}

class ClaimReader {
  readonly #claims: Claims;
  readonly #values: VariableValues;

  constructor(claims: Claims) {
    this.#claims = claims;
    this.#values = { claims: () => fromJson(claims, claimsType) };
  }

  user({ username, groups, uid, extra = [], claimRules, userRules = [] }: ClaimMapping): User {
    const name = this.#text(username);
    if (name === '' || !this.#isVerified(username)) throw new ClaimFault('the claims name nobody');
    const user: User = {
      name,
      groups: groups ? this.#texts(groups) : [],
      ...(uid ? { uid: this.#text(uid) } : {}),
      ...(extra.length > 0 ? { extra: this.#extra(extra) } : {}),
    };
    if (!claimRules.every((rule) => this.#holds(rule))) throw new ClaimFault('a rule about the claims is broken');
    const values = userValues(user);
    if (!userRules.every((program) => isTrue(program, values))) throw new ClaimFault('a rule about the user is broken');
    return user;
  }

  #claim(name: string): unknown {
    return Object.hasOwn(this.#claims, name) ? this.#claims[name] : undefined;
  }

  /** An address that the provider has not checked may be anybody's. */
  #isVerified(source: ClaimSource): boolean {
    const isVerified = this.#claim('email_verified');
    return !('claim' in source) || source.claim !== 'email' || isVerified === undefined || isVerified === true;
  }

  #run(program: Program): unknown {
    return toJson(program.evaluate(this.#values, new Budget(perCallCostLimit)));
  }

  #text(source: ClaimSource): string {
    const value = 'program' in source ? this.#run(source.program) : this.#claim(source.claim);
    if (typeof value !== 'string') throw new ClaimFault('not a string');
    if (value === '') return '';
    return 'claim' in source ? source.prefix + value : value;
  }

  /** One as a string, or several; absent is none, anything else is wrong. */
  #texts(source: ClaimSource): string[] {
    if ('program' in source) return textList(this.#run(source.program)).filter((text) => text !== '');
    return textList(this.#claim(source.claim)).map((text) => source.prefix + text);
  }

  #extra(mappings: NonNullable<ClaimMapping['extra']>): Record<string, string[]> {
    const extra: Record<string, string[]> = {};
    for (const { key, program } of mappings) {
      const values = textList(this.#run(program)).filter((text) => text !== '');
      if (values.length > 0) extra[key] = values;
    }
    return extra;
  }

  #holds(rule: ClaimRule): boolean {
    return 'program' in rule ? isTrue(rule.program, this.#values) : this.#claim(rule.claim) === rule.value;
  }
}

function textList(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.map((one) => {
    if (typeof one !== 'string') throw new ClaimFault('neither a string nor a list of strings');
    return one;
  });
}

const isTrue = (program: Program, values: VariableValues): boolean =>
  program.evaluate(values, new Budget(perCallCostLimit)) === true;

const userValues = ({ name, uid = '', groups, extra = {} }: User): VariableValues => ({
  user: () => fromJson({ username: name, uid, groups, extra }, userInfoType),
});

/** The prefix of names by flags: the issuer and `#`, but for the claim `email`, so that no provider can name our own users. */
export function usernamePrefix(given: string | undefined, claim: string, issuerUrl: string): string {
  if (given === '-') return '';
  if (given !== undefined && given !== '') return given;
  return claim === 'email' ? '' : `${issuerUrl}#`;
}
