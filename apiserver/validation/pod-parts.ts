import type { Container, Pod, PodSpec, ResourceRequirements } from '../../shared/api/generated/types.js';
import { qosClass } from '../../shared/api/pod.js';
import { equal } from './equality.js';
import { append, forbidden, invalid, type FieldError } from './field-error.js';
import { MIRROR, validatePod } from './pod.js';

const isMirror = ({ metadata }: Pod): boolean => metadata.annotations?.[MIRROR] !== undefined;

/** Ephemeral containers are added to a pod that runs, and stay as they are for as long as it does. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  if (isMirror(old)) return [forbidden('', 'static pods do not support ephemeral containers')];
  const errors = validatePod(pod);
  const now = new Map((pod.spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  const path = 'spec.ephemeralContainers';
  for (const before of old.spec.ephemeralContainers ?? []) {
    const after = now.get(before.name);
    const name = JSON.stringify(before.name);
    if (!after) errors.push(forbidden(path, `existing ephemeral containers ${name} may not be removed\n`));
    else if (!equal(before, after)) {
      const difference = `-${JSON.stringify(before)}\n+${JSON.stringify(after)}`;
      errors.push(forbidden(path, `existing ephemeral containers ${name} may not be changed\n${difference}`));
    }
  }
  return errors;
}

/** What a container gets of CPU and memory may change while it runs, but not the class of the pod that it makes. */
export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  if (isMirror(old)) return [forbidden('', 'static pods cannot be resized')];
  if (old.spec.os?.name === 'windows') return [forbidden('', 'windows pods cannot be resized')];
  const errors = validatePod(pod);
  if (errors.length > 0) return errors;
  const qos = qosClass(pod.spec);
  if (qos !== (old.status?.qosClass ?? qosClass(old.spec)))
    errors.push(invalid('metadata', qos, 'Pod QOS Class may not change as a result of resizing'));
  for (const field of ['containers', 'initContainers'] as const) {
    const [after, before] = [pod.spec[field] ?? [], old.spec[field] ?? []];
    if (after.length !== before.length)
      return [...errors, forbidden(`spec.${field}`, `${field} may not be added or removed on resize`)];
    if (after.some(({ name }, index) => name !== before[index]?.name))
      return [...errors, forbidden(`spec.${field}`, `${field} may not be renamed or reordered on resize`)];
    for (const [index, container] of before.entries())
      append(errors, validateKept(after[index]?.resources, container.resources, `spec.${field}[${index}].resources`));
  }
  if (!equal(fixedPart(pod.spec, old.spec), old.spec))
    errors.push(forbidden('spec', 'only cpu and memory resources are mutable'));
  return errors;
}

/** An amount that is set can be changed, and not taken away. */
function validateKept(
  after: ResourceRequirements | undefined,
  before: ResourceRequirements | undefined,
  path: string,
): FieldError[] {
  return (['requests', 'limits'] as const).flatMap((which) => {
    const isRemoved = Object.keys(before?.[which] ?? {}).some((name) => after?.[which]?.[name] === undefined);
    return isRemoved ? [forbidden(`${path}.${which}`, `resource ${which} cannot be removed`)] : [];
  });
}

/** The new spec with the old amounts of CPU and memory: nothing else may differ. */
function fixedPart(spec: PodSpec, old: PodSpec): PodSpec {
  const reset = (containers: Container[] | undefined, before: Container[] | undefined, isInit: boolean): Container[] =>
    (containers ?? []).map((container, index) => {
      const previous = before?.[index];
      const isResizable = !isInit || container.restartPolicy === 'Always';
      return previous && isResizable ? { ...container, ...resetResources(container, previous) } : container;
    });
  return {
    ...spec,
    containers: reset(spec.containers, old.containers, false),
    ...(spec.initContainers ? { initContainers: reset(spec.initContainers, old.initContainers, true) } : {}),
  };
}

function resetResources({ resources }: Container, previous: Container): Partial<Container> {
  const amounts = (which: 'requests' | 'limits'): Record<string, string> => {
    const { cpu: _cpu, memory: _memory, ...rest } = resources?.[which] ?? {};
    const before = previous.resources?.[which];
    return {
      ...rest,
      ...(before?.['cpu'] === undefined ? {} : { cpu: before['cpu'] }),
      ...(before?.['memory'] === undefined ? {} : { memory: before['memory'] }),
    };
  };
  return { resources: { ...resources, requests: amounts('requests'), limits: amounts('limits') } };
}
