import { fromJson } from '../../cel/json-values.js';
import type { VariableValues } from '../../cel/environment.js';
import type { ResourceDefinition } from '../../registry/definition.js';
import { StatusError } from '../../../shared/errors/status-error.js';
import type { AdmissionRequest } from '../admission.js';
import type { ConditionSources } from '../expressions/cel-match-conditions.js';
import { expressionValues, type ExpressionSources } from '../expressions/expression-values.js';
import type { Matcher } from '../matching/matcher.js';
import { review, type Reviewed } from '../matching/reviewed.js';
import { paramsOf, PolicyConfigurationError, type Params } from './policy-params.js';
import type { BindingObject, BoundPolicy, PolicyObject } from './policy-source.js';

export interface PolicyDependencies extends ConditionSources {
  readonly matcher: Matcher;
  readonly definitions: () => readonly ResourceDefinition[];
}

/** A policy that a binding puts to work on a request. */
export interface Work<C> {
  readonly policy: PolicyObject;
  readonly binding: BindingObject;
  readonly compiled: C;
  readonly version: ResourceDefinition;
  /** What keeps it from working. */
  readonly problem?: string;
  readonly params: Params;
}

/** The policies that concern a request, with their bindings and parameters. */
export function* worksFor<P extends PolicyObject, C>(
  policies: readonly BoundPolicy<P, C>[],
  request: AdmissionRequest,
  { matcher, objects, definitions }: PolicyDependencies,
): Generator<Work<C>> {
  for (const { policy, criteria, compiled, bindings } of policies) {
    const version = matcher.match(criteria, request);
    if (!version) continue;
    for (const { binding, criteria: narrower } of bindings) {
      if (narrower && !matcher.match(narrower, request)) continue;
      const work = { policy, binding, compiled, version };
      try {
        const params = paramsOf(policy.spec?.paramKind, binding, request.namespace, objects, definitions());
        yield { ...work, params };
      } catch (error) {
        if (!(error instanceof PolicyConfigurationError)) throw error;
        yield { ...work, params: [], problem: `failed to configure binding: ${error.message}` };
      }
    }
  }
}

/** The variables of a policy's expressions for one request and one parameter. */
export function valuesFor(
  request: AdmissionRequest,
  version: ResourceDefinition,
  param: Params[number],
  sources: ExpressionSources,
): { readonly reviewed: Reviewed; readonly values: VariableValues } {
  const reviewed = review(request, version);
  return {
    reviewed,
    values: { ...expressionValues(request, reviewed, sources), params: () => fromJson(param) },
  };
}

const codes: Readonly<Record<string, number>> = { Forbidden: 403, Invalid: 422, RequestEntityTooLarge: 413 };

/** The refusal of a policy: the words of a 403, with the code of the reason. */
export function policyRefusal(refusal: StatusError, message: string, reason = 'Invalid'): StatusError {
  const details = { ...refusal.details, causes: [{ message }] };
  return new StatusError(codes[reason] ?? 422, reason, refusal.message, details);
}

/** One step after the other; waits only where one has to. */
export function inTurn<T>(items: Iterator<T>, step: (item: T) => void | Promise<void>): Promise<void> | undefined {
  for (let next = items.next(); next.done !== true; next = items.next()) {
    const pending = step(next.value);
    if (pending) return pending.then(() => inTurn(items, step));
  }
  return undefined;
}
