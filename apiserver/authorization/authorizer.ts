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
  /** Why somebody who should have decided could not: a request that is not allowed has then failed, and is not forbidden. */
  readonly error?: string;
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
    return this.#ask(attributes, 0, noOpinion);
  }

  /** @param before what those said who were asked already and have no opinion */
  #ask(attributes: Attributes, from: number, before: Decision): Decision | Promise<Decision> {
    let told = before;
    for (let i = from; i < this.#authorizers.length; i++) {
      const decision = this.#authorizers[i]?.authorize(attributes) ?? noOpinion;
      if (decision instanceof Promise) {
        const earlier = told;
        return decision.then((known) =>
          known.verdict === 'noOpinion' ? this.#ask(attributes, i + 1, both(earlier, known)) : known,
        );
      }
      if (decision.verdict !== 'noOpinion') return decision;
      told = both(told, decision);
    }
    return told;
  }
}

/** Two without an opinion. */
function both(a: Decision, b: Decision): Decision {
  if (a === noOpinion || b === noOpinion) return a === noOpinion ? b : a;
  const reason = [a.reason, b.reason].filter((text) => text !== '').join('\n');
  const errors = [a.error, b.error].filter((text) => text !== undefined);
  if (errors.length === 0) return { verdict: 'noOpinion', reason };
  return { verdict: 'noOpinion', reason, error: errors.length === 1 ? `${errors[0]}` : `[${errors.join(', ')}]` };
}

/** Nothing of a request comes back in a way that a browser could take for HTML. */
export const withoutMarkup = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The sentence of a 403, as in the original. */
export function forbiddenMessage(attributes: Attributes, reason: string): string {
  const because = reason === '' ? '' : `: ${reason}`;
  return `${subjectOf(attributes)}: ${withoutMarkup(refusalOf(attributes))}${because}`;
}

function refusalOf(attributes: Attributes): string {
  const { user, verb, group, subresource, namespace, path } = attributes;
  const who = `User ${JSON.stringify(user.name)}`;
  if (!attributes.isResourceRequest) return `${who} cannot ${verb} path ${JSON.stringify(path)}`;
  const resource = subresource === '' ? attributes.resource : `${attributes.resource}/${subresource}`;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `${who} cannot ${verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(group)} ${scope}`;
}

function subjectOf({ isResourceRequest, group, resource, name }: Attributes): string {
  if (!isResourceRequest) return 'forbidden';
  const qualified = group === '' ? resource : `${resource}.${group}`;
  return `${name === '' ? qualified : `${qualified} ${JSON.stringify(name)}`} is forbidden`;
}
