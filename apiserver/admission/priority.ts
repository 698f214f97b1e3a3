import { priorityclasses } from '../../shared/api/generated/resources.js';
import type { Pod, PriorityClass } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { forbidden } from '../registry/status-errors.js';
import type { AdmissionPlugin, AdmissionRequest } from './admission.js';

/** Turns a pod's priorityClassName into its priority; only one PriorityClass may be the global default. */
export function priorityAdmission(objects: ObjectReader): AdmissionPlugin {
  return {
    name: 'Priority',
    mutate: (request) => {
      const { group, resource } = request.definition.resource;
      if (group !== '' || resource !== 'pods' || request.subresource !== '' || !request.object) return;
      const pod = request.object as unknown as Pod & KubernetesObject;
      if (request.operation === 'CREATE') setPriority(pod, request, objects);
      if (request.operation === 'UPDATE') keepPriority(pod, request.oldObject as unknown as Pod);
    },
    validate: (request) => {
      const { group, resource } = request.definition.resource;
      if (group !== 'scheduling.k8s.io' || resource !== 'priorityclasses' || !request.object) return;
      checkGlobalDefault(request, objects);
    },
  };
}

function setPriority(pod: Pod & KubernetesObject, request: AdmissionRequest, objects: ObjectReader): void {
  const refuse = (why: string): Error => forbidden(request.definition.resource, pod.metadata.name ?? '', why);
  const wanted = pod.spec.priorityClassName;
  const found = wanted
    ? objects.find(priorityclasses, undefined, wanted)
    : objects.list(priorityclasses).find(({ globalDefault }) => globalDefault === true);
  if (wanted && !found) throw refuse(`no PriorityClass with name ${wanted} was found`);
  const value = found?.value ?? 0;
  if (pod.spec.priority !== undefined && pod.spec.priority !== value) {
    throw refuse(
      `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  }
  if (found && !wanted) pod.spec.priorityClassName = found.metadata.name;
  pod.spec.priority = value;
  const policy = found?.preemptionPolicy ?? 'PreemptLowerPriority';
  if (pod.spec.preemptionPolicy !== undefined && pod.spec.preemptionPolicy !== policy) {
    throw refuse(
      `the string value of PreemptionPolicy (${pod.spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
    );
  }
  pod.spec.preemptionPolicy = policy;
}

/** A client that sends the pod as it once wrote it does not thereby change what admission filled in. */
function keepPriority(pod: Pod, old: Pod): void {
  if (pod.spec.priority === undefined && old.spec.priority !== undefined) pod.spec.priority = old.spec.priority;
  if (pod.spec.preemptionPolicy === undefined && old.spec.preemptionPolicy !== undefined) {
    pod.spec.preemptionPolicy = old.spec.preemptionPolicy;
  }
}

function checkGlobalDefault(request: AdmissionRequest, objects: ObjectReader): void {
  const given = request.object as unknown as PriorityClass & KubernetesObject;
  if (given.globalDefault !== true) return;
  const other = objects
    .list(priorityclasses)
    .find(({ metadata, globalDefault }) => globalDefault === true && metadata.name !== given.metadata.name);
  if (!other) return;
  throw forbidden(
    request.definition.resource,
    given.metadata.name,
    `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
  );
}
