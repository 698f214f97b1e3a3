import type { DaemonSet, DaemonSetUpdateStrategy, RollingUpdateDaemonSet } from '../../shared/api/generated/types.js';
import { append, forbidden, invalid, notNegative, notSupported, required, type FieldError } from './field-error.js';
import { validateLabelSelector } from './label-selector.js';
import { validatePodTemplate } from './pod-spec.js';
import { isSelecting, isZero, validateIntOrPercent, validateNotMoreThanAll } from './workload.js';

export function validateDaemonSet({ spec }: DaemonSet): FieldError[] {
  if (!spec) return [required('spec')];
  const { selector, template } = spec;
  const errors = validateLabelSelector(selector, 'spec.selector');
  if (!template) return [...errors, required('spec.template')];
  const labels = template.metadata?.labels;
  if (!isSelecting(selector, labels))
    errors.push(
      invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'),
    );
  if (selector && Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0)
    errors.push(invalid('spec.selector', selector, 'empty selector is invalid for daemonset'));
  append(errors, validatePodTemplate(template, 'spec.template'));
  if (template.spec.restartPolicy !== 'Always')
    errors.push(notSupported('spec.template.spec.restartPolicy', template.spec.restartPolicy, ['Always']));
  if (template.spec.activeDeadlineSeconds !== undefined) {
    const text = 'activeDeadlineSeconds in DaemonSet is not Supported';
    errors.push(forbidden('spec.template.spec.activeDeadlineSeconds', text));
  }
  append(errors, notNegative('spec.minReadySeconds', spec.minReadySeconds));
  append(errors, validateUpdateStrategy(spec.updateStrategy ?? {}, 'spec.updateStrategy'));
  append(errors, notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit));
  return errors;
}

function validateUpdateStrategy(strategy: DaemonSetUpdateStrategy, path: string): FieldError[] {
  if (strategy.type === 'OnDelete') return [];
  if (strategy.type !== 'RollingUpdate') return [notSupported(path, strategy, ['RollingUpdate', 'OnDelete'])];
  const at = `${path}.rollingUpdate`;
  return strategy.rollingUpdate ? validateRollingUpdate(strategy.rollingUpdate, at) : [required(at)];
}

function validateRollingUpdate(
  { maxUnavailable = 0, maxSurge = 0 }: RollingUpdateDaemonSet,
  path: string,
): FieldError[] {
  const errors = [
    ...validateIntOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...validateIntOrPercent(maxSurge, `${path}.maxSurge`),
    ...validateNotMoreThanAll(maxUnavailable, `${path}.maxUnavailable`),
    ...validateNotMoreThanAll(maxSurge, `${path}.maxSurge`),
  ];
  const [hasUnavailable, hasSurge] = [!isZero(maxUnavailable), !isZero(maxSurge)];
  if (hasUnavailable && hasSurge)
    errors.push(invalid(`${path}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  if (!hasUnavailable && !hasSurge) errors.push(required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  return errors;
}

const COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
] as const;

export function validateDaemonSetStatus({ status }: DaemonSet, old: DaemonSet): FieldError[] {
  const errors = COUNTS.flatMap((field) => notNegative(`status.${field}`, status?.[field]));
  append(errors, validateCollisionCount(status?.collisionCount, old.status?.collisionCount));
  return errors;
}

/** It salts the names of revisions, so a name would be used twice if it went back. */
export function validateCollisionCount(count: number | undefined, old: number | undefined): FieldError[] {
  const isDecremented = old !== undefined && (count ?? -1) < old;
  return isDecremented ? [invalid('status.collisionCount', count ?? 0, 'cannot be decremented')] : [];
}
