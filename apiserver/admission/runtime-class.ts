import { runtimeclasses } from '../../shared/api/generated/resources.js';
import type { Pod, RuntimeClass, Toleration } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { compareQuantities } from '../../shared/api/quantity.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { hasSameEncoding } from '../registry/encoding.js';
import { forbidden } from '../registry/status-errors.js';
import type { AdmissionPlugin, AdmissionRequest } from './admission.js';
import { isFor } from './resource-match.js';

type Refuse = (why: string) => Error;

/** What a pod's RuntimeClass costs and where it runs becomes part of the pod. */
export function runtimeClassAdmission(objects: ObjectReader): AdmissionPlugin {
  const check = (
    request: AdmissionRequest,
    act: (pod: Pod, found: RuntimeClass | undefined, refuse: Refuse) => void,
  ) => {
    if (request.operation !== 'CREATE' || !isFor(request, '', 'pods')) return;
    const pod = request.object as unknown as Pod & KubernetesObject;
    const refuse: Refuse = (why) => forbidden(request.definition.resource, request.name, `pod rejected: ${why}`);
    const name = pod.spec.runtimeClassName;
    const found = name ? objects.find(runtimeclasses, undefined, name) : undefined;
    if (name && !found) throw refuse(`RuntimeClass ${JSON.stringify(name)} not found`);
    act(pod, found, refuse);
  };
  return {
    name: 'RuntimeClass',
    mutate: (request) =>
      check(request, (pod, found, refuse) => {
        if (!found) return;
        setOverhead(pod, found, refuse);
        setScheduling(pod, found, (why) => forbidden(request.definition.resource, request.name, why));
      }),
    validate: (request) =>
      check(request, (pod, found, refuse) => {
        const given = pod.spec.overhead;
        const fixed = found?.overhead?.podFixed;
        if (given && Object.keys(given).length > 0 && !fixed) {
          throw refuse('Pod Overhead set without corresponding RuntimeClass defined Overhead');
        }
        if (fixed && !isSameAmounts(given ?? {}, fixed)) throw refuse(overheadConflict);
      }),
  };
}

const overheadConflict = "Pod's Overhead doesn't match RuntimeClass's defined Overhead";

function setOverhead(pod: Pod, { overhead }: RuntimeClass, refuse: Refuse): void {
  const fixed = overhead?.podFixed;
  if (!fixed) return;
  const given = pod.spec.overhead;
  if (given && Object.keys(given).length > 0 && !isSameAmounts(given, fixed)) throw refuse(overheadConflict);
  pod.spec.overhead = { ...fixed };
}

function isSameAmounts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => b[name] !== undefined && compareQuantities(a[name] ?? '0', b[name]) === 0)
  );
}

function setScheduling(pod: Pod, { scheduling }: RuntimeClass, refuse: Refuse): void {
  if (!scheduling) return;
  const selector = { ...pod.spec.nodeSelector };
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const given = selector[key];
    if (given !== undefined && given !== value) {
      throw refuse(
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${given}`,
      );
    }
    selector[key] = value;
  }
  if (Object.keys(selector).length > 0) pod.spec.nodeSelector = selector;
  const given = pod.spec.tolerations ?? [];
  const missing = (scheduling.tolerations ?? []).filter(
    (one: Toleration) => !given.some((other) => hasSameEncoding(one, other)),
  );
  if (missing.length > 0) pod.spec.tolerations = [...given, ...structuredClone(missing)];
}
