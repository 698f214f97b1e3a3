import type { MatchResources, ParamKind, ParamRef } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import type { Resource } from '../../../shared/api/resource.js';
import type { ObjectReader } from '../../registry/object-reader.js';
import type { MatchCriteria } from '../matching/matcher.js';

/** What policies of both kinds have in common. */
export interface PolicyObject extends KubernetesObject {
  spec?: { failurePolicy?: string; matchConstraints?: MatchResources; paramKind?: ParamKind };
}

/** What bindings of both kinds have in common. */
export interface BindingObject extends KubernetesObject {
  spec?: {
    policyName?: string;
    paramRef?: ParamRef;
    matchResources?: MatchResources;
    validationActions?: string[];
  };
}

/** A policy with the bindings that put it to work. */
export interface BoundPolicy<P extends PolicyObject, Compiled> {
  readonly policy: P;
  readonly criteria: MatchCriteria;
  readonly compiled: Compiled;
  readonly bindings: readonly { readonly binding: BindingObject; readonly criteria: MatchCriteria | undefined }[];
}

function criteriaOf(match: MatchResources): MatchCriteria {
  return {
    rules: match.resourceRules ?? [],
    excludeRules: match.excludeResourceRules ?? [],
    ...(match.matchPolicy ? { matchPolicy: match.matchPolicy } : {}),
    ...(match.namespaceSelector ? { namespaceSelector: match.namespaceSelector } : {}),
    ...(match.objectSelector ? { objectSelector: match.objectSelector } : {}),
  };
}

/** A binding without rules of its own is about all that its policy is about. */
const everything = [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'], scope: '*' }];

function bindingCriteria({ spec }: BindingObject): MatchCriteria | undefined {
  const match = spec?.matchResources;
  if (!match) return undefined;
  const criteria = criteriaOf(match);
  return criteria.rules.length > 0 ? criteria : { ...criteria, rules: everything };
}

/** All policies that something binds, by name; compiled once for each version of a policy. */
export class PolicySource<P extends PolicyObject, Compiled> {
  readonly #objects: ObjectReader;
  readonly #policies: Resource<P>;
  readonly #bindings: Resource<BindingObject>;
  readonly #compile: (policy: P) => Compiled;
  readonly #compiled = new WeakMap<P, Compiled>();
  #bound: readonly BoundPolicy<P, Compiled>[] = [];
  #readAt = '';

  constructor(
    objects: ObjectReader,
    policies: Resource<P>,
    bindings: Resource<BindingObject>,
    compile: (policy: P) => Compiled,
  ) {
    this.#objects = objects;
    this.#policies = policies;
    this.#bindings = bindings;
    this.#compile = compile;
  }

  bound(): readonly BoundPolicy<P, Compiled>[] {
    const readAt = `${this.#objects.lastChange(this.#policies)} ${this.#objects.lastChange(this.#bindings)}`;
    if (readAt === this.#readAt) return this.#bound;
    this.#readAt = readAt;
    const byPolicy = new Map<string, BindingObject[]>();
    for (const binding of this.#objects.list(this.#bindings)) {
      const name = binding.spec?.policyName ?? '';
      const known = byPolicy.get(name);
      if (known) known.push(binding);
      else byPolicy.set(name, [binding]);
    }
    this.#bound = this.#objects.list(this.#policies).flatMap((policy) => {
      const bindings = byPolicy.get(policy.metadata.name);
      if (!bindings) return [];
      return {
        policy,
        criteria: criteriaOf(policy.spec?.matchConstraints ?? {}),
        compiled: this.#compiledOf(policy),
        bindings: bindings.map((binding) => ({ binding, criteria: bindingCriteria(binding) })),
      };
    });
    return this.#bound;
  }

  #compiledOf(policy: P): Compiled {
    const known = this.#compiled.get(policy);
    if (known !== undefined) return known;
    const made = this.#compile(policy);
    this.#compiled.set(policy, made);
    return made;
  }
}
