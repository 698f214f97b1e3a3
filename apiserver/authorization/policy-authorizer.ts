import type { User } from '../authentication/user.js';
import type { Attributes, Authorizer, Decision, KnownRules } from './authorizer.js';
import { allow, noOpinion } from './authorizer.js';
import type { Policy } from './builtin-policy.js';
import { ruleAllows } from './rule.js';

/** Allows what a table of rules gives to the user or one of the groups. */
export class PolicyAuthorizer implements Authorizer {
  readonly #policy: Policy;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  authorize(attributes: Attributes): Decision {
    const { user } = attributes;
    for (const group of user.groups) if (this.#allows(`group:${group}`, attributes)) return allow;
    return this.#allows(user.name, attributes) ? allow : noOpinion;
  }

  rulesFor(user: User, namespace: string): KnownRules {
    const subjects = [...user.groups.map((group) => `group:${group}`), user.name];
    const given = subjects.flatMap((subject) =>
      Object.hasOwn(this.#policy, subject) ? (this.#policy[subject] ?? []) : [],
    );
    return { rules: given.filter(({ namespaces }) => namespaces === undefined || namespaces.includes(namespace)) };
  }

  #allows(subject: string, attributes: Attributes): boolean {
    if (!Object.hasOwn(this.#policy, subject)) return false;
    return (this.#policy[subject] ?? []).some((rule) => ruleAllows(rule, attributes));
  }
}
