import type {
  Deployment,
  DeploymentStrategy,
  LabelSelector,
  PodTemplateSpec,
  ReplicaSet,
} from '../../shared/api/generated/types.js';
import type { IntOrString } from '../../shared/api/int-or-string.js';
import { matchesSelector, SelectorError, selectorOf } from '../../shared/api/selector.js';
import {
  append,
  forbidden,
  invalid,
  invalidEach,
  notNegative,
  notSupported,
  required,
  type FieldError,
} from './field-error.js';
import { validateWorkloadSelector } from './label-selector.js';
import { isPercent } from './names.js';
import { validateImmutable } from './object-meta.js';
import { validatePodTemplate } from './pod-spec.js';

export function validateDeployment({ spec }: Deployment): FieldError[] {
  if (!spec) return [required('spec')];
  const errors = [
    ...notNegative('spec.replicas', spec.replicas),
    ...validateWorkloadSelector(spec.selector, 'spec.selector'),
    ...validateTemplateOf(spec, 'spec.template'),
    ...validateStrategy(spec.strategy ?? {}, 'spec.strategy'),
    ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
  ];
  const deadline = spec.progressDeadlineSeconds;
  if (deadline === undefined) return errors;
  append(errors, notNegative('spec.progressDeadlineSeconds', deadline));
  if (deadline <= (spec.minReadySeconds ?? 0))
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  return errors;
}

export function validateReplicaSet({ spec }: ReplicaSet): FieldError[] {
  if (!spec) return [required('spec')];
  return [
    ...notNegative('spec.replicas', spec.replicas),
    ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateWorkloadSelector(spec.selector, 'spec.selector'),
    ...validateTemplateOf(spec, 'spec.template'),
  ];
}

interface Selecting {
  readonly spec?: { readonly selector?: LabelSelector };
}

/** Changing the selector would orphan the pods that the old one found. */
export function validateSelectorUpdate({ spec }: Selecting, old: Selecting): FieldError[] {
  return validateImmutable(spec?.selector, old.spec?.selector, 'spec.selector');
}

/** The template must make pods that the selector finds, and that run until they are told to stop. */
export function validateTemplateOf(
  { selector, template }: { readonly selector?: LabelSelector; readonly template?: PodTemplateSpec },
  path: string,
  kind = 'ReplicaSet',
): FieldError[] {
  if (!template) return [required(path)];
  const errors: FieldError[] = [];
  const labels = template.metadata?.labels;
  if (!isMatching(selector, labels))
    errors.push(invalid(`${path}.metadata.labels`, labels ?? null, '`selector` does not match template `labels`'));
  append(errors, validatePodTemplate(template, path));
  if (template.spec.restartPolicy !== 'Always')
    errors.push(notSupported(`${path}.spec.restartPolicy`, template.spec.restartPolicy, ['Always']));
  if (template.spec.activeDeadlineSeconds !== undefined) {
    const text = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbidden(`${path}.spec.activeDeadlineSeconds`, text));
  }
  return errors;
}

/** A selector that is absent, empty or broken is reported by itself. */
const isMatching = (
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean => !selector || isSelecting(selector, labels);

/** Whether pods with these labels are found; an absent selector finds none, a broken one is reported by itself. */
export function isSelecting(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  try {
    return matchesSelector(selectorOf(selector), labels);
  } catch (error) {
    if (error instanceof SelectorError) return true;
    throw error;
  }
}

function validateStrategy({ type, rollingUpdate }: DeploymentStrategy, path: string): FieldError[] {
  const at = `${path}.rollingUpdate`;
  if (type === 'Recreate')
    return rollingUpdate ? [forbidden(at, "may not be specified when strategy `type` is 'Recreate'")] : [];
  if (type !== 'RollingUpdate') return [notSupported(`${path}.type`, type, ['Recreate', 'RollingUpdate'])];
  if (!rollingUpdate) return [required(at, 'this should be defaulted and never be nil')];
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  const errors = [
    ...validateIntOrPercent(maxUnavailable, `${at}.maxUnavailable`),
    ...validateIntOrPercent(maxSurge, `${at}.maxSurge`),
  ];
  if (isZero(maxUnavailable) && isZero(maxSurge))
    errors.push(invalid(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  append(errors, validateNotMoreThanAll(maxUnavailable, `${at}.maxUnavailable`));
  return errors;
}

/** Percentages end at 100; what is no percentage is reported by itself. */
export function validateNotMoreThanAll(value: IntOrString, path: string): FieldError[] {
  const isTooMuch = typeof value === 'string' && isPercent(value).length === 0 && parseInt(value, 10) > 100;
  return isTooMuch ? [invalid(path, value, 'must not be greater than 100%')] : [];
}

export function validateIntOrPercent(value: IntOrString, path: string): FieldError[] {
  return typeof value === 'string' ? invalidEach(path, value, isPercent(value)) : notNegative(path, value);
}

export function isZero(value: IntOrString): boolean {
  if (typeof value === 'number') return value === 0;
  return /^0+%$/.test(value);
}

interface Counts {
  readonly replicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly fullyLabeledReplicas?: number;
  readonly updatedReplicas?: number;
  readonly observedGeneration?: number;
}

/** Counts in a status that cannot be true. */
export function validateReplicaCounts(status: Counts | undefined): FieldError[] {
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status ?? {};
  const errors: FieldError[] = [];
  const parts = ['fullyLabeledReplicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas'] as const;
  for (const field of ['replicas', 'observedGeneration', ...parts] as const)
    append(errors, notNegative(`status.${field}`, status?.[field]));
  for (const field of parts) {
    const value = status?.[field] ?? 0;
    if (value > replicas) errors.push(invalid(`status.${field}`, value, 'cannot be greater than status.replicas'));
  }
  if (availableReplicas > readyReplicas)
    errors.push(invalid('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas'));
  return errors;
}
