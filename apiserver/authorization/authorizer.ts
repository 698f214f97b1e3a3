import type { PolicyRule } from '../../shared/api/generated/types.js';
import type { User } from '../authentication/user.js';

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
  /** Of lists, watches and deletions of many: tells a watch of one object from one of all. */
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface Decision {
  readonly verdict: 'allow' | 'deny' | 'noOpinion';
  readonly reason: string;
}

/** One way to decide. The first that allows or denies wins; nobody's opinion is a no. */
export interface Authorizer {
  /** At once wherever nobody outside has to be asked: most requests cost no turn of the event loop. */
  authorize(attributes: Attributes): Decision | Promise<Decision>;
  /** What the user may do in a namespace, as far as it can be written down as rules. */
  rulesFor(user: User, namespace: string | undefined): KnownRules;
}

export interface KnownRules {
  readonly rules: readonly PolicyRule[];
  /** Set where some rights are no rules; says why. */
  readonly incomplete?: string;
}

export const allow: Decision = Object.freeze({ verdict: 'allow', reason: '' });
export const noOpinion: Decision = Object.freeze({ verdict: 'noOpinion', reason: '' });

/** Whoever has a client certificate of this group may everything, whatever roles say: the way back in. */
export const PRIVILEGED_GROUP = 'system:masters';

export const privilegedGroup: Authorizer = {
  authorize: ({ user }) => (user.groups.includes(PRIVILEGED_GROUP) ? allow : noOpinion),
  rulesFor: ({ groups }) => ({
    rules: groups.includes(PRIVILEGED_GROUP)
      ? [
          { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
          { verbs: ['*'], nonResourceURLs: ['*'] },
        ]
      : [],
  }),
};

export class UnionAuthorizer implements Authorizer {
  readonly #authorizers: readonly Authorizer[];

  constructor(authorizers: readonly Authorizer[]) {
    this.#authorizers = authorizers;
  }

  rulesFor(user: User, namespace: string | undefined): KnownRules {
    const known = this.#authorizers.map((authorizer) => authorizer.rulesFor(user, namespace));
    const incomplete = known.flatMap((one) => one.incomplete ?? []).join(', ');
    return { rules: known.flatMap(({ rules }) => rules), ...(incomplete === '' ? {} : { incomplete }) };
  }

  authorize(attributes: Attributes): Decision | Promise<Decision> {
    return this.#ask(attributes, 0, '');
  }

  #ask(attributes: Attributes, from: number, reasons: string): Decision | Promise<Decision> {
    let told = reasons;
    for (let i = from; i < this.#authorizers.length; i++) {
      const decision = this.#authorizers[i]?.authorize(attributes) ?? noOpinion;
      if (decision instanceof Promise) {
        return decision.then((known) =>
          known.verdict === 'noOpinion' ? this.#ask(attributes, i + 1, joined(told, known.reason)) : known,
        );
      }
      if (decision.verdict !== 'noOpinion') return decision;
      told = joined(told, decision.reason);
    }
    return told === '' ? noOpinion : { verdict: 'noOpinion', reason: told };
  }
}

const joined = (a: string, b: string): string => (a === '' || b === '' ? a + b : `${a}, ${b}`);

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
