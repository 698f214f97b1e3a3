import type { User } from './user.js';

/** How claims of an OpenID token become a user. */
export interface ClaimMapping {
  readonly issuerUrl: string;
  /** `sub` unless chosen otherwise. */
  readonly usernameClaim: string;
  /** Undefined: the issuer and `#`, but for the claim `email`, so that no provider can name our own users. `-`: none. */
  readonly usernamePrefix?: string;
  readonly groupsClaim?: string;
  readonly groupsPrefix?: string;
  /** Claims that must be there with that value. */
  readonly requiredClaims: Readonly<Record<string, string>>;
}

type Claims = Readonly<Record<string, unknown>>;

/** The user of verified claims; undefined when they do not name one, or lack what is required. */
export function readIdentity(mapping: ClaimMapping, claims: Claims): User | undefined {
  const claim = (name: string): unknown => (Object.hasOwn(claims, name) ? claims[name] : undefined);
  for (const [name, value] of Object.entries(mapping.requiredClaims)) if (claim(name) !== value) return undefined;
  const name = claim(mapping.usernameClaim);
  if (typeof name !== 'string' || name === '') return undefined;
  // An address that the provider has not checked may be anybody's.
  const isVerified = claim('email_verified');
  if (mapping.usernameClaim === 'email' && isVerified !== undefined && isVerified !== true) return undefined;
  const groups = readGroups(mapping, claim);
  if (!groups) return undefined;
  return { name: usernamePrefix(mapping) + name, groups };
}

function usernamePrefix({ usernamePrefix: prefix, usernameClaim, issuerUrl }: ClaimMapping): string {
  if (prefix === '-') return '';
  if (prefix !== undefined && prefix !== '') return prefix;
  return usernameClaim === 'email' ? '' : `${issuerUrl}#`;
}

/** One group as a string, or several; absent is none, anything else is wrong. */
function readGroups(
  { groupsClaim, groupsPrefix = '' }: ClaimMapping,
  claim: (name: string) => unknown,
): string[] | undefined {
  const given = groupsClaim === undefined ? undefined : claim(groupsClaim);
  if (given === undefined || given === null) return [];
  const groups: unknown[] = Array.isArray(given) ? given : [given];
  if (!groups.every((group): group is string => typeof group === 'string')) return undefined;
  return groups.map((group) => groupsPrefix + group);
}
