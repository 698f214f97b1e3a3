import { mutatingadmissionpolicies, mutatingadmissionpolicybindings } from '../../../shared/api/generated/resources.js';
import type { MutatingAdmissionPolicy } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import type { Resource } from '../../../shared/api/resource.js';
import { StatusError } from '../../../shared/errors/status-error.js';
import { hasSameEncoding } from '../../registry/encoding.js';
import { forbidden } from '../../registry/status-errors.js';
import type { AdmissionPlugin, AdmissionRequest, MutationRounds } from '../admission.js';
import { RememberedDecisions } from '../expressions/decisions.js';
import type { ExpressionSources } from '../expressions/expression-values.js';
import { isExempt } from '../matching/matcher.js';
import { needsConversion, shownIn, takeOver } from '../matching/reviewed.js';
import { CompiledMutation, MutationError } from './compiled-mutation.js';
import type { PatchApplier } from './patch-applier.js';
import { inTurn, policyRefusal, valuesFor, worksFor, type PolicyDependencies, type Work } from './policy-matching.js';
import { PolicySource, type BindingObject, type PolicyObject } from './policy-source.js';

type Policy = MutatingAdmissionPolicy & KubernetesObject & PolicyObject;

/** What is remembered between the two rounds of one write. */
interface Memory {
  output: string;
  readonly called: Set<string>;
  readonly due: Set<string>;
}

interface Tools {
  readonly sources: ExpressionSources;
  readonly applier: PatchApplier;
  /**
   * Each mutation by its place, and whether it changed the object: what has been done when an expression has to wait for
   * somebody outside is not done twice.
   */
  readonly steps: Map<string, boolean>;
}

/** Evaluates the MutatingAdmissionPolicies that are bound, one after the other. */
export function mutatingPolicies(given: PolicyDependencies, applier: PatchApplier): AdmissionPlugin {
  const source = new PolicySource<Policy, CompiledMutation>(
    given.objects,
    mutatingadmissionpolicies as Resource<Policy>,
    mutatingadmissionpolicybindings as Resource<BindingObject>,
    (policy) => new CompiledMutation(policy),
  );
  return {
    name: 'MutatingAdmissionPolicy',
    mutate: (request, rounds) => {
      const policies = source.bound();
      if (policies.length === 0 || isExempt(request) || !request.object) return;
      const memory = rounds.state<Memory>('policies', () => ({ output: '', called: new Set(), due: new Set() }));
      if (rounds.round > 0 && JSON.stringify(request.object) !== memory.output) schedule(memory);
      const decisions = new RememberedDecisions(given.authorizer);
      const sources = { ...given, decisions };
      const mutateBy = (work: Work<CompiledMutation>, shown: AdmissionRequest): void | Promise<void> => {
        const tools: Tools = { sources, applier, steps: new Map() };
        return decisions.run(() => run(work, shown, rounds, memory, tools));
      };
      // Where somebody outside converts the request to the versions that the policies are about, they wait for him.
      const step = needsConversion(request)
        ? async (work: Work<CompiledMutation>) => {
            const shown = await shownIn(request, work.version);
            await mutateBy(work, shown.request);
            await shown.takeBack();
          }
        : (work: Work<CompiledMutation>) => mutateBy(work, request);
      const conclude = (): void => void (memory.output = JSON.stringify(request.object));
      const pending = inTurn(worksFor(policies, request, given), step);
      return pending ? pending.then(conclude) : conclude();
    },
  };
}

function schedule(memory: Memory): void {
  for (const id of memory.called) memory.due.add(id);
  memory.called.clear();
}

function run(
  work: Work<CompiledMutation>,
  request: AdmissionRequest,
  rounds: MutationRounds,
  memory: Memory,
  tools: Tools,
): void {
  const { policy, binding, compiled, params, problem } = work;
  const id = `${policy.metadata.name}/${binding.metadata.name}`;
  if (rounds.round > 0 && !memory.due.has(id)) return;
  try {
    if (problem !== undefined) throw new MutationError(problem);
    for (const [i, param] of params.entries()) {
      if (!mutate(work, { param, id: `${id}/${i}` }, request, tools)) continue;
      schedule(memory);
      rounds.wantsAnother = true;
    }
  } catch (error) {
    const isKnown = error instanceof MutationError || error instanceof StatusError;
    if (!isKnown) throw error;
    if (policy.spec?.failurePolicy !== 'Ignore') throw refusal(work, request, error.message);
  }
  memory.due.delete(id);
  if (compiled.isReinvocable) memory.called.add(id);
}

/** True when the object is another afterwards. */
function mutate(
  { compiled, version }: Work<CompiledMutation>,
  { param, id }: { readonly param: Work<CompiledMutation>['params'][number]; readonly id: string },
  request: AdmissionRequest,
  { sources, applier, steps }: Tools,
): boolean {
  let isChanged = false;
  // Each mutation sees what the one before it has made.
  for (const [i, mutation] of compiled.mutations.entries()) {
    const step = `${id}/${i}`;
    const done = steps.get(step);
    isChanged ||= done === true;
    if (done !== undefined) continue;
    const { reviewed, values } = valuesFor(request, version, param, sources);
    const { object } = reviewed;
    if (!object || !compiled.matches(values)) return isChanged;
    const patch = mutation(values, compiled.variables);
    const changed =
      patch.type === 'json'
        ? applier.json(object, patch.operations, reviewed)
        : applier.merge(object, patch.object, reviewed);
    const isOther = !hasSameEncoding(changed, object);
    if (isOther) takeOver(request, reviewed, changed);
    steps.set(step, isOther);
    isChanged ||= isOther;
  }
  return isChanged;
}

function refusal({ policy, binding }: Work<CompiledMutation>, request: AdmissionRequest, why: string): StatusError {
  const text = `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${why}`;
  return policyRefusal(forbidden(request.definition.resource, request.name, text), text);
}
