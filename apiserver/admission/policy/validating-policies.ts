import {
  validatingadmissionpolicies,
  validatingadmissionpolicybindings,
} from '../../../shared/api/generated/resources.js';
import type { ValidatingAdmissionPolicy } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import type { Resource } from '../../../shared/api/resource.js';
import { forbidden } from '../../registry/status-errors.js';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.js';
import { RememberedDecisions } from '../expressions/decisions.js';
import type { ExpressionSources } from '../expressions/expression-values.js';
import { isExempt } from '../matching/matcher.js';
import { needsConversion, shownIn } from '../matching/reviewed.js';
import { CompiledValidation, type Failure } from './compiled-validation.js';
import type { Check, PolicyMetrics } from './policy-metrics.js';
import { inTurn, policyRefusal, valuesFor, worksFor, type PolicyDependencies, type Work } from './policy-matching.js';
import { PolicySource, type BindingObject, type PolicyObject } from './policy-source.js';

type Policy = ValidatingAdmissionPolicy & KubernetesObject & PolicyObject;

const failureAnnotation = 'validation.policy.admission.k8s.io/validation_failure';

/** No expression got so far as to be evaluated. */
const unchecked: Check = { errorType: 'invalid_error', elapsedMs: 0 };

/** A failure and whose it is. */
interface Finding extends Failure {
  readonly policy: string;
  readonly binding: string;
  readonly actions: readonly string[];
}

/** Evaluates the ValidatingAdmissionPolicies that are bound. */
export function validatingPolicies(given: PolicyDependencies, metrics: PolicyMetrics): AdmissionPlugin {
  const source = new PolicySource<Policy, CompiledValidation>(
    given.objects,
    validatingadmissionpolicies as Resource<Policy>,
    validatingadmissionpolicybindings as Resource<BindingObject>,
    (policy) => new CompiledValidation(policy),
  );
  return {
    name: 'ValidatingAdmissionPolicy',
    validate: (request) => {
      const policies = source.bound();
      if (policies.length === 0 || isExempt(request)) return;
      const findings: Finding[] = [];
      const annotations = new Map<string, string[]>();
      const decisions = new RememberedDecisions(given.authorizer);
      const sources = { ...given, decisions };
      const add = (found: readonly Finding[]): void => {
        for (const finding of found) findings.push(finding);
      };
      const judge = (work: Work<CompiledValidation>, shown: AdmissionRequest): void | Promise<void> => {
        const found = decisions.run(() => findingsOf(work, shown, annotations, sources, metrics));
        return found instanceof Promise ? found.then(add) : add(found);
      };
      const conclude = (): void => {
        for (const [key, values] of annotations) request.annotate?.(key, values.join(', '));
        report(findings, request);
      };
      // Where somebody outside converts the request to the versions that the policies are about, they wait for him.
      const step = needsConversion(request)
        ? async (work: Work<CompiledValidation>) => judge(work, (await shownIn(request, work.version)).request)
        : (work: Work<CompiledValidation>) => judge(work, request);
      const pending = inTurn(worksFor(policies, request, given), step);
      return pending ? pending.then(conclude) : conclude();
    },
  };
}

function findingsOf(
  { policy, binding, compiled, version, problem, params }: Work<CompiledValidation>,
  request: AdmissionRequest,
  annotations: Map<string, string[]>,
  given: ExpressionSources,
  metrics: PolicyMetrics,
): Finding[] {
  const whose = {
    policy: policy.metadata.name,
    binding: binding.metadata.name,
    actions: binding.spec?.validationActions ?? [],
  };
  if (problem !== undefined) {
    if (policy.spec?.failurePolicy === 'Ignore') return [];
    return [{ ...whose, actions: ['Deny'], message: problem, reason: 'Invalid', index: 0, check: unchecked }];
  }
  return params.flatMap((param) => {
    const {
      failures,
      annotations: notes,
      problems = [],
      ignored = [],
    } = compiled.judge(valuesFor(request, version, param, given).values);
    for (const [name, value] of notes) {
      const key = `${whose.policy}/${name}`;
      const known = annotations.get(key);
      if (!known) annotations.set(key, [value]);
      else if (!known.includes(value)) known.push(value);
    }
    // What cannot be noted denies, whatever the binding says, as in the original.
    const refusal = { ...whose, actions: ['Deny'], reason: 'Invalid', index: 0, check: unchecked };
    const unnoted = problems.map((message) => ({ ...refusal, message }));
    const found = [...failures.map((failure) => ({ ...whose, ...failure })), ...unnoted];
    for (const check of ignored) metrics.checked(whose.policy, whose.binding, check, 'allow');
    for (const { check, actions } of found)
      for (const action of actions) metrics.checked(whose.policy, whose.binding, check, action);
    return found;
  });
}

/** Throws the first failure that denies, after what is to be warned of and noted. */
function report(findings: readonly Finding[], request: AdmissionRequest): void {
  if (findings.length === 0) return;
  const audited = findings.filter(({ actions }) => actions.includes('Audit'));
  if (audited.length > 0) {
    const notes = audited.map(({ message, policy, binding, index, actions }) => ({
      message,
      policy,
      binding,
      expressionIndex: index,
      validationActions: actions,
    }));
    request.annotate?.(failureAnnotation, JSON.stringify(notes));
  }
  for (const { actions, policy, binding, message } of findings) {
    if (!actions.includes('Warn')) continue;
    request.warn(`Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${binding}': ${message}`);
  }
  const denied = findings.find(({ actions }) => actions.includes('Deny'));
  if (!denied) return;
  const { policy, binding, message, reason } = denied;
  const text = `ValidatingAdmissionPolicy '${policy}' with binding '${binding}' denied request: ${message}`;
  const refusal = forbidden(request.definition.resource, request.name, text);
  throw policyRefusal(refusal, text, reason || 'Invalid');
}
