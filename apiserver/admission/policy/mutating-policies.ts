import { mutatingadmissionpolicies, mutatingadmissionpolicybindings } from '../../../shared/api/generated/resources.js';
import type { MutatingAdmissionPolicy } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import type { Resource } from '../../../shared/api/resource.js';
import { StatusError } from '../../../shared/errors/status-error.js';
import { hasSameEncoding } from '../../registry/encoding.js';
import { forbidden } from '../../registry/status-errors.js';
import type { AdmissionPlugin, AdmissionRequest, MutationRounds } from '../admission.js';
import { isExempt } from '../matching/matcher.js';
import { needsConversion, shownIn, takeOver } from '../matching/reviewed.js';
import { CompiledMutation, MutationError } from './compiled-mutation.js';
import type { PatchApplier } from './patch-applier.js';
import { policyRefusal, valuesFor, worksFor, type PolicyDependencies, type Work } from './policy-matching.js';
import { PolicySource, type BindingObject, type PolicyObject } from './policy-source.js';

type Policy = MutatingAdmissionPolicy & KubernetesObject & PolicyObject;

/** What is remembered between the two rounds of one write. */
interface Memory {
  output: string;
  readonly called: Set<string>;
  readonly due: Set<string>;
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
      const mutateBy = (work: Work<CompiledMutation>, shown: AdmissionRequest): void =>
        run(work, shown, rounds, memory, given, applier);
      const conclude = (): void => void (memory.output = JSON.stringify(request.object));
      const works = worksFor(policies, request, given);
      if (needsConversion(request)) return mutateShown(works, request, mutateBy).then(conclude);
      for (const work of works) mutateBy(work, request);
      conclude();
    },
  };
}

/** The same where somebody outside converts the request to the versions that the policies are about, and back. */
async function mutateShown(
  works: Iterable<Work<CompiledMutation>>,
  request: AdmissionRequest,
  mutateBy: (work: Work<CompiledMutation>, shown: AdmissionRequest) => void,
): Promise<void> {
  for (const work of works) {
    const shown = await shownIn(request, work.version);
    mutateBy(work, shown.request);
    await shown.takeBack();
  }
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
  given: PolicyDependencies,
  applier: PatchApplier,
): void {
  const { policy, binding, compiled, params, problem } = work;
  const id = `${policy.metadata.name}/${binding.metadata.name}`;
  if (rounds.round > 0 && !memory.due.has(id)) return;
  try {
    if (problem !== undefined) throw new MutationError(problem);
    for (const param of params) {
      if (!mutate(work, param, request, given, applier)) continue;
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
  param: Work<CompiledMutation>['params'][number],
  request: AdmissionRequest,
  given: PolicyDependencies,
  applier: PatchApplier,
): boolean {
  let isChanged = false;
  // Each mutation sees what the one before it has made.
  for (const mutation of compiled.mutations) {
    const { reviewed, values } = valuesFor(request, version, param, given);
    const { object } = reviewed;
    if (!object || !compiled.matches(values)) return isChanged;
    const patch = mutation(values, compiled.variables);
    const changed =
      patch.type === 'json'
        ? applier.json(object, patch.operations, reviewed)
        : applier.merge(object, patch.object, reviewed);
    if (hasSameEncoding(changed, object)) continue;
    takeOver(request, reviewed, changed);
    isChanged = true;
  }
  return isChanged;
}

function refusal({ policy, binding }: Work<CompiledMutation>, request: AdmissionRequest, why: string): StatusError {
  const text = `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${why}`;
  return policyRefusal(forbidden(request.definition.resource, request.name, text), text);
}
