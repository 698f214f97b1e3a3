import type { Counter, MetricsRegistry } from '../../shared/metrics/registry.js';
import type { User } from '../authentication/user.js';
import {
  allow,
  noOpinion,
  privilegedGroup,
  UnionAuthorizer,
  type Attributes,
  type Authorizer,
  type Decision,
  type KnownRules,
} from './authorizer.js';

/** The kinds of authorizers that may be chosen, in the order of the original's messages. */
export const authorizerTypes = ['AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook'] as const;
export type AuthorizerType = (typeof authorizerTypes)[number];

/** One authorizer of a configuration. */
export interface ConfiguredAuthorizer {
  readonly type: AuthorizerType;
  readonly name: string;
  /** Of type Webhook only. */
  readonly webhook?: Authorizer;
}

/** Those that are part of the server. */
export interface BuiltInAuthorizers {
  readonly Node: Authorizer;
  readonly RBAC: Authorizer;
}

/** Nodes, then a webhook if there is one, then roles. */
export function usualAuthorizers(webhook?: Authorizer): () => readonly ConfiguredAuthorizer[] {
  const authorizers: readonly ConfiguredAuthorizer[] = [
    { type: 'Node', name: 'node' },
    ...(webhook ? [{ type: 'Webhook', name: 'webhook', webhook } as const] : []),
    { type: 'RBAC', name: 'rbac' },
  ];
  return () => authorizers;
}

const everything: KnownRules = {
  rules: [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    { verbs: ['*'], nonResourceURLs: ['*'] },
  ],
};
const alwaysAllow: Authorizer = { authorize: () => allow, rulesFor: () => everything };
const alwaysDeny: Authorizer = {
  authorize: () => ({ verdict: 'noOpinion', reason: 'Everything is forbidden.' }),
  rulesFor: () => ({ rules: [] }),
};

/** Asks the configured authorizers in their order; system:masters may everything, whatever they say. */
export class AuthorizationChain implements Authorizer {
  readonly #configured: () => readonly ConfiguredAuthorizer[];
  readonly #builtIn: BuiltInAuthorizers;
  readonly #decisions: Counter;
  #of: readonly ConfiguredAuthorizer[];
  #union: UnionAuthorizer;

  /** @param configured gives another array after each change, and else the same */
  constructor(
    configured: () => readonly ConfiguredAuthorizer[],
    builtIn: BuiltInAuthorizers,
    metrics: MetricsRegistry,
  ) {
    this.#configured = configured;
    this.#builtIn = builtIn;
    this.#decisions = metrics.counter({
      name: 'apiserver_authorization_decisions_total',
      help: 'Total number of terminal decisions made by an authorizer split by authorizer type, name, and decision.',
      labels: ['type', 'name', 'decision'],
    });
    this.#of = configured();
    this.#union = this.#unite();
  }

  authorize(attributes: Attributes): Decision | Promise<Decision> {
    return this.#current().authorize(attributes);
  }

  rulesFor(user: User, namespace: string | undefined): KnownRules {
    return this.#current().rulesFor(user, namespace);
  }

  #current(): UnionAuthorizer {
    const configured = this.#configured();
    if (configured !== this.#of) {
      this.#of = configured;
      this.#union = this.#unite();
    }
    return this.#union;
  }

  #unite(): UnionAuthorizer {
    return new UnionAuthorizer([privilegedGroup, ...this.#of.map((one) => this.#counted(one))]);
  }

  #counted(configured: ConfiguredAuthorizer): Authorizer {
    const authorizer = this.#find(configured);
    const allowed = [configured.type, configured.name, 'allowed'];
    const denied = [configured.type, configured.name, 'denied'];
    const count = (decision: Decision): Decision => {
      if (decision.verdict !== 'noOpinion') this.#decisions.inc(decision.verdict === 'allow' ? allowed : denied);
      return decision;
    };
    return {
      authorize: (attributes) => {
        const decision = authorizer.authorize(attributes);
        return decision instanceof Promise ? decision.then(count) : count(decision);
      },
      rulesFor: (user, namespace) => authorizer.rulesFor(user, namespace),
    };
  }

  #find({ type, webhook }: ConfiguredAuthorizer): Authorizer {
    switch (type) {
      case 'AlwaysAllow':
        return alwaysAllow;
      case 'AlwaysDeny':
        return alwaysDeny;
      case 'Webhook':
        return webhook ?? { authorize: () => noOpinion, rulesFor: () => ({ rules: [] }) };
      default:
        return this.#builtIn[type];
    }
  }
}
