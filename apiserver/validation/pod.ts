import type { Pod, PodSpec, Toleration } from '../../shared/api/generated/types.js';
import { equal } from './equality.js';
import { append, forbidden, invalid, type FieldError } from './field-error.js';
import { isDns1123Subdomain, rangeMessage } from './names.js';
import { validatePodAnnotations, validatePodSpec } from './pod-spec.js';
import { validateTolerations } from './scheduling.js';

const MAX_INT32 = 0x7fffffff;
export const MIRROR = 'kubernetes.io/config.mirror';

export function validatePodCreate(pod: Pod): FieldError[] {
  const { spec } = pod;
  const errors = validatePod(pod);
  if ((spec.ephemeralContainers ?? []).length > 0)
    errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0)
    errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  return errors;
}

/** What holds for a pod at every time. */
export function validatePod(pod: Pod): FieldError[] {
  const { spec } = pod;
  const errors = validatePodAnnotations(pod.metadata.annotations, spec, 'metadata.annotations');
  append(errors, validatePodSpec(spec, 'spec', true));
  for (const [index, { name, ephemeral }] of (spec.volumes ?? []).entries()) {
    const claim = `${pod.metadata.name ?? ''}-${name}`;
    if (ephemeral && name && pod.metadata.name)
      for (const problem of isDns1123Subdomain(claim))
        errors.push(invalid(`spec.volumes[${index}].name`, name, `PVC name ${JSON.stringify(claim)}: ${problem}`));
  }
  if (!spec.serviceAccountName)
    for (const [index, { projected }] of (spec.volumes ?? []).entries())
      for (const [sourceIndex, { serviceAccountToken }] of (projected?.sources ?? []).entries())
        if (serviceAccountToken) {
          const at = `spec.volumes[${index}].projected.sources[${sourceIndex}].serviceAccountToken`;
          errors.push(forbidden(at, 'must not be specified when serviceAccountName is not set'));
        }
  for (const field of ['containers', 'initContainers'] as const)
    for (const [index, { image = '' }] of (spec[field] ?? []).entries())
      if (image !== image.trim())
        errors.push(invalid(`spec.${field}[${index}].image`, image, 'must not have leading or trailing whitespace'));
  return errors;
}

/** Most of a pod is fixed once it exists; the text lists what may change. */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors = [...validatePod(pod), ...validateMirrorAnnotation(pod, old)];
  for (const field of ['containers', 'initContainers'] as const)
    if ((pod.spec[field] ?? []).length !== (old.spec[field] ?? []).length)
      return [...errors, forbidden(`spec.${field}`, 'pod updates may not add or remove containers')];
  const deadline = validateDeadlineUpdate(pod.spec, old.spec);
  append(errors, deadline);
  append(errors, validateAddedTolerations(pod.spec.tolerations ?? [], old.spec.tolerations ?? []));
  append(errors, validateRemovedGates(pod.spec, old.spec));
  if (deadline.length > 0 || equal(comparable(pod.spec, old.spec), comparable(old.spec, old.spec))) return errors;
  return [
    ...errors,
    forbidden('spec', `pod updates may not change fields other than ${UPDATABLE}\n${difference(pod.spec, old.spec)}`),
  ];
}

const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

/** The spec without what an update may change. */
function comparable(spec: PodSpec, old: PodSpec): Partial<PodSpec> {
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, schedulingGates: _gates, ...rest } = spec;
  const withoutImages = <C extends { image?: string }>(containers: readonly C[] | undefined): C[] =>
    (containers ?? []).map((container) => ({ ...container, image: '' }));
  const fixed: Partial<PodSpec> = {
    ...rest,
    containers: withoutImages(spec.containers),
    initContainers: withoutImages(spec.initContainers),
  };
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1)
    fixed.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds ?? 0;
  // A pod that waits for its gates may still be narrowed to fewer nodes.
  if ((old.schedulingGates ?? []).length > 0 && isNarrowed(spec, old)) fixed.nodeSelector = old.nodeSelector ?? {};
  return fixed;
}

function isNarrowed(spec: PodSpec, old: PodSpec): boolean {
  return Object.entries(old.nodeSelector ?? {}).every(([key, value]) => spec.nodeSelector?.[key] === value);
}

/** The fields that differ, each before (-) and after (+). */
function difference(spec: PodSpec, old: PodSpec): string {
  const before = comparable(old, old) as Record<string, unknown>;
  const after = comparable(spec, old) as Record<string, unknown>;
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (field) => !equal(before[field], after[field]),
  );
  const line = (sign: string, field: string, value: unknown): string[] =>
    value === undefined ? [] : [`${sign} ${field}: ${JSON.stringify(value)}`];
  return fields.flatMap((field) => [...line('-', field, before[field]), ...line('+', field, after[field])]).join('\n');
}

function validateMirrorAnnotation(pod: Pod, old: Pod): FieldError[] {
  const value = pod.metadata.annotations?.[MIRROR];
  const before = old.metadata.annotations?.[MIRROR];
  if (value === before) return [];
  const text = before === undefined ? 'may not add' : 'may not remove or update';
  return [forbidden(`metadata.annotations[${MIRROR}]`, `${text} mirror pod annotation`)];
}

function validateDeadlineUpdate(spec: PodSpec, old: PodSpec): FieldError[] {
  const path = 'spec.activeDeadlineSeconds';
  const { activeDeadlineSeconds: seconds } = spec;
  const { activeDeadlineSeconds: before } = old;
  if (seconds === undefined)
    return before === undefined ? [] : [invalid(path, null, 'must not update from a positive integer to nil value')];
  if (seconds < 0 || seconds > MAX_INT32) return [invalid(path, seconds, rangeMessage(0, MAX_INT32))];
  return before !== undefined && before < seconds
    ? [invalid(path, seconds, 'must be less than or equal to previous value')]
    : [];
}

function validateAddedTolerations(tolerations: readonly Toleration[], old: readonly Toleration[]): FieldError[] {
  const path = 'spec.tolerations';
  const key = ({ key: name = '', operator = '', value = '', effect = '' }: Toleration): string =>
    JSON.stringify([name, operator, value, effect]);
  const kept = new Set(tolerations.map(key));
  if (!old.every((one) => kept.has(key(one))))
    return [forbidden(path, 'existing toleration can not be modified except its tolerationSeconds')];
  return old.length === tolerations.length ? [] : validateTolerations(tolerations, path);
}

function validateRemovedGates(spec: PodSpec, old: PodSpec): FieldError[] {
  const known = new Set((old.schedulingGates ?? []).map(({ name }) => name));
  return (spec.schedulingGates ?? []).flatMap(({ name }, index) =>
    known.has(name)
      ? []
      : [
          forbidden(
            `spec.schedulingGates[${index}].name`,
            `only deletion is allowed, but found new scheduling gate '${name}'`,
          ),
        ],
  );
}

/** Statuses of containers by their field, with the restart policy that rules them. */
const CONTAINER_STATUSES = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;

export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  if ((pod.status?.qosClass ?? '') !== (old.status?.qosClass ?? '') && old.status?.qosClass)
    errors.push(invalid('status.qosClass', pod.status?.qosClass ?? '', 'field is immutable'));
  for (const field of CONTAINER_STATUSES) append(errors, validateTransitions(pod, old, field));
  return errors;
}

/** A container that is done and shall not be restarted stays done. */
function validateTransitions(pod: Pod, old: Pod, field: (typeof CONTAINER_STATUSES)[number]): FieldError[] {
  const policy = field === 'ephemeralContainerStatuses' ? 'Never' : old.spec.restartPolicy;
  if (policy === 'Always') return [];
  const restartable = new Set(
    [...(old.spec.initContainers ?? []), ...(old.spec.containers ?? [])]
      .filter(({ restartPolicy }) => restartPolicy !== undefined)
      .map(({ name }) => name),
  );
  return (old.status?.[field] ?? []).flatMap(({ name, state }, index) => {
    const ended = state?.terminated;
    if (!ended || restartable.has(name) || (ended.exitCode !== 0 && policy === 'OnFailure')) return [];
    const now = pod.status?.[field]?.find((status) => status.name === name);
    return now && !now.state?.terminated
      ? [forbidden(`status.${field}[${index}].state`, 'may not be transitioned to non-terminated state')]
      : [];
  });
}
