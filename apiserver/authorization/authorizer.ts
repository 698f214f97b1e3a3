import type { User } from '../authentication/user.js';
import type { Rule } from './rule.js';

/** What somebody wants to do. */
export interface Attributes {
  readonly user: User;
  readonly verb: string;
  readonly isResourceRequest: boolean;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly path: string;
  /** Of lists and watches: tells a watch of one object from one of all. */
  readonly fieldSelector?: string;
}

export interface Decision {
  readonly verdict: 'allow' | 'deny' | 'noOpinion';
  readonly reason: string;
}

/** One way to decide. The first that allows or denies wins; nobody's opinion is a no. */
export interface Authorizer {
  authorize(attributes: Attributes): Decision;
  /** What the user may do in a namespace, as far as it can be written down as rules. */
  rulesFor(user: User, namespace: string): KnownRules;
}

export interface KnownRules {
  readonly rules: readonly Rule[];
  /** Set where some rights are no rules; says why. */
  readonly incomplete?: string;
}

export const allow: Decision = Object.freeze({ verdict: 'allow', reason: '' });
export const noOpinion: Decision = Object.freeze({ verdict: 'noOpinion', reason: '' });
export const deny = (reason: string): Decision => ({ verdict: 'deny', reason });

export class UnionAuthorizer implements Authorizer {
  readonly #authorizers: readonly Authorizer[];

  constructor(authorizers: readonly Authorizer[]) {
    this.#authorizers = authorizers;
  }

  rulesFor(user: User, namespace: string): KnownRules {
    const known = this.#authorizers.map((authorizer) => authorizer.rulesFor(user, namespace));
    const incomplete = known.flatMap((one) => one.incomplete ?? []).join(', ');
    return { rules: known.flatMap(({ rules }) => rules), ...(incomplete === '' ? {} : { incomplete }) };
  }

  authorize(attributes: Attributes): Decision {
    const reasons: string[] = [];
    for (const authorizer of this.#authorizers) {
      const decision = authorizer.authorize(attributes);
      if (decision.verdict !== 'noOpinion') return decision;
      if (decision.reason !== '') reasons.push(decision.reason);
    }
    return { verdict: 'noOpinion', reason: reasons.join(', ') };
  }
}

/** The sentence of a 403, as in the original. */
export function forbiddenMessage(attributes: Attributes, reason: string): string {
  const { user, verb, group, subresource, namespace, name, path } = attributes;
  const because = reason === '' ? '' : `: ${reason}`;
  const who = `User ${JSON.stringify(user.name)}`;
  if (!attributes.isResourceRequest) return `forbidden: ${who} cannot ${verb} path ${JSON.stringify(path)}${because}`;
  const resource = subresource === '' ? attributes.resource : `${attributes.resource}/${subresource}`;
  const qualified = group === '' ? attributes.resource : `${attributes.resource}.${group}`;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const subject = name === '' ? qualified : `${qualified} ${JSON.stringify(name)}`;
  return `${subject} is forbidden: ${who} cannot ${verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(group)} ${scope}${because}`;
}
