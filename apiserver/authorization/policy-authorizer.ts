import type { Attributes, Authorizer, Decision } from './authorizer.js';
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

  #allows(subject: string, attributes: Attributes): boolean {
    if (!Object.hasOwn(this.#policy, subject)) return false;
    return (this.#policy[subject] ?? []).some((rule) => ruleAllows(rule, attributes));
  }
}
